"""A seat's paths as they are, and what becomes of one item of a request to change seats: no I/O.

A path is (assignment, group), folded by (at, version); requests change the direct one alone.
Next: query_service.seat_changes
"""

from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from pydantic import BaseModel

from query_service.directory_seats import Change, changing

Path = tuple[str, str]

DIRECT: Path = ("direct", "")
# Clocks differ: a change of the directory so far ahead is one of the present.
AHEAD = timedelta(seconds=1)
_NEXT = timedelta(milliseconds=1)
_ORDER = ("direct", "group", "default")
# Above every stored version.
_UNSTORED = 1 << 64

VERDICTS = {
    "assign": ("assigned", "already_assigned"),
    "unassign": (
        *("unassigned", "still_assigned", "skipped_group", "skipped_default", "not_assigned"),
    ),
    "undo": ("undone", "changed_since"),
}
VERDICTS["move-to-flex"] = VERDICTS["unassign"]
# What an item was, if its change turns out to change nothing.
_LOST = {
    "assign": "already_assigned",
    "unassign": "not_assigned",
    "move-to-flex": "not_assigned",
    "undo": "changed_since",
}


class Seat(NamedTuple):
    """What a user is assigned to."""

    user_id: str
    product_id: str
    team_id: str
    access: str


class DirectChange(BaseModel):
    """A change of the direct path of an item's seat, or of the same under another access."""

    access: str
    at: datetime
    assigned: bool


class Item(BaseModel):
    """A seat that a request names, and what was decided.

    A hash is here only where it stands for nobody. `assignment` and `group` are the path that
    stays open; `flex` is the verdict of a move's other half.
    """

    user_id: str | None
    hashed_user_id: str | None = None
    product_id: str
    team_id: str
    access: str
    verdict: str = ""
    flex: str | None = None
    assignment: str | None = None
    group: str | None = None
    changes: list[DirectChange] = []

    @property
    def seat(self) -> Seat:
        """The seat that is named."""
        return Seat(self.user_id or "", self.product_id, self.team_id, self.access)

    def seat_of(self, change: DirectChange) -> Seat:
        """The seat that one of its changes is about."""
        return self.seat._replace(access=change.access)

    def decided(self, verdict: str, *changes: DirectChange, **more: Any) -> "Item":
        """The item with its verdict."""
        return self.model_copy(update={"verdict": verdict, "changes": list(changes), **more})


class History:
    """The changes of some seats up to `now`, and those that are being decided.

    Requests change the present, whatever the clock of their process: theirs are all in it.
    """

    def __init__(self, rows: Iterable[Change], now: datetime) -> None:
        self.now = now
        self._changes: dict[Seat, list[Change]] = defaultdict(list)
        for row in rows:
            is_present = row["request_id"] or row["at"] <= now + AHEAD
            if is_present and not row["deleted"]:
                self._changes[_seat(row)].append(row)

    def effective(self, seat: Seat) -> list[Change]:
        """The changes that change something, each path's in their order."""
        return changing((), self._changes[seat])

    def open_paths(self, seat: Seat) -> list[Path]:
        """The paths that are open: direct before group before default."""
        last = {_path(change): change["assigned"] for change in self.effective(seat)}
        found = [path for path, assigned in last.items() if assigned]
        return sorted(found, key=lambda path: (_ORDER.index(path[0]), path[1]))

    def is_open(self, seat: Seat) -> bool:
        """Whether the direct path is."""
        return DIRECT in self.open_paths(seat)

    def latest(self, seat: Seat) -> Change | None:
        """The direct path's last change."""
        direct = [change for change in self.effective(seat) if _path(change) == DIRECT]
        return direct[-1] if direct else None

    def moment(self, *seats: Seat) -> datetime:
        """When these may change: now, but after every change of their direct paths."""
        moment = self.now
        for change in (change for seat in seats for change in self._changes[seat]):
            if _path(change) == DIRECT:
                moment = max(moment, change["at"] + _NEXT)
        return moment

    def take(self, item: Item) -> None:
        """Let later items see what this one changes."""
        for change in item.changes:
            seat = item.seat_of(change)
            path = {"assignment": "direct", "group": "", "version": _UNSTORED, "request_id": None}
            self._changes[seat].append({**seat._asdict(), **path, **dict(change)})


