"""A store that keeps of each key the copy with the highest version, as ReplacingMergeTree does.

It answers the same questions as sinks.loads.Loads.

Next: tests.model.world
"""

import random
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

import polars as pl

from aggregators.state import PartitionDay, UserDayKey, user_hash
from schemas.erasure import erased_hash
from schemas.rollups import LEDGER_KEY, ROW_KEY, USER_DAY_KEY
from sinks.loads import Epoch, ErasedUser, PartitionProgress

TOPIC_ID = "model"
SECRET = "5a" * 32

_KEYS = {
    "usage_events": (*USER_DAY_KEY, "source", "id"),
    "usage_daily": ROW_KEY,
    "usage_ledger": LEDGER_KEY,
}
_TABLES = (*_KEYS, "log_epochs")
_ROW_NAMES = ("product_id", "product_version", "team_id", "access")
_BOOKS = ("accepted", "stored", "duplicate", "dead", "counted", "position")


class SimulatedStore:
    """Tables as dictionaries.

    `last_insert_wins` leaves out the version.
    """

    def __init__(
        self, rng: random.Random, partitions: int, *, last_insert_wins: bool = False
    ) -> None:
        self._rng = rng
        self._last_insert_wins = last_insert_wins
        self.tables: dict[str, dict[tuple[Any, ...], dict[str, Any]]] = {t: {} for t in _TABLES}
        self.positions: dict[int, tuple[int, datetime]] = {}
        self.guards: list[ErasedUser] = []
        self._epochs = [
            Epoch(TOPIC_ID, partition, 0, partitions, 1) for partition in range(partitions)
        ]

    def insert(self, table: str, frame: pl.DataFrame, *, partly: bool = False) -> None:
        """Insert a frame, or `partly`: some of its rows."""
        for row in frame.iter_rows(named=True):
            if partly and self._rng.random() < 0.5:
                continue
            self._insert_row(table, row)

    def advance(
        self, frame: pl.DataFrame, known: Mapping[int, int], *, partly: bool = False
    ) -> dict[int, int]:
        """As sinks.inserts.Inserts.advance, or `partly`; this store never goes back."""
        for row in frame.iter_rows(named=True):
            if partly and self._rng.random() < 0.5:
                continue
            at = (row["position"], row["appended_at"])
            held = self.positions.get(row["partition"])
            assert known.get(row["partition"], 0) <= (held[0] if held else 0)
            self.positions[row["partition"]] = max(at, held or at)
        return {}

    def _insert_row(self, table: str, row: dict[str, Any]) -> None:
        key = tuple(row[name] for name in _KEYS[table])
        held = self.tables[table].get(key)
        if held is None or self._replaces(table, row, held):
            self.tables[table][key] = row

    def _replaces(self, table: str, row: dict[str, Any], held: dict[str, Any]) -> bool:
        if self._last_insert_wins and table == "usage_daily":
            return True
        new, old = version(table, row), version(table, held)
        # Which copy stays of two with one version is the engine's business: both must do.
        return new > old or (new == old and self._rng.random() < 0.5)

    def rows(self, keys: Sequence[UserDayKey]) -> list[tuple[Any, ...]]:
        """As load_rows.sql."""
        wanted = set(keys)
        return [
            (*user_day, *(row[name] for name in _ROW_NAMES), *totals(row))
            for row in self.tables["usage_daily"].values()
            if (user_day := (row["tenant"], row["user_id"], row["day"])) in wanted
        ]

    def identities(
        self, keys: Sequence[UserDayKey], *, limit: int
    ) -> list[tuple[str, str, date, str, int, int]]:
        """As load_identities.sql."""
        wanted = set(keys)
        asked: dict[UserDayKey, int] = {}
        found = []
        for key, row in self.tables["usage_events"].items():
            if key[:3] in wanted and asked.get(key[:3], 0) < limit:
                asked[key[:3]] = asked.get(key[:3], 0) + 1
                found.append(identity_of(key, row))
        return found

    def some_identities(
        self, keys: Sequence[tuple[str, str, date, str, str]]
    ) -> list[tuple[str, str, date, str, int, int]]:
        """As load_some_identities.sql."""
        held = self.tables["usage_events"]
        return [identity_of(key, held[key]) for key in keys if key in held]

    def existing(
        self, places: Sequence[PartitionDay], *, floor: int
    ) -> dict[PartitionDay, set[int]]:
        """As load_existing.sql; there are no rows below the floor here."""
        found: dict[PartitionDay, set[int]] = {place: set() for place in places}
        for row in self.tables["usage_daily"].values():
            if (row["partition"], row["day"]) in found:
                key = (row["tenant"], row["user_id"], row["day"])
                found[row["partition"], row["day"]].add(user_hash(key))
        return found

    def ledger(self, keys: Sequence[tuple[str, date, int]]) -> list[tuple[Any, ...]]:
        """As load_ledger.sql."""
        held = self.tables["usage_ledger"]
        return [(*key, *(held[key][name] for name in _BOOKS)) for key in keys if key in held]

    def progress(self) -> dict[int, PartitionProgress]:
        """As progress.sql."""
        never = datetime(1970, 1, 1, tzinfo=UTC)
        return {
            partition: PartitionProgress(partition, position, appended_at, never, 1)
            for partition, (position, appended_at) in self.positions.items()
        }

    def erased(self) -> list[ErasedUser]:
        """As load_erased.sql."""
        return self.guards

    def erase(self, tenant: str, user_id: str, pseudonym: str) -> None:
        """As sinks.erasure: rows and events go under a pseudonym, and a guard is put up."""
        for table in ("usage_events", "usage_daily"):
            held = self.tables[table]
            for key in [key for key in held if key[:2] == (tenant, user_id)]:
                row = held.pop(key) | {"user_id": pseudonym}
                held[tuple(row[name] for name in _KEYS[table])] = row
        guard = [(partition, position) for partition, (position, _) in self.positions.items()]
        self.guards.append(
            ErasedUser(tenant, SECRET, erased_hash(bytes.fromhex(SECRET), user_id), guard)
        )

    def epochs(self) -> list[Epoch]:
        """As log_epochs.sql."""
        return self._epochs


def version(table: str, row: dict[str, Any]) -> int:
    """What the engine compares; of events it falls as the stamp rises."""
    if table == "usage_events":
        return -(row["position"] << 32 | row["seq"])
    return int(row["position"])


def totals(row: dict[str, Any]) -> tuple[int, int, int, int, int]:
    """launches, tokens in 0.0001, first_at and last_at in ms, position."""
    first_at, last_at = (round(row[name].timestamp() * 1000) for name in ("first_at", "last_at"))
    return row["launches"], int(row["tokens"] * 10_000), first_at, last_at, row["position"]


def identity_of(key: tuple[Any, ...], row: dict[str, Any]) -> tuple[str, str, date, str, int, int]:
    """An identity as the SQL makes it: source and id in one string that no other pair gives."""
    tenant, user_id, day, source, event_id = key
    identity = f"{len(source.encode())}:{source}{event_id}"
    return tenant, user_id, day, identity, row["position"], row["seq"]
