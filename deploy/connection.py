"""Where the commands find the system: a running `up`, or addresses from the environment.

`up` writes its addresses to `<data-dir>/up.json` and the first key to `<data-dir>/admin.key`.

Next: deploy.commands
"""

import fcntl
import json
from dataclasses import asdict, dataclass
from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

DEFAULT_DATA_DIR = Path("usage-data")
ADDRESSES = "up.json"
KEY = "admin.key"
LOCK = "up.lock"


class NotFound(Exception):  # noqa: N818 - named for what happened, as the style asks
    """The directory that was asked for has no running `up`."""


class ConnectionSettings(BaseSettings):
    """The commands: where they find what they talk to when no `up` runs here."""

    model_config = SettingsConfigDict(env_prefix="USAGE_", extra="ignore", populate_by_name=True)

    data_dir: Path | None = Field(
        None, description="Data directory of the `up` to talk to; without it ./usage-data."
    )
    ingest_url: str | None = Field(None, description="The gateway, http://host:port.")
    query_url: str | None = Field(None, description="The query service, http://host:port.")
    key: str | None = Field(None, description="The key that commands send.", repr=False)
    clickhouse_dsn: str | None = Field(
        None,
        validation_alias="CLICKHOUSE_DSN",
        description="ClickHouse over HTTP: clickhouse://user:password@host:port/database.",
    )
    kafka_bootstrap: str | None = Field(
        None,
        validation_alias="KAFKA_BOOTSTRAP",
        description="Kafka's bootstrap servers, host:port, separated by commas.",
    )


@dataclass(frozen=True)
class Connection:
    """The addresses of one system, and the key to use there (None: there is none to be found)."""

    ingest_url: str = "http://127.0.0.1:8081"
    query_url: str = "http://127.0.0.1:8080"
    clickhouse_dsn: str = "clickhouse://default:@127.0.0.1:8123/usage"
    kafka_bootstrap: str = "127.0.0.1:9092"
    key: str | None = None


def find(data_dir: Path | None = None) -> Connection:
    """The system to talk to.

    `data_dir` (a flag) names the directory of a running `up` and beats the environment. Without
    it, each address of the environment beats that of the `up` in USAGE_DATA_DIR or ./usage-data,
    and what neither names is the default port on this machine.
    Raises NotFound when a directory is named, by flag or environment, and nothing runs on it.
    """
    settings = ConnectionSettings()
    if data_dir is not None:
        return _running(data_dir) or _refuse(data_dir)
    found = _running(settings.data_dir or DEFAULT_DATA_DIR)
    if settings.data_dir and not found:
        _refuse(settings.data_dir)
    named = settings.model_dump(exclude={"data_dir"}, exclude_none=True)
    return Connection(**{**asdict(found or Connection()), **named})


def write(data_dir: Path, connection: Connection) -> None:
    """Leave the addresses for `find`. The key has a file of its own."""
    addresses = {name: value for name, value in asdict(connection).items() if name != "key"}
    draft = data_dir / f"{ADDRESSES}.draft"
    draft.write_text(json.dumps(addresses, indent=2) + "\n")
    draft.replace(data_dir / ADDRESSES)


def _running(data_dir: Path) -> Connection | None:
    if not (data_dir / ADDRESSES).exists() or not _held(data_dir / LOCK):
        return None
    key = data_dir / KEY
    return Connection(
        **json.loads((data_dir / ADDRESSES).read_text()),
        key=key.read_text().strip() if key.exists() else None,
    )


def _held(lock: Path) -> bool:
    """Whether a process holds this lock; a supervisor does for as long as it lives."""
    if not lock.exists():
        return False
    with lock.open() as probe:
        try:
            fcntl.flock(probe, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def _refuse(data_dir: Path) -> Connection:
    raise NotFound(f"no `usage-report up` runs on {data_dir}")