def _seat(change: Change) -> Seat:
    return Seat(change["user_id"], change["product_id"], change["team_id"], change["access"])


def _path(change: Change) -> Path:
    return change["assignment"], change["group"]


def decide(kind: str, history: History, items: Iterable[Item]) -> list[Item]:
    """The items with what becomes of each, in their order; those with a verdict keep it."""
    done = []
    for item in items:
        decided = item if item.verdict else _DECISIONS[kind](history, item)
        history.take(decided)
        done.append(decided)
    return done


def _assign(history: History, item: Item) -> Item:
    if history.is_open(item.seat):
        return item.decided("already_assigned")
    return item.decided("assigned", _change(item.seat, history.moment(item.seat), assigned=True))


def _unassign(history: History, item: Item) -> Item:
    paths = history.open_paths(item.seat)
    others = [path for path in paths if path != DIRECT]
    left = {"assignment": others[0][0], "group": others[0][1] or None} if others else {}
    if paths == others:
        return item.decided(f"skipped_{others[0][0]}" if others else "not_assigned", **left)
    change = _change(item.seat, history.moment(item.seat), assigned=False)
    return item.decided("still_assigned" if others else "unassigned", change, **left)


def _move_to_flex(history: History, item: Item) -> Item:
    decided = _unassign(history, item)
    if not decided.changes:
        return decided
    flex = item.seat._replace(access="flex")
    if history.is_open(flex):
        return decided.model_copy(update={"flex": "already_assigned"})
    # One moment for both: of two such moves at once, one wins both halves.
    at = history.moment(item.seat, flex)
    changes = [_change(flex, at, assigned=True), _change(item.seat, at, assigned=False)]
    return decided.model_copy(update={"flex": "assigned", "changes": changes})


_DECISIONS: dict[str, Callable[[History, Item], Item]] = {
    "assign": _assign,
    "unassign": _unassign,
    "move-to-flex": _move_to_flex,
}


def undo(history: History, items: Iterable[Item], request_id: str) -> list[Item]:
    """The items that request changed, turned back where nothing has changed them since."""
    done = []
    for item in items:
        if item.changes:
            decided = _undo(history, item, request_id)
            history.take(decided)
            done.append(decided)
    return done


def _undo(history: History, item: Item, request_id: str) -> Item:
    for change in item.changes:
        latest = history.latest(item.seat_of(change))
        if not latest or latest["request_id"] != request_id:
            return item.decided("changed_since", **_UNSAID)
    at = history.moment(*map(item.seat_of, item.changes))
    back = [
        _change(item.seat_of(each), at, assigned=not each.assigned)
        for each in reversed(item.changes)
    ]
    return item.decided("undone", *back, **_UNSAID)


# What the request said of the item that its undoing does not.
_UNSAID = {"flex": None, "assignment": None, "group": None}


def _change(seat: Seat, at: datetime, *, assigned: bool) -> DirectChange:
    return DirectChange(access=seat.access, at=at, assigned=assigned)


def confirmed(kind: str, history: History, item: Item, request_id: str) -> Item:
    """The item after its changes were stored: without those that another one forestalled.

    The same request may have been planned by two processes at once, each with a moment of its own.
    """
    kept = [
        change
        for change in item.changes
        if any(row["request_id"] == request_id for row in history.effective(item.seat_of(change)))
    ]
    if kept == item.changes:
        return item
    update: dict[str, Any] = {"changes": kept}
    if item.access not in {change.access for change in kept}:
        update |= {"verdict": _LOST[kind], "assignment": None, "group": None}
    if item.flex == "assigned" and "flex" not in {change.access for change in kept}:
        update["flex"] = "already_assigned"
    return item.model_copy(update=update)
