"""Where the commands find the system: a running `up`, or addresses from the environment.

`up` writes its addresses to `<data-dir>/up.json` and the first key to `<data-dir>/admin.key`.

Next: deploy.commands
"""

import fcntl
import json
import os
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Self

from pydantic import Field, SecretStr, TypeAdapter, model_validator

from schemas.kafka_address import KafkaAddress
from schemas.settings import SecuritySettings, read

DEFAULT_DATA_DIR = Path("usage-data")
ADDRESSES = "up.json"
KEY = "admin.key"
LOCK = "up.lock"
_KAFKA = KafkaAddress("127.0.0.1:9092")


class NotFound(Exception):  # noqa: N818 - named for what happened, as the style asks
    """The directory that was asked for has no running `up`."""


class ConnectionSettings(SecuritySettings):
    """The commands: where they find what they talk to when no `up` runs here."""

    data_dir: Path | None = Field(
        None, description="Data directory of the `up` to talk to; without it ./usage-data."
    )
    ingest_url: str | None = Field(None, description="The gateway, http://host:port.")
    query_url: str | None = Field(None, description="The query service, http://host:port.")
    key: str | None = Field(None, description="The key that commands send.", repr=False)
    clickhouse_dsn: str | None = Field(
        None,
        validation_alias="CLICKHOUSE_DSN",
        description="ClickHouse over HTTP: clickhouse://user:password@host:port/database,"
        " clickhouses:// for TLS.",
    )
    kafka_bootstrap: str | None = Field(
        None,
        validation_alias="KAFKA_BOOTSTRAP",
        description="Kafka's bootstrap servers, host:port, separated by commas.",
    )

    @property
    def kafka(self) -> KafkaAddress:
        """Kafka, and how it is spoken to."""
        return self.kafka_at(self.kafka_bootstrap or _KAFKA.bootstrap)

    @model_validator(mode="after")
    def _check_connections(self) -> Self:
        self.kafka.check()
        if self.clickhouse_dsn:
            self.clickhouse_dsn = self.clickhouse_at(self.clickhouse_dsn)
        return self


@dataclass(frozen=True)
class Connection:
    """The addresses of one system, and the key to use there (None: there is none to be found)."""

    ingest_url: str = "http://127.0.0.1:8081"
    query_url: str = "http://127.0.0.1:8080"
    clickhouse_dsn: str = "clickhouse://default:@127.0.0.1:8123/usage"
    kafka: KafkaAddress = _KAFKA
    key: str | None = None


def find(data_dir: Path | None = None) -> Connection:
    """The system to talk to.

    `data_dir` (a flag) names the directory of a running `up` and beats the environment. Without
    it, each address of the environment beats that of the `up` in USAGE_DATA_DIR or ./usage-data,
    and what neither names is the default port on this machine.
    Raises NotFound when a directory is named, by flag or environment, and nothing runs on it.
    """
    settings = read(ConnectionSettings)
    if data_dir is not None:
        return _running(data_dir) or _refuse(data_dir)
    found = _running(settings.data_dir or DEFAULT_DATA_DIR)
    if settings.data_dir and not found:
        _refuse(settings.data_dir)
    addresses = {"ingest_url", "query_url", "key", "clickhouse_dsn"}
    named: dict[str, Any] = settings.model_dump(include=addresses, exclude_none=True)
    if settings.kafka_bootstrap or not found:
        named["kafka"] = settings.kafka
    return replace(found or Connection(), **named)


def write(data_dir: Path, connection: Connection) -> None:
    """Leave the addresses for `find`, with the passwords that are in them, for the owner alone.

    The key has a file of its own.
    """
    addresses = {name: value for name, value in asdict(connection).items() if name != "key"}
    write_whole(data_dir / ADDRESSES, json.dumps(addresses, indent=2, default=_plain) + "\n")


def _plain(value: object) -> str:
    return value.get_secret_value() if isinstance(value, SecretStr) else str(value)


def write_whole(path: Path, text: str) -> None:
    """Replace a file at once, readable by its owner alone."""
    draft = path.with_name(f"{path.name}.draft")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
        file.write(text)
    draft.replace(path)


def _running(data_dir: Path) -> Connection | None:
    if not (data_dir / ADDRESSES).exists() or not _held(data_dir / LOCK):
        return None
    key = data_dir / KEY
    addresses = TypeAdapter(Connection).validate_json((data_dir / ADDRESSES).read_bytes())
    return replace(addresses, key=key.read_text().strip() if key.exists() else None)


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
