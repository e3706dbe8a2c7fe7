"""After a run, when all is quiet: what was lost, doubled, or disagrees with itself.

Next: tests.faults.report
"""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from kafka import KafkaAdminClient

from aggregators.epochs import Epochs
from deploy.log_offsets import LogOffsets, admin, read_offsets
from schemas.kafka_address import KafkaAddress
from schemas.rejects import Unavailable
from schemas.topics import EVENTS
from sinks.clickhouse import connect
from sinks.loads import Loads
from sinks.verify import verify
from tests.faults.load import place_of
from tests.faults.oracle import Event, Expected, Verdict, check, read_ledger
from tests.faults.readings import read_rows
from tests.faults.recount import recount

QUIET_SECONDS = 180.0
_LOOK_SECONDS = 0.2


@dataclass
class Found:
    """What the checks found; -1: not looked at."""

    oracle: Verdict = field(default_factory=Verdict)
    verify_differences: int = -1
    ledger_difference: int = -1
    recount_differences: int = -1


class Broker:
    """Ends and commits of the log as the broker says, whatever becomes of the connection."""

    def __init__(self, bootstrap: str) -> None:
        self.bootstrap = bootstrap

    @contextmanager
    def client(self) -> Iterator[KafkaAdminClient]:
        """An admin client; raises Unavailable."""
        with admin(KafkaAddress(self.bootstrap)) as client:
            yield client

    def offsets(self, *, patience_seconds: float = QUIET_SECONDS) -> LogOffsets:
        """Read them, waiting for a broker that is away."""
        deadline = time.monotonic() + patience_seconds
        while True:
            try:
                with self.client() as client:
                    return read_offsets(client)
            except Unavailable:
                if time.monotonic() > deadline:
                    raise
                time.sleep(_LOOK_SECONDS)


def seconds_until_committed(
    broker: Broker, *, within_seconds: float, look: Callable[[], None]
) -> float:
    """From now until what is on the log now is committed: the system moves again (T, H).

    `look` is called while waiting, and may raise. Raises TimeoutError when it is not within so
    long.
    """
    began = time.monotonic()
    ends = broker.offsets().ends
    while True:
        look()
        offsets = broker.offsets()
        if all(
            end == offsets.starts.get(p, 0) or offsets.committed.get(p, 0) >= end
            for p, end in ends.items()
        ):
            return time.monotonic() - began
        if time.monotonic() - began > within_seconds:
            behind = {p: (offsets.committed.get(p), end) for p, end in ends.items()}
            raise TimeoutError(f"not committed within {within_seconds} s: {behind}")
        time.sleep(_LOOK_SECONDS)


def until_quiet(dsn: str, broker: Broker, look: Callable[[], None] = lambda: None) -> float:
    """Wait until every record is folded, stored and committed; how long it took.

    `look` is called while waiting, and may raise.
    """
    began = time.monotonic()
    while not _is_quiet(dsn, broker):
        look()
        if time.monotonic() - began > QUIET_SECONDS:
            raise TimeoutError(f"still lagging: {broker.offsets()}")
        time.sleep(_LOOK_SECONDS)
    return time.monotonic() - began


def _is_quiet(dsn: str, broker: Broker) -> bool:
    try:
        offsets = broker.offsets()
        with closing(connect(dsn)) as client:
            loads = Loads(client)
            progress, epochs = loads.progress(), Epochs(str(offsets.topic_id), loads.epochs())
    except Unavailable:
        return False
    for partition, end in offsets.ends.items():
        if end == offsets.starts[partition] or not epochs.hashes_to(partition):
            continue
        known = progress.get(partition)
        folded = epochs.next_offset(partition, known.position if known else None)
        if folded != end or offsets.committed.get(partition) != end:
            return False
    return True


def examine(
    dsn: str,
    broker: Broker,
    tenant: str,
    ledger: Path,
    today: datetime,
    *,
    destroyed: Iterable[Event] = (),
    recounted: bool = True,
) -> Found:
    """Ask the oracle and the product's own checks. All must be quiet.

    `destroyed` events may be counted or not; they may not be counted twice.
    """
    expected = read_ledger(ledger)
    _forgive(expected, destroyed)
    places = {place_of(row, today): row for row in expected}
    with closing(connect(dsn, timeout_seconds=60)) as client:
        rows = read_rows(client, tenant, places)
        found = Found(
            oracle=check(expected, rows),
            verify_differences=verify(client, today=datetime.now(UTC).date()).differences,
            ledger_difference=_books(client),
        )
    if recounted:
        counted = recount(broker.bootstrap, EVENTS, tenant)
        by_number = {places.get(place, -1): units for place, units in counted.items()}
        found.recount_differences = sum(
            rows.get(number, 0) != by_number.get(number, 0) for number in rows | by_number
        )
    return found


def _forgive(expected: Mapping[int, Expected], destroyed: Iterable[Event]) -> None:
    """What is asked of an acked event that was destroyed is no more than of an unknown one."""
    for number, bit in destroyed:
        row = expected.get(number)
        if row is not None and row.acked >> bit & 1:
            row.acked &= ~(1 << bit)
            row.unknown |= 1 << bit


def _books(client) -> int:
    """What the product's own books are off by, over all partitions (see deploy.commands.books)."""
    sql = (Path(__file__).with_name("books.sql")).read_text(encoding="utf-8")
    return int(client.query(sql).result_rows[0][0])
