"""A worker of the model: the real pipeline and flush, with gates in place of network and threads.

Next: aggregators.pipeline
"""

import asyncio
import random
from collections.abc import Callable, Coroutine, Mapping, Sequence
from functools import partial
from typing import Any

import polars as pl
from prometheus_client import CollectorRegistry

from aggregators import load
from aggregators.broker import Leaders, LogState
from aggregators.decode import DeadLine
from aggregators.flush import Flush
from aggregators.pipeline import Pipeline
from aggregators.records import Delivered
from schemas.metrics import WorkerMetrics
from tests.model.gates import Gate, Gates
from tests.model.log import SimulatedLog
from tests.model.store import TOPIC_ID, SimulatedStore

METRICS = WorkerMetrics(CollectorRegistry())


class Unanswered(Exception):  # noqa: N818 - a question
    """A question that has no answer yet."""

    def __init__(self, name: str, limit: dict[str, int]) -> None:
        super().__init__(name)
        self.name, self.limit = name, limit


class Reads:
    """Answers that were given so far; raises Unanswered for the next question."""

    def __init__(self) -> None:
        self.answers: dict[str, list[Any]] = {}

    def rows(self, keys: Sequence[Any]) -> list[Any]:
        """As aggregators.load.Reads."""
        return self._answer("rows", {})

    def identities(self, keys: Sequence[Any], *, limit: int) -> list[Any]:
        """As aggregators.load.Reads."""
        return self._answer("identities", {"limit": limit})

    def _answer(self, name: str, limit: dict[str, int]) -> list[Any]:
        if name not in self.answers:
            raise Unanswered(name, limit)
        return self.answers[name]


