"""The books balance, and book nothing twice."""

from datetime import date

from aggregators import ledger
from aggregators.decode import decode
from aggregators.ledger import NO_TENANT, Entry
from aggregators.state import LedgerRow
from tests.model.log import SimulatedLog
from tests.support.histories import PARTITIONS, delivered, line, record
from tests.support.straight_worker import StraightWorker

DAY = date(2026, 3, 3)


def books(worker):
    """accepted, stored, duplicate, dead, counted by tenant."""
    names = ("accepted", "stored", "duplicate", "dead", "counted")
    rows = worker.store.tables["usage_ledger"].values()
    return {row["tenant"]: tuple(row[name] for name in names) for row in rows}


def test_what_came_in_is_what_became_of_it():
    """By tenant accepted = stored + duplicate; under no tenant the records' counts, and dead."""
    log = SimulatedLog(PARTITIONS)
    log.append(0, [line(id="1"), line(id="1"), line(tenant="other"), b"bad"])
    log.append(0, [line(id="2")], poison=True)
    worker = StraightWorker(log)
    worker.process(log.read(0, 0, 2, log.generation))
    assert books(worker) == {
        NO_TENANT: (0, 0, 0, 2, 5),
        "acme": (2, 1, 1, 0, 0),
        "other": (1, 1, 0, 0, 0),
    }
    worker.close()


def test_a_replay_books_nothing():
    """Neither in memory nor after a restart."""
    log = SimulatedLog(PARTITIONS)
    log.append(0, [line(id="1"), b"bad"])
    worker = StraightWorker(log)
    worker.process(log.read(0, 0, 1, log.generation))
    before = books(worker)
    log.committed.clear()
    worker.restart()
    worker.process(log.read(0, 0, 1, log.generation))
    assert books(worker) == before
    worker.close()


def test_the_guard_compares_positions():
    """A record at or below the row's position is booked already."""
    row = LedgerRow()
    ledger.add(row, 0, Entry(accepted=3, stored=2, counted=3))
    ledger.add(row, 0, Entry(accepted=3, stored=2, counted=3))
    ledger.add(row, 2, Entry(dead=1))
    ledger.add(row, 1, Entry(dead=1))
    assert (row.accepted, row.stored, row.duplicate, row.dead, row.counted) == (3, 2, 1, 1, 3)
    assert row.position == 2


def test_keys_are_all_that_a_batch_will_change():
    """What is loaded beforehand is what is booked."""
    records = [record(delivered(0, [line(), line(tenant="other"), b"bad"]))]
    lines = decode(records)
    judged = lines.events.with_columns(first=True)
    booked = {key for key, _ in ledger.entries(lines, judged)}
    assert ledger.keys(lines) == booked
    assert booked == {(NO_TENANT, DAY, 0), ("acme", DAY, 0), ("other", DAY, 0)}
