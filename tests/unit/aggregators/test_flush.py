"""The order of a flush, and what it waits for."""

import asyncio

import pytest
from prometheus_client import CollectorRegistry

from aggregators import ledger, load
from aggregators.assignment import NEVER
from aggregators.broker import Leaders
from aggregators.decode import decode
from aggregators.epochs import Epochs
from aggregators.flush import Flush, progress_frame, steps
from aggregators.fold import fold
from aggregators.intake import Intake
from aggregators.lineage import Lineage
from aggregators.patience import Patience
from aggregators.session import Session
from aggregators.state import LedgerRow, State, UserDay
from schemas.metrics import WorkerMetrics
from schemas.rejects import PersonNeeded
from tests.support.histories import delivered, line, record

METRICS = WorkerMetrics(CollectorRegistry())


class Story:
    """Inserts, letters and commits that tell what came when."""

    def __init__(self, *, committed=True, broken=None):
        self.told, self._committed, self._broken = [], committed, broken

    def insert(self, table, _frame):
        """As sinks.inserts."""
        if table == self._broken:
            raise ZeroDivisionError
        self.told.append(table)

    def advance(self, frame, known):
        """As sinks.inserts; `broken` may be a store that went back."""
        self.insert("progress", frame)
        self.known = known
        return {0: 0} if self._broken == "set back" else {}

    async def send(self, dead):
        """As aggregators.dead_letters."""
        await asyncio.sleep(0)
        self.told.append(f"{len(dead)} dead")

    async def commit(self, offsets, *, generation, topic_id):
        """As aggregators.membership."""
        assert (generation, topic_id) == (1, "topic")
        self.told.append(dict(offsets))
        return self._committed

    def flush(self):
        """A flush that tells it."""
        patience = Patience(METRICS)
        return Flush(
            inserts=self, commits=self, dead_letters=self, patience=patience, metrics=METRICS
        )


@pytest.fixture
def batch():
    """The session and the changes of one batch of two records."""
    state = State(max_bytes=1 << 20)
    lineage = Lineage(Leaders("topic", {}), {})
    session = Session(Intake(1, {0: 6}), state, Epochs("topic", []), {}, lineage)
    lines = decode([record(delivered(4, [line(), b"bad"])), record(delivered(5, [line(id="2")]))])
    for key, partition in load.user_days_to_load(lines, state).items():
        state.admit(key, partition, UserDay())
    for key in ledger.keys(lines):
        state.ledger[key] = LedgerRow()
    return session, fold(lines, state)


async def test_each_step_in_its_order(batch):
    """Letters and events, rows and ledger, progress, and only then the offsets (rule 5)."""
    session, changes = batch
    story = Story()
    await story.flush().run(changes, session)
    assert story.told == [
        *("1 dead", "usage_events", "usage_daily", "usage_ledger", "progress"),
        {0: 6},
    ]


async def test_what_is_stored_is_clean_and_known(batch):
    """The state may evict it, and the watchdog knows how far the store is."""
    session, changes = batch
    await Story().flush().run(changes, session)
    assert session.durable[0].offset == 5
    session.state._max_bytes = 0
    session.state.evict()
    assert not session.state.user_days


async def test_a_refused_commit_is_no_failure(batch):
    """The generation is over; what is stored is stored."""
    session, changes = batch
    await Story(committed=False).flush().run(changes, session)
    assert session.durable[0].offset == 5


@pytest.mark.parametrize("table", ["usage_events", "usage_daily", "usage_ledger", "progress"])
async def test_nothing_is_committed_when_a_step_fails(batch, table):
    """Nor is anything clean, and no later step runs."""
    session, changes = batch
    story = Story(broken=table)
    with pytest.raises(ZeroDivisionError):
        await story.flush().run(changes, session)
    order = [*(name for name, _ in steps(changes)), "progress"]
    assert story.told == ["1 dead", *order[: order.index(table)]]
    session.state._max_bytes = 0
    session.state.evict()
    assert session.state.user_days
    assert session.durable == {}


async def test_progress_does_not_move_over_what_the_store_lost(batch):
    """It was set back while the flush waited: a person is needed, and nothing is committed."""
    session, changes = batch
    session.known[0] = 1 << 48 | 3
    story = Story(broken="set back")
    with pytest.raises(PersonNeeded) as stopped:
        await story.flush().run(changes, session)
    assert stopped.value.reason == "store_went_back"
    assert "folded up to offset 0 in the store, but the group's offset is 4" in str(stopped.value)
    assert story.known == {0: 1 << 48 | 3}
    assert story.told[-1] == "progress"
    assert session.durable == {}


def test_changes_are_frozen_at_the_batch_end(batch):
    """What is folded later does not show in them."""
    session, changes = batch
    before = changes.rows.rows()
    fold(decode([record(delivered(6, [line(id="3")]))]), session.state)
    assert changes.rows.rows() == before
    assert [row["launches"] for row in changes.rows.to_dicts()] == [2]


def test_progress_is_the_last_record_of_each_partition(batch):
    """Its position and append time; caught up was never claimed."""
    _, changes = batch
    row = progress_frame(changes.progress, caught_up_at=NEVER).row(0, named=True)
    assert (row["partition"], row["position"], row["caught_up_at"]) == (0, 1 << 48 | 5, NEVER)
