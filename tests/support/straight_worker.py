"""The real pipeline over the simulated store, with no one in its way: batch in, tables out.

Next: tests.model.store
"""

import asyncio
import random
from collections.abc import Sequence
from typing import Any

from aggregators.records import Delivered
from tests.model.gates import OPEN, until_quiet
from tests.model.log import SimulatedLog
from tests.model.store import SimulatedStore
from tests.model.worker import ModelWorker
from tests.support.histories import PARTITIONS


class StraightWorker:
    """One worker that owns every partition; `restart` forgets all that is not stored."""

    def __init__(self, log: SimulatedLog, *, state_max_bytes: int = 1 << 30) -> None:
        self.log = log
        self.store = SimulatedStore(random.Random(0), PARTITIONS)
        self._state_max_bytes = state_max_bytes
        self._runner = asyncio.Runner()
        self.restart()

    def restart(self) -> None:
        """A new process in a new generation, from the committed offsets."""
        self.log.generation += 1
        self.worker = ModelWorker(
            self.log, self.store, random.Random(0), state_max_bytes=self._state_max_bytes
        )
        committed = {p: self.log.committed.get(p, 0) for p in range(PARTITIONS)}
        self.worker.join(self.log.generation, committed)

    @property
    def state(self) -> Any:
        """What the worker holds."""
        assert self.worker.pipeline.session is not None
        return self.worker.pipeline.session.state

    def process(self, delivered: Sequence[Delivered], *, calls: int = 1000) -> None:
        """Process a batch to its end, or so many calls of it and no more: then it is killed."""
        self._runner.run(self._process(delivered, calls))
        if self.worker.error is not None:
            raise self.worker.error

    async def _process(self, delivered: Sequence[Delivered], calls: int) -> None:
        self.worker.buffer += delivered
        self.worker.take(len(delivered))
        await until_quiet()
        for _ in range(calls):
            pending = self.worker.pending()
            if not pending:
                return
            pending[0].open(OPEN)
            await until_quiet()
        self.worker.kill()
        await until_quiet()

    def close(self) -> None:
        """Free its loop."""
        self._runner.close()