class ModelWorker:
    """One process: its place in the group, Faust's buffer, and the real pipeline.

    `unacknowledged` names tables whose inserts are not waited for. `error` is what ended it.
    """

    def __init__(
        self,
        log: SimulatedLog,
        store: SimulatedStore,
        rng: random.Random,
        *,
        state_max_bytes: int,
        unacknowledged: frozenset[str] = frozenset(),
    ) -> None:
        self._log, self._store, self._rng = log, store, rng
        self._unacknowledged = unacknowledged
        self.gates, self.stray = Gates(), Gates()
        self.buffer: list[Delivered] = []
        self.positions: dict[int, int] = {}
        self._generation = 0
        self.tasks: list[asyncio.Task[Any]] = []
        self.error: BaseException | None = None
        self.alive, self.frozen = True, False
        flush = Flush(inserts=self, commits=self, dead_letters=self, patience=self, metrics=METRICS)
        self.pipeline = Pipeline(
            member=self,
            broker=self,
            loads=store,
            inserts=self,
            flush=flush,
            patience=self,
            guarded=self._guarded,
            pass_by=self._pass_by,
            partitions=log.partitions,
            state_max_bytes=state_max_bytes,
        )

    # Membership, as the consumer tells it.

    def join(self, generation: int, committed: Mapping[int, int]) -> None:
        """A new assignment; what Faust's buffer holds stays in it."""
        self._generation, self.positions = generation, dict(committed)

    async def _pass_by(self) -> None:
        """No maintenance is ever under way here."""

    def generation(self) -> int:
        """As aggregators.membership."""
        return self._generation

    def partitions(self) -> list[int]:
        """As aggregators.membership."""
        return sorted(self.positions)

    async def commit(self, offsets: Mapping[int, int], *, generation: int, topic_id: str) -> bool:
        """As aggregators.membership: refused when the generation is over, and then silently so."""

        def commit() -> bool:
            if generation != self._generation:
                return False
            mine = {p: offset for p, offset in offsets.items() if p in self.positions}
            return self._log.commit(generation, mine)

        return bool(await self.gates.through(commit, writes=True, late=False))

    # Calls to broker and store.

    async def call(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """As aggregators.patience."""
        if function == self.insert:
            return await self._insert(*args)
        if function == self.advance:
            return await self._advance(*args)
        if function is load.load_user_days:
            return await self._load(*args)
        if function == self.leaders:
            # There is one log, and it never loses anything.
            return function()
        return await self.gates.through(lambda: function(*args, **kwargs))

    async def _load(self, store: SimulatedStore, keys: Sequence[Any]) -> Any:
        """A load of two questions, with a gate of its own for each."""
        reads = Reads()
        while True:
            try:
                return load.load_user_days(reads, keys)
            except Unanswered as unanswered:
                question = partial(getattr(store, unanswered.name), keys, **unanswered.limit)
                reads.answers[unanswered.name] = await self.gates.through(question)

    async def _insert(self, table: str, frame: pl.DataFrame) -> None:
        if frame.is_empty():
            return
        gates = self.stray if table in self._unacknowledged else self.gates
        inserted = gates.through(
            lambda: self._store.insert(table, frame),
            writes=True,
            partly=lambda: self._store.insert(table, frame, partly=True),
        )
        if table in self._unacknowledged:
            self.tasks.append(asyncio.create_task(inserted))
        else:
            await inserted

    async def _advance(self, frame: pl.DataFrame, known: Mapping[int, int]) -> dict[int, int]:
        moved: dict[int, int] = await self.gates.through(
            lambda: self._store.advance(frame, known),
            writes=True,
            partly=lambda: self._store.advance(frame, known, partly=True),
        )
        return moved

    def advance(self, frame: pl.DataFrame, known: Mapping[int, int]) -> dict[int, int]:
        """As sinks.inserts, and as `insert`."""
        return self._store.advance(frame, known)

    def insert(self, table: str, frame: pl.DataFrame) -> None:
        """As sinks.inserts; `call` sees what is asked for, and lets it wait at a gate."""
        self._store.insert(table, frame)

    def look(self, partitions: Sequence[int]) -> LogState:
        """As aggregators.broker."""
        return self._log.look(partitions)

    def leaders(self) -> Leaders:
        """As aggregators.broker."""
        return Leaders(TOPIC_ID, {})

    def topic_id(self) -> str:
        """As aggregators.broker."""
        return TOPIC_ID

    async def send(self, dead: Sequence[DeadLine]) -> None:
        """As aggregators.dead_letters."""
        origins = {(line.partition, line.position, line.seq) for line in dead}
        if origins:
            await self.gates.through(lambda: self._log.dead_letters.update(origins))

    # What a schedule does with it.

    def deliver(self, most: int) -> None:
        """The consumer fetches, from some of its partitions."""
        for partition, position in self.positions.items():
            count = self._rng.randint(0, most)
            records = self._log.read(partition, position, count, self._generation)
            self.buffer += records
            self.positions[partition] = position + len(records)

    def take(self, most: int) -> None:
        """The agent takes a list out of the buffer, unless it is at work."""
        if self.is_busy or not self.buffer:
            return
        taken, self.buffer = self.buffer[:most], self.buffer[most:]
        work = self._guarded(self.pipeline.process(taken))
        self.tasks.append(asyncio.create_task(work, name="agent"))

    def watch(self) -> None:
        """The watchdog looks at the present session, and makes one if there is none."""
        if self.positions:
            self.tasks.append(asyncio.create_task(self._guarded(self._begin()), name="watch"))

    async def _begin(self) -> None:
        await self.pipeline.begin()

    @property
    def is_busy(self) -> bool:
        """Whether the agent works on a list."""
        self.tasks = [task for task in self.tasks if not task.done()]
        return any(task.get_name() == "agent" for task in self.tasks)

    async def _guarded(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except Exception as error:  # noqa: BLE001 - the model's process edge, as agents.or_die
            self.error, self.alive = error, False

    def check_books(self) -> None:
        """The state counts right what it holds."""
        if self.pipeline.session is not None:
            state = self.pipeline.session.state
            held = state.user_days.values()
            assert state.rows_held == sum(len(user_day.rows) for user_day in held)
            assert state.identities_held == sum(len(user_day.identities) for user_day in held)

    def pending(self) -> list[Gate]:
        """The gates it waits at."""
        return [*self.gates.waiting, *self.stray.waiting]

    def kill(self) -> None:
        """Kill -9: nothing goes on; what the gates hold may still reach the store."""
        self.alive = False
        flushing = self.pipeline._flushing
        for task in [*self.tasks, *([flushing] if flushing else [])]:
            task.cancel()
