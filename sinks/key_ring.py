"""Keys held in memory, refreshed in the background: requests go on while the store is away.

The last good copy is kept in a 0600 file for a restart during an outage, with a bounded age.

Next: ingest.auth
"""

import json
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

import structlog
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError
from urllib3.exceptions import HTTPError

from schemas.rejects import Unavailable
from sinks.clickhouse import connect, reraise
from sinks.keys import Key, matches, read_keys, split_token

log = structlog.get_logger()

_STORE_TIMEOUT_SECONDS = 5.0
# Of unknown keys: how many ask the store at once, and the shortest time between two readings.
_ASKING = 4
_AGAIN_SECONDS = 0.2


def keys_reader(dsn: str) -> Callable[[], list[Key]]:
    """What a KeyRing reads its keys with: a client of its own, made anew after a failure."""
    client: Client | None = None

    def read() -> list[Key]:
        nonlocal client
        try:
            client = client or connect(dsn, timeout_seconds=_STORE_TIMEOUT_SECONDS)
            return read_keys(client)
        except (ClickHouseError, HTTPError, OSError) as error:
            client = None
            reraise(error)

    return read


class KeyRing:
    """All valid keys of all tenants.

    `read` asks the store (and may raise Unavailable); `path` is the file of the last good copy.
    `max_age_seconds` bounds how old a copy may be to be trusted; `clock` is seconds since 1970.
    """

    def __init__(
        self,
        read: Callable[[], list[Key]],
        *,
        path: Path,
        refresh_seconds: float,
        max_age_seconds: float,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._read = read
        self._path = path
        self._refresh_seconds = refresh_seconds
        self._max_age_seconds = max_age_seconds
        self._clock = clock
        self._keys: dict[str, Key] = {}
        self._as_of = 0.0
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None
        self._asking = threading.BoundedSemaphore(_ASKING)
        self._turn = threading.Lock()
        self._refreshing = threading.Lock()

    def start(self) -> None:
        """Read the keys once (or the file, while the store is away), then keep them fresh."""
        self._load()
        self.refresh()
        self._thread = threading.Thread(target=self._loop, name="keys", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop refreshing."""
        self._stopped.set()
        if self._thread:
            self._thread.join(timeout=5)

    def refresh(self) -> bool:
        """Read the keys now; False when the store is away, and the old copy stays."""
        # One at a time, or an older answer could replace a newer one.
        with self._refreshing:
            try:
                keys = self._read()
            except Unavailable as error:
                log.warning("keys_not_refreshed", error=str(error))
                return False
            self._keys = {key.key_id: key for key in keys}
            self._as_of = self._clock()
            self._save()
        return True

    def is_fresh(self) -> bool:
        """Whether there is a copy that may still be trusted."""
        return self._clock() - self._as_of <= self._max_age_seconds

    def find(self, token: str) -> Key | None:
        """The key whose full text is `token`, or None; raises Unavailable without a fresh copy."""
        if not self.is_fresh():
            raise Unavailable("keys", "no copy that is fresh enough")
        parts = split_token(token)
        key = self._keys.get(parts[0]) if parts else None
        return key if key and parts and matches(key, parts[1]) else None

    def by_id(self, key_id: str) -> Key | None:
        """The valid key of this id, whose secret was checked before; raises as `find`."""
        if not self.is_fresh():
            raise Unavailable("keys", "no copy that is fresh enough")
        return self._keys.get(key_id)

    def look_again(self, token: str) -> Key | None:
        """As `find`, for a token it did not know: a key made a moment ago may be in the store.

        Blocks for a question to the store. Only a few callers ask at once and only a few times a
        second, so that a flood of invented keys costs little; the others are answered None.
        """
        parts = split_token(token)
        if not parts or parts[0] in self._keys or not self._asking.acquire(blocking=False):
            return None
        try:
            with self._turn:
                if parts[0] not in self._keys:
                    self._stopped.wait(self._as_of + _AGAIN_SECONDS - self._clock())
                    self.refresh()
        finally:
            self._asking.release()
        return self.find(token)

    def _loop(self) -> None:
        while not self._stopped.wait(self._refresh_seconds):
            try:
                self.refresh()
            except Exception:  # the edge: keys go on, within their age, whatever the store says
                log.exception("keys_not_refreshed")

    def _load(self) -> None:
        try:
            copy = json.loads(self._path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return
        except ValueError:  # cut short by a crash of the machine
            log.warning("keys_file_unreadable", path=str(self._path))
            return
        self._as_of = copy["as_of"]
        self._keys = {
            fields["key_id"]: Key(
                **{
                    **fields,
                    "scopes": frozenset(fields["scopes"]),
                    "teams": frozenset(fields["teams"]),
                }
            )
            for fields in copy["keys"]
        }

    def _save(self) -> None:
        keys = [
            {**vars(key), "scopes": sorted(key.scopes), "teams": sorted(key.teams)}
            for key in self._keys.values()
        ]
        self._path.parent.mkdir(parents=True, exist_ok=True)
        draft = self._path.with_suffix(f".{os.getpid()}.draft")
        with os.fdopen(os.open(draft, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "w") as file:
            json.dump({"as_of": self._as_of, "keys": keys}, file)
        draft.replace(self._path)
