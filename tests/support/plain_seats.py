"""Seats from their changes: which paths were open when, and the path that a row shows.

Next: tests.support.plain_rows
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from tests.support.plain_tenant import Change

# team, user, product, access
SeatKey = tuple[str, str, str, str]
_RANKS = {"direct": 0, "group": 1, "default": 2}


@dataclass(frozen=True)
class Run:
    """A path was open from `start` to `end`, which it is no longer; None: it still is."""

    assignment: str
    group: str
    start: datetime
    end: datetime | None

    @property
    def rank(self) -> tuple[int, str]:
        """Direct before group before default; groups by name."""
        return (_RANKS[self.assignment], self.group)


@dataclass(frozen=True)
class Seat:
    """All the runs of a seat's paths up to as_of, the newest of each path among `latest`."""

    runs: list[Run]
    latest: list[Run]

    @property
    def assigned(self) -> bool:
        """Whether a path is open."""
        return any(run.end is None for run in self.latest)

    @property
    def shown(self) -> Run:
        """The open path, else the one that was closed last."""
        open_ = [run for run in self.latest if run.end is None]
        if open_:
            return min(open_, key=lambda run: run.rank)
        closed = max(run.end for run in self.latest)
        return min((run for run in self.latest if run.end == closed), key=lambda run: run.rank)

    def assigned_in(self, first: date, last: date) -> bool:
        """Whether it was assigned at some moment of these days."""
        begins = datetime.combine(first, time(), UTC)
        ends = datetime.combine(last, time(), UTC) + timedelta(days=1)
        return any(
            max(run.start, begins) < min(run.end if run.end is not None else ends, ends)
            for run in self.runs
        )


def seats_at(changes: Iterable[Change], as_of: datetime) -> dict[SeatKey, Seat]:
    """The seats that were ever assigned, as the changes up to `as_of` leave them."""
    paths: dict[SeatKey, dict[tuple[str, str], list[Change]]] = defaultdict(
        lambda: defaultdict(list)
    )
    for change in changes:
        if not change.deleted and change.at <= as_of:
            seat = (change.team_id, change.user_id, change.product_id, change.access)
            paths[seat][change.assignment, change.group].append(change)
    runs = {seat: [_runs(history) for history in of.values()] for seat, of in paths.items()}
    return {
        seat: Seat(
            runs=[run for path in of for run in path], latest=[path[-1] for path in of if path]
        )
        for seat, of in runs.items()
        if any(of)
    }


def _runs(history: list[Change]) -> list[Run]:
    """The times that one path was open; a change that changes nothing is passed over."""
    runs: list[Run] = []
    for change in sorted(history, key=lambda change: change.at):
        is_open = bool(runs) and runs[-1].end is None
        if change.assigned and not is_open:
            runs.append(Run(change.assignment, change.group, change.at, None))
        if not change.assigned and is_open:
            runs[-1] = Run(change.assignment, change.group, runs[-1].start, change.at)
    return runs
