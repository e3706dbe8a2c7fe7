"""The model as a state machine: hypothesis looks for a schedule that goes wrong, and shortens it.

Next: tests.model.world
"""

import asyncio
import random

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from tests.model.gates import ANSWER_LOST, AWAY, OPEN
from tests.model.world import WORKERS, Rules, World
from tests.support.histories import PARTITIONS

_worker = st.integers(0, WORKERS - 1)
_partition = st.integers(0, PARTITIONS - 1)


class ExactlyOnce(RuleBasedStateMachine):
    """Whatever happens: after healing, the store is what the plain fold makes of the whole log."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()

    @initialize(seed=st.integers(0, 99), budget=st.sampled_from([1, 4_000, 1 << 30]))
    def begin(self, seed, budget):
        """A log with a record or two, and one worker."""
        self.happen(self._begin, seed, budget)
        self.append(0, 3)
        self.append(1, 3)
        self.rebalance({0})

    def _begin(self, seed, budget):
        self.world = World(random.Random(seed), state_max_bytes=budget, rules=Rules())

    def happen(self, happening, *arguments):
        """Let it happen, and the workers come to their gates."""

        async def settled():
            happening(*arguments)
            await self.world.settle()

        self.runner.run(settled())

    @rule(partition=_partition, events=st.integers(1, 5))
    def append(self, partition, events):
        """The gateway writes a record."""
        self.happen(self.world.append, partition, events)

    @rule(worker=_worker, most=st.integers(1, 6))
    def work(self, worker, most):
        """A worker's consumer fetches, and its agent takes a list if it is idle."""
        self.happen(self.world.workers[worker].deliver, most)
        self.happen(self.world.workers[worker].take, most)

    @rule(worker=_worker)
    def watch(self, worker):
        """The watchdog asks for the session."""
        self.happen(self.world.workers[worker].watch)

    @rule(worker=_worker, calls=st.integers(1, 12))
    def go_on(self, worker, calls):
        """Some calls of a worker are answered."""
        for _ in range(calls):
            self.happen(self.world.open, worker, 0, OPEN)

    @rule(
        worker=_worker, gate=st.integers(0, 2), outcome=st.sampled_from([OPEN, AWAY, ANSWER_LOST])
    )
    def answer(self, worker, gate, outcome):
        """A call is answered, or finds nobody, or its answer is lost."""
        self.happen(self.world.open, worker, gate, outcome)

    @rule(members=st.sets(_worker, min_size=1))
    def rebalance(self, members):
        """A new generation; those left out do not know."""
        self.happen(self.world.rebalance, members)

    @rule(worker=_worker)
    def kill(self, worker):
        """Kill -9."""
        self.happen(self.world.kill, worker)

    @rule(worker=_worker)
    def restart(self, worker):
        """Kill -9, and back as the same member."""
        self.happen(self.world.restart, worker)

    @rule(worker=_worker)
    def seek_back(self, worker):
        """The consumer reads something twice."""
        self.happen(self.world.seek_back, worker)

    @precondition(lambda self: self.world.late)
    @rule(which=st.integers(0, 9))
    def write_late(self, which):
        """A dead worker's write reaches the store, wholly, partly or never."""
        self.happen(self.world.write_late, which)

    def teardown(self):
        """Heal, and compare."""
        try:
            if hasattr(self, "world"):
                self._heal()
        finally:
            self.runner.close()

    def _heal(self):
        drained = self.runner.run(self.world.heal())
        wrong = self.world.compare()
        for worker in range(WORKERS):
            self.happen(self.world.kill, worker)
        assert drained
        assert wrong == []


TestExactlyOnce = ExactlyOnce.TestCase
TestExactlyOnce.settings = settings(
    max_examples=200,
    stateful_step_count=50,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)
