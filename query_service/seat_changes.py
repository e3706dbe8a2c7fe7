"""Seats assigned, unassigned, moved and turned back: decided, recorded, stored, read back.

How concurrent requests end in one change: deploy/decisions, "Seats change once".
Next: query_service.seat_feed
"""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from query_service import audit
from query_service.directory_stored import ASSIGNMENTS, stored
from query_service.problems import Problem, refused
from query_service.seat_bodies import (
    UNDO,
    ChangeSeats,
    body_errors,
    check_teams,
    item_errors,
    named_seats,
)
from query_service.seat_filter import chosen_seats, filter_query
from query_service.seat_requests import Plan, Recorded, find, hash_of, keep
from query_service.seat_state import AHEAD, VERDICTS, History, Item, confirmed, decide, undo
from query_service.store import Row, Store
from query_service.turns import turn
from query_service.view import View
from schemas.directory import ENTITIES
from sinks.directory import insert_rows
from sinks.keys import Key

Clock = Callable[[], datetime]


def change(view: View, clock: Clock, kind: str, body: ChangeSeats) -> dict[str, Any]:
    """Do what the body asks for, once. Raises Problem; after Unavailable a retry is harmless."""
    check_teams(view.key, [item.team_id for item in body.items or []])
    errors = [*body_errors(kind, body), *item_errors(kind, view, body.items or [])]
    if errors:
        raise refused(errors)
    if body.dry_run:
        items = _asked(view, kind, body)
        now = _now(clock)
        return _answer(view, kind, None, decide(kind, _history(view, kind, items, now), items))
    with audit.recorded(view.store, view.key, kind, clock) as told:
        answer = _changed(view, clock, kind, body)
        told.update(change=answer["request_id"], **answer["counts"])
        return answer


def _changed(view: View, clock: Clock, kind: str, body: ChangeSeats) -> dict[str, Any]:
    request_id, print_ = body.request_id or "", hash_of(kind, body)
    # Rows are chosen outside the turn: it may take seconds.
    is_known = find(view.store, view.key, request_id) is not None
    items = [] if is_known else _asked(view, kind, body)
    with turn():
        recorded = find(view.store, view.key, request_id)
        if recorded is None:
            now = _now(clock)
            decided = decide(kind, _history(view, kind, items, now), items)
            plan = Plan(items=decided, teams=list(view.teams))
            new = Recorded(request_id, kind, print_, plan)
            recorded = keep(view.store, view.key, new, now)
        return _answered(view, clock, recorded, print_)


def undo_request(view: View, clock: Clock, request_id: str) -> dict[str, Any]:
    """Turn back what the request changed and nobody has changed since."""
    with audit.recorded(view.store, view.key, "undo", clock) as told:
        answer = _undone(view, clock, request_id)
        told.update(change=answer["request_id"], **answer["counts"])
        return answer


def _undone(view: View, clock: Clock, request_id: str) -> dict[str, Any]:
    with turn():
        recorded = find_request(view.store, view.key, request_id)
        undo_id, print_ = f"{UNDO}{request_id}", f"{UNDO}{recorded.body_hash}"
        done = find(view.store, view.key, undo_id)
        if done is None:
            items = _finished(view, clock, recorded).plan.items
            now = _now(clock)
            undone = undo(_history(view, "undo", items, now), items, request_id)
            plan = Plan(items=undone, teams=list(view.teams))
            done = keep(view.store, view.key, Recorded(undo_id, "undo", print_, plan), now)
        return _answered(view, clock, done, print_)


def request_answer(view: View, request_id: str) -> dict[str, Any]:
    """What became of a request, and its `kind`; changes nothing. Raises Problem if there is none.

    Unless `is_final` it is what was decided, of which nothing or a part may have been done.
    """
    found = find_request(view.store, view.key, request_id)
    answer = _answer(view, found.kind, request_id, found.plan.items)
    return {"kind": found.kind, "is_final": found.plan.is_final, **answer}


def finish_request(view: View, clock: Clock, request_id: str) -> None:
    """Do what is left of a request, as sending it again would. Raises Problem if there is none."""
    with audit.recorded(view.store, view.key, "finish", clock) as told, turn():
        found = find_request(view.store, view.key, request_id)
        _finished(view, clock, found)
        told["change"] = request_id


def find_request(store: Store, key: Key, request_id: str) -> Recorded:
    """What is recorded under the id; raises Problem unless there is and the key may change it."""
    recorded = find(store, key, request_id)
    if recorded is None:
        raise Problem(404, "unknown_request", "There is no request of this id.")
    check_teams(key, [item.team_id for item in recorded.plan.items])
    return recorded


