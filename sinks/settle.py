"""Settled months: what the days of a month add up to, kept as long as no day of it changes.

Whether a month's rows may be read is decided anew before each reading, from what `usage_daily`
consists of at that moment (`parts_of_months.sql`); nothing that writes days knows of it.

1. The rows of an attempt are read after its `parts` were looked at, and parts that went do not come
   back. So while the month consists of these parts, the attempt's rows are made from them alone.
   A late event, a rebuild, an erasure, a merge: other parts, and the month is read by the day.
2. An attempt counts only with its mark, which is written if its rows add up to what the days do.
   Killed before that, it never counts; two settlers at once make two attempts, and each is right:
   the older one is read. A statement that was sent twice makes rows twice, until they are merged
   no mark is written, and FINAL reads them once anyway.
3. Rows that are lost later, as after a power cut, are missed: the mark knows how many there are.
4. What does not count is dropped when it has not counted for two hours. No mark is written for it
   by then: only in the first hour. Nor does a reader that looked at it before begin to read: its
   question refuses ten minutes after the look (`throwIf`).

Next: query_service.settler
"""

import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import date
from string import Template
from typing import Any

import structlog
from clickhouse_connect.driver.client import Client

from sinks.clickhouse import query, statement

log = structlog.get_logger()

# In Unix time, and what ClickHouse's clock can tell.
NEVER = (1 << 32) - 1
# From the look at the months to the beginning of the question that reads them.
USABLE_SECONDS = 600
# From the look at a month to the mark of the attempt.
MARK_SECONDS = 3600
# Far more than either.
IDLE_SECONDS = 7200.0
# Beside reports, not before them.
SETTINGS = {"max_threads": 1, "do_not_merge_across_partitions_select_final": 1}
_SLOTS = ("parts_of_months", "month_added_up")


@dataclass(frozen=True)
class Settled:
    """The attempt that holds each settled month (202602); none after `usable_until` (Unix time)."""

    attempts: Mapping[int, int]
    usable_until: int = NEVER


def settled_months(client: Client) -> Settled:
    """What may be read from monthly rows by a question that is asked now."""
    rows = query(
        client, _sql("settled_months"), parameters={"usable_seconds": USABLE_SECONDS}
    ).result_rows
    if not rows:
        return Settled({})
    return Settled({month: attempt for month, attempt, _ in rows}, rows[0][2])


@dataclass(frozen=True)
class Due:
    """A month to settle (202602), what it consisted of, and until when (Unix time) it may count."""

    month: int
    parts: str
    mark_until: int


@dataclass
class Settler:
    """Settles months, one round at a time, and drops what has not counted for `idle_seconds`.

    `quiet_seconds`: how long nobody has written to a month that is settled. `clock` is monotonic.
    """

    quiet_seconds: float
    idle_seconds: float = IDLE_SECONDS
    clock: Callable[[], float] = time.monotonic
    _idle: dict[int, float] = field(default_factory=dict)
    _tried: dict[tuple[int, str], float] = field(default_factory=dict)

    def round(self, client: Client, today: date) -> list[int]:
        """Settle the months before today's that can be; return them. Raises ClickHouse's errors."""
        self._drop(client)
        made = []
        while due := self._due(client, today):
            self._tried[due.month, due.parts] = self.clock()
            if settle(client, due):
                made.append(due.month)
        return made

    def _due(self, client: Client, today: date) -> Due | None:
        """The next one. What was tried in vain waits, or it would be tried for ever."""
        found = due_months(client, today, quiet_seconds=self.quiet_seconds)
        self._tried = {each: at for each, at in self._tried.items() if not self._is_over(at)}
        return next((due for due in found if (due.month, due.parts) not in self._tried), None)

    def _drop(self, client: Client) -> None:
        """Drop the attempts that have not counted, each time that was looked, for long enough."""
        found = {attempt for (attempt,) in query(client, _sql("settle_attempts")).result_rows}
        idle = found - set(settled_months(client).attempts.values())
        self._idle = {attempt: self._idle.get(attempt, self.clock()) for attempt in idle}
        for attempt, since in self._idle.items():
            if self._is_over(since):
                _command(client, "settle_drop", attempt=attempt)

    def _is_over(self, since: float) -> bool:
        return self.clock() - since >= self.idle_seconds


def due_months(client: Client, today: date, *, quiet_seconds: float) -> list[Due]:
    """The months before today's that are quiet and not settled, the newest first."""
    parameters = {
        "this_month": today.year * 100 + today.month,
        "quiet_seconds": round(quiet_seconds),
        "settled": sorted(settled_months(client).attempts),
        "mark_seconds": MARK_SECONDS,
    }
    return [
        Due(*row) for row in query(client, _sql("settle_due"), parameters=parameters).result_rows
    ]


def settle(client: Client, due: Due) -> bool:
    """Make one attempt for a month; return whether the month is settled then."""
    attempt = secrets.randbits(63)
    _command(client, "settle_rows", attempt=attempt, month=due.month)
    _command(client, "settle_merge", attempt=attempt)
    _command(client, "settle_mark", attempt=attempt, **asdict(due))
    settled = due.month in settled_months(client).attempts
    log.info("month_settled" if settled else "month_not_settled", month=due.month)
    return settled


def _command(client: Client, name: str, **parameters: Any) -> None:
    client.command(_sql(name), parameters=parameters)


def _sql(name: str) -> str:
    slots = {slot: statement("sinks.sql", slot) for slot in _SLOTS}
    return Template(statement("sinks.sql", name)).substitute(slots)
