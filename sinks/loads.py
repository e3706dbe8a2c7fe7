"""What the worker reads back before it writes: rows, identities, ledger rows, progress.

Every method is one query (or one per chunk of keys) and raises Unavailable while ClickHouse is
away, so that the caller can try the same again.

Next: sinks.inserts
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from itertools import islice
from typing import Any, NamedTuple

from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError
from urllib3.exceptions import HTTPError

from sinks.clickhouse import query, reraise, statement

# Keys of one query; more are asked for in turn.
_CHUNK = 20_000

UserDayKey = tuple[str, str, date]


class PartitionProgress(NamedTuple):
    """How far a partition is folded."""

    partition: int
    position: int
    appended_at: datetime
    caught_up_at: datetime
    fold_version: int
    last_appended_at: datetime = datetime(1970, 1, 1, tzinfo=UTC)


class Epoch(NamedTuple):
    """One partition's part of one life of the log."""

    topic_id: str
    partition: int
    first_offset: int
    partitions: int
    epoch: int


class ErasedUser(NamedTuple):
    """The guard of an erased user: (partition, position) pairs; the tenant's secret in hex."""

    tenant: str
    secret: str
    user_hash: str
    guard: list[tuple[int, int]]


class LogEnd(NamedTuple):
    """How far a partition was seen to reach in one life of the log, and how far it was folded."""

    epoch: int
    partition: int
    seen_end: int
    folded: int


class Loads:
    """Reads of the worker, over a client of its own."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def rows(self, keys: Sequence[UserDayKey]) -> list[tuple[Any, ...]]:
        """Rows of `usage_daily` of these user-days, columns as in load_rows.sql."""
        return self._by_chunks("load_rows", keys)

    def identities(
        self, keys: Sequence[UserDayKey], *, limit: int
    ) -> list[tuple[str, str, date, str, int, int]]:
        """Identities of these user-days, at most `limit` of each, as in load_identities.sql."""
        return self._by_chunks("load_identities", keys, limit=limit)

    def some_identities(
        self, keys: Sequence[tuple[str, str, date, str, str]]
    ) -> list[tuple[str, str, date, str, int, int]]:
        """Those of these (tenant, user_id, day, source, id) that are stored."""
        return self._by_chunks("load_some_identities", keys)

    def existing(
        self, places: Sequence[tuple[int, date]], *, floor: int
    ) -> dict[tuple[int, date], set[int]]:
        """Hashes of the user-days that exist, by each wanted (partition, day)."""
        days = sorted({day for _, day in places})
        found: dict[tuple[int, date], set[int]] = {place: set() for place in places}
        of_day: dict[date, set[int]] = {day: set() for day in days}
        parameters = {"places": list(places), "days": days, "floor": floor}
        for partition, older, day, hashed in self._query("load_existing", parameters):
            known = of_day[day] if older else found[partition, day]
            known.add(hashed)
        return {place: known | of_day[place[1]] for place, known in found.items()}

    def ledger(self, keys: Sequence[tuple[str, date, int]]) -> list[tuple[Any, ...]]:
        """Rows of the ledger, columns as in load_ledger.sql."""
        return self._by_chunks("load_ledger", keys)

    def progress(self) -> dict[int, PartitionProgress]:
        """How far each partition is folded."""
        found = (PartitionProgress(*row) for row in self._query("progress", {}))
        return {progress.partition: progress for progress in found}

    def epochs(self) -> list[Epoch]:
        """The lives of the log, oldest first."""
        return [Epoch(*row) for row in self._query("log_epochs", {})]

    def erased(self) -> list[ErasedUser]:
        """The guards of erased users."""
        return [ErasedUser(*row) for row in self._query("load_erased", {})]

    def events_engine(self) -> str:
        """How the table of events was made, its TTL included."""
        return str(self._query("events_ttl", {})[0][0])

    def log_ends(self) -> list[LogEnd]:
        """How far each life of the log was seen to reach, oldest first."""
        return [LogEnd(*row) for row in self._query("log_ends", {})]

    def _by_chunks(
        self, name: str, keys: Iterable[tuple[Any, ...]], **parameters: Any
    ) -> list[Any]:
        remaining = iter(keys)
        found: list[Any] = []
        while chunk := list(islice(remaining, _CHUNK)):
            found += self._query(name, {"keys": chunk, **parameters})
        return found

    def _query(self, name: str, parameters: dict[str, Any]) -> Sequence[tuple[Any, ...]]:
        try:
            result = query(self._client, statement("sinks.sql", name), parameters=parameters)
        except (ClickHouseError, HTTPError, OSError) as error:
            reraise(error)
        return result.result_rows  # type: ignore[return-value] # Sequence[Sequence], as tuples
