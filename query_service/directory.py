"""Entries of the directory laid over what is stored: judged one by one, written in one insert.

Next: query_service.turns
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from query_service import audit
from query_service.directory_body import Malformed
from query_service.directory_draft import Draft, columns_of
from query_service.directory_stored import Place, stored, table_of
from query_service.store import Store
from query_service.turns import turn
from schemas.directory import Entity, identity_of
from schemas.rejects import Reason, Rejected
from sinks.directory import insert_rows
from sinks.keys import Key

TEAMS = "teams"
# So many are told in the audit log; more come only from another system's list of all.
TEAMS_NAMED = 100


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


def put(
    store: Store, key: Key, entity: Entity, entries: Sequence[Any], clock: Callable[[], datetime]
) -> Outcome:
    """Store what the entries change, at the time that `clock` tells when it is their turn.

    Raises Unavailable; a retry is then harmless.
    """
    action, details = _audited(entity, entries)
    with audit.recorded(store, key, action, clock, **details) as told, turn():
        draft, outcome = _drafted(store, key, entity, entries)
        with store.client() as client:
            insert_rows(client, table_of(entity), draft.rows(clock()))
        told.update(accepted=outcome.accepted, rejected=len(outcome.rejected))
    return outcome


def _audited(entity: Entity, entries: Sequence[Any]) -> tuple[str, dict[str, Any]]:
    """What is put, for the audit log; for which teams names are shown or hidden is told by id."""
    named = [each for each in entries if isinstance(each, dict) and "personal_data" in each]
    if entity.name != TEAMS or not named:
        return "put_directory", {"entity": entity.name}
    switched = {
        f"{'on' if state else 'off'}_for": sorted(
            each["team_id"]
            for each in named
            if each["personal_data"] is state and isinstance(each.get("team_id"), str)
        )[:TEAMS_NAMED]
        for state in (True, False)
    }
    return "set_personal_data", {"entity": entity.name, **switched}


def judge(store: Store, key: Key, entity: Entity, entries: Sequence[Any]) -> Outcome:
    """What `put` would answer now; nothing is stored. Raises Unavailable."""
    return _drafted(store, key, entity, entries)[1]


def _drafted(
    store: Store, key: Key, entity: Entity, entries: Sequence[Any]
) -> tuple[Draft, Outcome]:
    rejected: list[Reject] = []
    given = list(_identified(entity, entries, rejected))
    draft = Draft(entity, key, stored(store, key, entity, [each.place for each in given]))
    for each in given:
        try:
            draft.take(each.place, each.fields)
        except Rejected as why:
            rejected.append(_reject(each.index, why))
    rejected.sort(key=lambda reject: reject.index)
    return draft, Outcome(len(entries) - len(rejected), rejected)


def _identified(entity: Entity, entries: Sequence[Any], rejected: list[Reject]) -> Iterator[_Given]:
    """The entries of which it is known what they are; the others are rejected."""
    for index, fields in enumerate(entries):
        try:
            yield _Given(index, place_of(entity, fields), fields)
        except Rejected as why:
            rejected.append(_reject(index, why))


def place_of(entity: Entity, fields: Any) -> Place:
    """What identifies the entry that was sent, as its row holds it; raises Rejected."""
    if isinstance(fields, Malformed):
        raise Rejected(Reason.MALFORMED_JSON, "This is not JSON in UTF-8.")
    columns = columns_of(identity_of(entity, fields))
    return tuple(columns[name] for name in entity.ids)


def _reject(index: int, why: Rejected) -> Reject:
    return Reject(index, why.reason, why.field, why.detail)
