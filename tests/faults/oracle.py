"""Knows what must be in the rows: a ledger on disk of what was sent and what was answered.

Event i of a row (0 to 33) carries 2^i * 0.0001 tokens, so a row's total names its events: a lost
one is a missing bit, a doubled one an excess. The ledger is written before an event is sent.
"""

import json
import os
import threading
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from decimal import Decimal
from itertools import combinations
from pathlib import Path

EVENTS_PER_ROW = 34
# (row number, event of the row)
Event = tuple[int, int]

ACKED, REJECTED = "acked", "rejected"


def tokens_of(event: Event) -> str:
    """The event's tokens, as a decimal string."""
    return str(Decimal(1 << event[1]).scaleb(-4))


class Ledger:
    """Every attempt before it is sent and every answer after it, fsynced, for many threads."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("a", encoding="utf-8")
        self._lock = threading.Lock()
        self._batches = 0

    def attempted(self, events: Iterable[Event]) -> int:
        """Note that these events are about to be sent; the batch's number."""
        with self._lock:
            self._batches += 1
            self._write({"batch": self._batches, "attempted": list(events)})
            return self._batches

    def answered(self, batch: int, *, rejected: Iterable[Event]) -> None:
        """Note the answer to a batch: all of it is acked, but for what was rejected."""
        with self._lock:
            self._write({"batch": batch, "rejected": list(rejected)})

    def _write(self, entry: dict) -> None:
        self._file.write(json.dumps(entry) + "\n")
        self._file.flush()
        os.fsync(self._file.fileno())

    def close(self) -> None:
        """Close the file."""
        self._file.close()


@dataclass
class Expected:
    """Bits of one row: of events that were acked, and of those whose fate is unknown."""

    acked: int = 0
    unknown: int = 0


def read_ledger(path: Path) -> dict[int, Expected]:
    """What each row may and must hold. A rejected event may not be there at all."""
    attempted: dict[int, list[Event]] = {}
    answers: dict[int, set[Event]] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        entry = json.loads(line)
        if "attempted" in entry:
            attempted[entry["batch"]] = [tuple(event) for event in entry["attempted"]]
        else:
            answers[entry["batch"]] = {tuple(event) for event in entry["rejected"]}
    rows: dict[int, Expected] = {}
    for batch, events in attempted.items():
        rejected = answers.get(batch, set())
        for number, bit in events:
            row = rows.setdefault(number, Expected())
            row.unknown |= (batch not in answers) << bit
            row.acked |= (batch in answers and (number, bit) not in rejected) << bit
    for row in rows.values():
        row.unknown &= ~row.acked
    return rows


@dataclass
class Verdict:
    """What a check found; `lost` and `doubled` count events, `tangled` rows that defy naming."""

    rows: int = 0
    acked: int = 0
    unknown: int = 0
    lost: int = 0
    doubled: int = 0
    tangled: int = 0
    strangers: int = 0
    examples: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether nothing was lost and nothing counted twice."""
        return not (self.lost or self.doubled or self.tangled or self.strangers)

    def as_json(self) -> dict:
        """For machines."""
        return {**asdict(self), "passed": self.passed}


def check(expected: Mapping[int, Expected], units: Mapping[int, int]) -> Verdict:
    """Compare rows with the ledger. `units` are a row's tokens in ten-thousandths."""
    verdict = Verdict(
        rows=len(expected),
        acked=sum(row.acked.bit_count() for row in expected.values()),
        unknown=sum(row.unknown.bit_count() for row in expected.values()),
        strangers=len(units.keys() - expected.keys()),
    )
    examples = []
    for number, row in expected.items():
        lost, doubled = explain(row, units.get(number, 0))
        verdict.lost += lost
        verdict.doubled += doubled
        verdict.tangled += lost == doubled == -1
        if lost or doubled:
            examples.append(f"row {number}: {row} holds {units.get(number, 0)}")
    verdict.lost += verdict.tangled
    verdict.doubled += verdict.tangled
    verdict.examples = tuple(examples[:5])
    return verdict


def explain(row: Expected, total: int) -> tuple[int, int]:
    """The fewest (lost, doubled) events that explain a row's total; (-1, -1) when too many.

    A right total is the acked events and any of the unknown ones.
    """
    excess = total - row.acked
    if _is_part(excess, row.unknown):
        return 0, 0
    if row.unknown == 0:
        # Without unknown events all lost or all doubled ones can be read from the difference.
        return (0, excess.bit_count()) if excess > 0 else ((-excess).bit_count(), 0)
    bits = [1 << bit for bit in range(EVENTS_PER_ROW) if (row.acked | row.unknown) >> bit & 1]
    for count in (1, 2, 3):
        for some in combinations(bits, count):
            change = sum(some)
            if change & ~row.acked == 0 and _is_part(excess + change, row.unknown):
                return count, 0
            if _is_part(excess - change, row.unknown):
                return 0, count
    return -1, -1


def _is_part(number: int, bits: int) -> bool:
    return number >= 0 and number & ~bits == 0
