"""What a request makes of the stored rows of some entries: the rows to write.

Next: query_service.directory_seats
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from query_service.directory_seats import changing
from query_service.directory_stored import ASSIGNMENTS, Place
from query_service.store import Row
from schemas.directory import Entity, Identity, is_deleted, laid_over
from schemas.rejects import Reason, Rejected
from sinks.keys import Key


def columns_of(entry: Identity) -> dict[str, Any]:
    """The entry's fields as its row holds them: no group is an empty one."""
    columns = dict(entry)
    if "group" in columns:
        columns["group"] = columns["group"] or ""
    return columns


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
        after = columns_of(laid_over(self._entity, rest, given))
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
