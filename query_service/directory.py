"""Entries of the directory laid over what is stored: judged one by one, written in one insert.

Next: query_service.directory_seats
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from threading import Lock
from typing import Any

from query_service.directory_body import Malformed
from query_service.directory_seats import changing
from query_service.store import Row, Store, compose
from schemas.directory import Entity, Identity, identity_of, is_deleted, laid_over
from schemas.rejects import Reason, Rejected
from sinks.directory import insert_rows
from sinks.keys import Key

# What an entry's row holds for each identifying field.
Place = tuple[Any, ...]

ASSIGNMENTS = "assignments"
_TABLES = {ASSIGNMENTS: "seat_changes"}
# Stored entries are asked for by these of their identifying fields: all of them text.
_ASKED = ("team_id", "user_id", "product_id", "subscription_id", "pack_id", "access")
# Each change is laid over the one before it, so no two are made at once.
_writing = Lock()


@dataclass(frozen=True)
class Reject:
    """An entry that was refused, by its place in the request."""

    index: int
    reason: Reason
    field: str | None
    detail: str


@dataclass(frozen=True)
class Outcome:
    """What became of a request's entries."""

    accepted: int
    rejected: list[Reject]


@dataclass(frozen=True)
class _Given:
    """An entry that was sent, and what it identifies."""

    index: int
    place: Place
    fields: Mapping[str, Any]


def table_of(entity: Entity) -> str:
    """Where the entity's entries are stored."""
    return _TABLES.get(entity.name, entity.name)


def put(store: Store, key: Key, entity: Entity, entries: Sequence[Any], now: datetime) -> Outcome:
    """Store what the entries change. Raises Unavailable; a retry is then harmless."""
    rejected: list[Reject] = []
    given = list(_identified(entity, entries, rejected))
    with _writing:
        draft = Draft(entity, key, _stored(store, key, entity, given))
        for entry in given:
            try:
                draft.take(entry.place, entry.fields)
            except Rejected as why:
                rejected.append(_reject(entry.index, why))
        rows = draft.rows(now)
        with store.client() as client:
            insert_rows(client, table_of(entity), rows)
    rejected.sort(key=lambda reject: reject.index)
    return Outcome(len(entries) - len(rejected), rejected)


def _identified(entity: Entity, entries: Sequence[Any], rejected: list[Reject]) -> Iterable[_Given]:
    for index, fields in enumerate(entries):
        try:
            yield _Given(index, _place(entity, fields), fields)
        except Rejected as why:
            rejected.append(_reject(index, why))


def _reject(index: int, why: Rejected) -> Reject:
    return Reject(index, why.reason, why.field, why.detail)


def _place(entity: Entity, fields: Any) -> Place:
    if isinstance(fields, Malformed):
        raise Rejected(Reason.MALFORMED_JSON, "This is not JSON in UTF-8.")
    columns = _columns(identity_of(entity, fields))
    return tuple(columns[name] for name in entity.ids)


def _columns(entry: Identity) -> dict[str, Any]:
    """The entry's fields as its row holds them: no group is an empty one."""
    columns = dict(entry)
    if "group" in columns:
        columns["group"] = columns["group"] or ""
    return columns


def _stored(store: Store, key: Key, entity: Entity, given: Sequence[_Given]) -> list[Row]:
    """Every row of the entries that were sent; of assignments, of the same seats."""
    names = [name for name in entity.ids if name in _ASKED]
    places = {tuple(each.place[entity.ids.index(name)] for name in names) for each in given}
    if not places:
        return []
    fields = (
        (*entity.fields, "request_id", "actor") if entity.name == ASSIGNMENTS else entity.fields
    )
    one = f"Tuple({', '.join(['String'] * len(names))})" if len(names) > 1 else "String"
    sql = compose(
        "directory_stored",
        columns=", ".join(f"`{name}`" for name in fields),
        table=table_of(entity),
        ids=f"({', '.join(names)})",
        type=f"Array({one})",
    )
    ids = [place if len(names) > 1 else place[0] for place in places]
    return [_zoned(row) for row in store.ask(key, "directory_stored", {"ids": ids}, sql=sql)]


def _zoned(row: Row) -> Row:
    at = row.get("at")
    return {**row, "at": at.replace(tzinfo=UTC)} if at else row


class Draft:
    """The stored rows of some entries, and what a request makes of them."""

    def __init__(self, entity: Entity, key: Key, rows: Iterable[Row]) -> None:
        self._entity = entity
        self._key = key
        self._version = 0
        # More than one only of assignments: the same change by several requests.
        self._stored: dict[Place, list[Row]] = defaultdict(list)
        # None: removed.
        self._changed: dict[Place, dict[str, Any] | None] = {}
        for row in rows:
            self._version = max(self._version, row["version"])
            if not row["deleted"]:
                self._stored[tuple(row[name] for name in entity.ids)].append(row)

    def take(self, place: Place, given: Mapping[str, Any]) -> None:
        """Lay one entry over what is there; raises Rejected."""
        before = self._changed[place] if place in self._changed else self._present(place)
        self._check_team(before or dict(zip(self._entity.ids, place, strict=True)))
        if is_deleted(given):
            self._changed[place] = None
            return
        rest = {n: value for n, value in (before or {}).items() if n not in self._entity.ids}
        after = _columns(laid_over(self._entity, rest, given))
        self._check_team(after)
        self._changed[place] = after

    def rows(self, now: datetime) -> list[dict[str, Any]]:
        """The rows to store, above every version that is there: those that change something."""
        version = max(int(now.timestamp() * 1_000_000), self._version + 1)
        by = {"tenant": self._key.tenant, "version": version, **_by(self._entity, self._key)}
        removed, puts = [], []
        for place, after in self._changed.items():
            if after is None:
                removed += [{**row, "deleted": True, **by} for row in self._stored.get(place, ())]
            elif after != self._present(place):
                puts.append({**_unasked(self._entity), **after, "deleted": False, **by})
        if self._entity.name == ASSIGNMENTS:
            puts = changing(self._left(), puts)
        return [*removed, *puts]

    def _present(self, place: Place) -> dict[str, Any] | None:
        rows = self._stored.get(place)
        if not rows:
            return None
        latest = max(rows, key=lambda row: row["version"])
        return {name: latest[name] for name in self._entity.fields}

    def _left(self) -> Iterable[Row]:
        """The stored rows that the request does not remove."""
        for place, rows in self._stored.items():
            if self._changed.get(place, {}) is not None:
                yield from rows

    def _check_team(self, columns: Mapping[str, Any]) -> None:
        if "team_id" in columns and not self._key.sees_team(columns["team_id"] or ""):
            raise Rejected(Reason.FORBIDDEN, "The key is limited to other teams.", field="team_id")


def _by(entity: Entity, key: Key) -> dict[str, str]:
    """Whose doing an assignment is."""
    return {"actor": key.key_id} if entity.name == ASSIGNMENTS else {}


def _unasked(entity: Entity) -> dict[str, str]:
    """An assignment of the directory came without a request to assign."""
    return {"request_id": ""} if entity.name == ASSIGNMENTS else {}
