"""The columnar fold gives what the plain one gives, on whatever history."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aggregators import load, state
from tests.model.log import SimulatedLog
from tests.model.world import stored_books, stored_rows, stored_stamps
from tests.support.histories import (
    BAD_LINES,
    PARTITIONS,
    delivered,
    event_line,
    line,
    partition_of,
    record,
)
from tests.support.plain_fold import PlainFold
from tests.support.straight_worker import StraightWorker

_users = {p: [u for u in range(12) if partition_of(u) == p] for p in range(PARTITIONS)}
_bad = st.sampled_from(BAD_LINES)


@st.composite
def _records(draw):
    """A partition and the lines of a record: many user-days, ids twice, late and out of order."""
    partition = draw(st.integers(0, PARTITIONS - 1))
    event = st.builds(
        event_line,
        st.sampled_from(_users[partition]),
        st.integers(0, 5),
        st.integers(0, 5),
        st.integers(0, 1439),
    )
    lines = draw(st.lists(st.one_of(event, event, event, _bad), min_size=1, max_size=8))
    return partition, lines, draw(st.integers(0, 9)) == 0


# How the worker goes on: records of a batch, calls until it is killed (None: to the end; a first
# batch's inserts are calls 10 to 15), and whether it starts anew before.
_batches = st.lists(
    st.tuples(
        st.integers(1, 4),
        st.one_of(st.none(), st.integers(10, 15), st.integers(0, 19)),
        st.booleans(),
    ),
    max_size=12,
)


@pytest.mark.parametrize("most_identities", [1, 50_000])
@settings(
    max_examples=60,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    history=st.lists(_records(), min_size=1, max_size=8),
    batches=_batches,
    budget=st.sampled_from([1, 3_000, 1 << 30]),
)
def test_same_as_the_plain_fold(monkeypatch, history, batches, budget, most_identities):
    """Batches of any size, kills in mid-batch, replays, evictions, days with too many ids."""
    for module in (load, state):
        monkeypatch.setattr(module, "MAX_IDENTITIES_HELD", most_identities)
    log, plain = SimulatedLog(PARTITIONS), PlainFold()
    for partition, lines, poison in history:
        log.append(partition, lines, poison=poison)
        plain.fold(record(log.records[partition][-1]))
    worker = StraightWorker(log, state_max_bytes=budget)

    for size, calls, again in [*batches, *[(3, None, False)] * 8]:
        if again or not worker.worker.alive:
            worker.restart()
        _deliver(worker, size, calls)
    worker.close()

    assert stored_rows(worker.store) == {
        key: tuple(row.values()) for key, row in plain.rows.items()
    }
    assert stored_stamps(worker.store) == plain.stamps
    assert stored_books(worker.store) == plain.ledger
    assert log.dead_letters == plain.dead


def _deliver(worker, size, calls):
    taken = []
    for partition, position in worker.worker.positions.items():
        taken += worker.log.read(partition, position, size, worker.log.generation)
        worker.worker.positions[partition] = min(
            position + size, len(worker.log.records[partition])
        )
    worker.process(taken, calls=1000 if calls is None else calls)


@settings(max_examples=100, deadline=None, database=None)
@given(history=st.lists(_records(), min_size=1, max_size=6), cut=st.integers(0, 6))
def test_the_plain_fold_goes_on_from_what_is_stored(history, cut):
    """The specification is restartable: a replay of a prefix changes nothing."""
    records = []
    offsets = dict.fromkeys(range(PARTITIONS), 0)
    for partition, lines, _ in history:
        records.append(record(delivered(offsets[partition], lines, partition=partition)))
        offsets[partition] += 1
    whole, first = PlainFold(), PlainFold()
    for each in records:
        whole.fold(each)
    for each in records[:cut]:
        first.fold(each)
    again = PlainFold(first.rows, first.stamps, first.ledger)
    for each in records:
        again.fold(each)
    assert (again.rows, again.stamps, again.ledger) == (whole.rows, whole.stamps, whole.ledger)


def test_an_id_twice_in_a_record_counts_once():
    """The first line of the two counts, with its tokens, its time and its row."""
    log = SimulatedLog(PARTITIONS)
    log.append(0, [line(id="1", product_id="first"), line(id="1", product_id="second")])
    worker = StraightWorker(log)
    _deliver(worker, 1, None)
    worker.close()
    assert [key[3] for key in stored_rows(worker.store)] == ["first"]
    assert list(stored_stamps(worker.store).values()) == [(1 << 48, 0)]


@pytest.mark.parametrize("most_identities", [1, 50_000])
@settings(
    max_examples=40,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    history=st.tuples(*[st.lists(_records(), max_size=5)] * 2),
    gone=st.lists(st.integers(0, 11), min_size=1, max_size=3, unique=True),
    batches=_batches,
)
def test_erased_users_stay_erased(monkeypatch, history, gone, batches, most_identities):
    """Users erased in mid-history, then a replay of all of it: as the plain fold with its guards.

    What they did before stays under pseudonyms as it was; what they do later is a new user's.
    """
    for module in (load, state):
        monkeypatch.setattr(module, "MAX_IDENTITIES_HELD", most_identities)
    log, plain = SimulatedLog(PARTITIONS), PlainFold()
    worker = StraightWorker(log, state_max_bytes=3_000)
    _append(log, history[0])
    for _ in range(8):
        _deliver(worker, 3, None)
    _fold_all(plain, log)
    ends = [record(records[-1]) for records in log.records if records]
    for user in gone:
        _erase(worker.store, plain, user, ends)

    _append(log, history[1])
    _fold_all(plain, log)
    log.committed.clear()
    worker.restart()
    for size, calls, again in [*batches, *[(3, None, False)] * 8]:
        if again or not worker.worker.alive:
            worker.restart()
        _deliver(worker, size, calls)
    worker.close()

    rows = {key: tuple(row.values()) for key, row in plain.rows.items()}
    assert stored_rows(worker.store) == rows
    assert stored_stamps(worker.store) == plain.stamps
    assert stored_books(worker.store) == plain.ledger


def _append(log, history):
    for partition, lines, poison in history:
        log.append(partition, lines, poison=poison)


def _fold_all(plain, log):
    """From the first record on."""
    for records in log.records:
        for each in records:
            plain.fold(record(each))


def _erase(store, plain, user, ends):
    """What is known of the user goes under a pseudonym; a guard at the ends of the log."""
    tenant, user_id, pseudonym = f"tenant-{user % 2}", f"user-{user // 2}", f"erased-{user}"
    store.erase(tenant, user_id, pseudonym)
    for held in (plain.rows, plain.stamps):
        for key in [key for key in held if key[:2] == (tenant, user_id)]:
            held[(tenant, pseudonym, *key[2:])] = held.pop(key)
    for last in ends:
        plain.erased[tenant, user_id, last.partition] = last.position


def test_an_erased_user_is_passed_over_up_to_the_guard():
    """The same event delivered again counts for nobody; sent again, above the guard, it is new."""
    log = SimulatedLog(PARTITIONS)
    partition, again = partition_of(0), event_line(0, 1, 1, 1)
    log.append(partition, [again])
    worker = StraightWorker(log)
    _deliver(worker, 1, None)
    _erase(worker.store, PlainFold(), 0, [])
    log.committed.clear()
    log.append(partition, [again])
    worker.restart()
    _deliver(worker, 1, None)
    assert [key[1] for key in stored_rows(worker.store)] == ["erased-0"]
    _deliver(worker, 1, None)
    worker.close()
    assert sorted(key[1] for key in stored_stamps(worker.store)) == ["erased-0", "user-0"]