def _asked(view: View, kind: str, body: ChangeSeats) -> list[Item]:
    if body.items is not None:
        return named_seats(kind, view, body.items)
    query = filter_query(body, view)
    return chosen_seats(kind, view, query, expected_users=body.expected_users or 0)


def _now(clock: Clock) -> datetime:
    now = clock().astimezone(UTC)
    return now.replace(microsecond=now.microsecond // 1000 * 1000)


def _history(view: View, kind: str, items: Iterable[Item], now: datetime) -> History:
    return History(_stored(view, kind, items), now)


def _stored(view: View, kind: str, items: Iterable[Item]) -> list[Row]:
    """Every change of the items' seats; a move is about those of flex too."""
    more = {"flex"} if kind == "move-to-flex" else set()
    seats = {
        item.seat._replace(access=access)
        for item in items
        if item.user_id is not None
        for access in {item.access, *(each.access for each in item.changes), *more}
    }
    return stored(view.store, view.key, ENTITIES[ASSIGNMENTS], seats)


def _answered(view: View, clock: Clock, recorded: Recorded, body_hash: str) -> dict[str, Any]:
    """The answer to a request whose plan is recorded, the first time and every other."""
    if recorded.body_hash != body_hash:
        raise Problem(409, "request_id_reused", "Something else was asked under this request_id.")
    check_teams(view.key, [item.team_id for item in recorded.plan.items])
    done = _finished(view, clock, recorded)
    return _answer(view, done.kind, done.request_id, done.plan.items)


def _finished(view: View, clock: Clock, recorded: Recorded) -> Recorded:
    """The plan carried out: what a crash left undone is done now."""
    items = recorded.plan.items
    if recorded.plan.is_final:
        return recorded
    changing = [item for item in items if item.changes]
    if changing:
        rows = _rows(view, clock, recorded, _stored(view, recorded.kind, changing))
        with view.store.client() as client:
            insert_rows(client, "seat_changes", rows)
        last = max(change.at for item in changing for change in item.changes)
        history = History(_stored(view, recorded.kind, changing), last + AHEAD)
        items = [confirmed(recorded.kind, history, item, recorded.request_id) for item in items]
    plan = recorded.plan.model_copy(update={"items": items, "is_final": True})
    final = replace(recorded, plan=plan)
    return keep(view.store, view.key, final, clock())


def _rows(view: View, clock: Clock, recorded: Recorded, there: list[Row]) -> list[dict[str, Any]]:
    """The plan's changes that are not stored yet, with the version of the moment.

    Not of the plan's: the feed would already be past it.
    """
    known = {
        (row["user_id"], row["product_id"], row["team_id"], row["access"], row["at"])
        for row in there
        if row["request_id"] == recorded.request_id
    }
    latest = max((row["version"] for row in there), default=0)
    by = {
        "tenant": view.key.tenant,
        "assignment": "direct",
        "group": "",
        "request_id": recorded.request_id,
        # Who asked, whoever finishes it.
        "actor": recorded.actor,
        "deleted": False,
        "version": max(int(clock().timestamp() * 1_000_000), latest + 1),
    }
    return [
        {**item.seat_of(change)._asdict(), "at": change.at, "assigned": change.assigned, **by}
        for item in recorded.plan.items
        for change in item.changes
        if (*item.seat_of(change), change.at) not in known
    ]


def _answer(view: View, kind: str, request_id: str | None, items: list[Item]) -> dict[str, Any]:
    changed = [item for item in items if item.changes]
    verdicts = Counter(item.verdict for item in items)
    return {
        "request_id": request_id,
        "dry_run": request_id is None,
        "counts": {
            "users": len({item.user_id for item in changed}),
            "seats": len({item.seat for item in changed}),
            **{verdict: verdicts[verdict] for verdict in VERDICTS[kind]},
        },
        "items": [_described(view, kind, item) for item in items],
    }


def _described(view: View, kind: str, item: Item) -> dict[str, Any]:
    user = {"user_id": None, "hashed_user_id": item.hashed_user_id}
    flex = {"flex": item.flex} if kind == "move-to-flex" else {}
    return {
        **(user if item.user_id is None else view.name(item.user_id)),
        **item.model_dump(include={"product_id", "team_id", "access", "verdict"}),
        **item.model_dump(include={"assignment", "group"}),
        **flex,
    }
