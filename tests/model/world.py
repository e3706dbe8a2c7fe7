"""The world of the model: some workers, one log, one store, and what can befall them.

Next: tests.model.worker
"""

import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from tests.model.gates import OPEN, Gate, until_quiet
from tests.model.log import SimulatedLog
from tests.model.store import SimulatedStore, totals
from tests.model.worker import ModelWorker
from tests.support.histories import BAD_LINES, PARTITIONS, event_line, partition_of, record
from tests.support.plain_fold import PlainFold

USERS = {p: [u for u in range(12) if partition_of(u) == p][:4] for p in range(PARTITIONS)}
WORKERS = 3
# Rounds of delivering, folding and flushing until all is committed; more means that it hangs.
_HEALING_ROUNDS = 200


@dataclass(frozen=True)
class Rules:
    """What the world itself leaves out: parts of the store's and of the flush's promises."""

    last_insert_wins: bool = False
    unacknowledged: frozenset[str] = frozenset()


@dataclass
class Outcome:
    """What came of a schedule: `wrong` says what differs, `errors` what workers ended with."""

    wrong: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)


class World:
    """Each method is something that may happen; `heal` ends it, and `compare` is the judge."""

    def __init__(self, rng: random.Random, *, state_max_bytes: int, rules: Rules) -> None:
        self._rng = rng
        self._rules = rules
        self._state_max_bytes = state_max_bytes
        self.log = SimulatedLog(PARTITIONS)
        self.store = SimulatedStore(rng, PARTITIONS, last_insert_wins=rules.last_insert_wins)
        self.workers = [self._new_worker() for _ in range(WORKERS)]
        # Writes whose caller is gone: they may still happen.
        self.late: list[Gate] = []
        self.errors: list[str] = []

    def _new_worker(self) -> ModelWorker:
        return ModelWorker(
            self.log,
            self.store,
            self._rng,
            state_max_bytes=self._state_max_bytes,
            unacknowledged=self._rules.unacknowledged,
        )

    def append(self, partition: int, events: int) -> None:
        """A record of some events, now and then with a bad line, or no record of events at all."""
        lines = [self._line(partition) for _ in range(events)]
        self.log.append(partition, lines, poison=self._rng.random() < 0.02)

    def _line(self, partition: int) -> bytes:
        rng = self._rng
        if rng.random() < 0.03:
            return rng.choice(BAD_LINES)
        user = rng.choice(USERS[partition])
        return event_line(user, rng.randrange(6), rng.randrange(6), rng.randrange(1440))

    def rebalance(self, members: Iterable[int]) -> None:
        """A new generation over some of the workers; the others do not know that it began."""
        joined = [number for number in members if not self.workers[number].frozen]
        if not joined:
            return
        self.log.generation += 1
        shares: dict[int, dict[int, int]] = {number: {} for number in joined}
        for partition in range(PARTITIONS):
            offset = self.log.committed.get(partition, 0)
            shares[self._rng.choice(joined)][partition] = offset
        for number, committed in shares.items():
            self.workers[number].join(self.log.generation, committed)

    def freeze(self, number: int) -> None:
        """SIGSTOP, or SIGCONT of a frozen one: it goes on as a zombie."""
        self.workers[number].frozen = not self.workers[number].frozen

    def kill(self, number: int) -> None:
        """Kill -9 of a worker; a new process stands by for the next rebalance."""
        gone = self.workers[number]
        gone.kill()
        for gate in gone.pending():
            if gate.writes and gate.late:
                self.late.append(gate)
            elif gate.writes and self._rng.random() < 0.5:
                gate.call()
        self.workers[number] = self._new_worker()

    def restart(self, number: int) -> None:
        """Kill -9 and a restart as the same static member: no new generation."""
        generation, partitions = (
            self.workers[number].generation(),
            self.workers[number].partitions(),
        )
        self.kill(number)
        committed = {p: self.log.committed.get(p, 0) for p in partitions}
        self.workers[number].join(generation, committed)

    def seek_back(self, number: int) -> None:
        """The consumer reads some records again within its generation."""
        worker = self.workers[number]
        for partition, position in worker.positions.items():
            worker.positions[partition] = max(0, position - self._rng.randint(0, 2))

    def open(self, number: int, gate: int, outcome: str) -> None:
        """One call of a worker goes on."""
        pending = self.workers[number].pending()
        if pending:
            pending[gate % len(pending)].open(outcome)

    def write_late(self, which: int) -> None:
        """A write whose caller is gone happens, or part of it, or it never will."""
        if self.late:
            gate = self.late.pop(which % len(self.late))
            self._rng.choice([gate.call, gate.call, gate.partly, lambda: None])()

    async def settle(self) -> None:
        """Let the tasks run to their gates; put new processes in the place of crashed ones."""
        await until_quiet()
        for number, worker in enumerate(self.workers):
            if worker.alive and not worker.pending():
                worker.check_books()
            if worker.error is not None:
                self.errors.append(f"{type(worker.error).__name__}: {worker.error}")
                self.kill(number)
                await until_quiet()

    async def heal(self) -> bool:
        """No more faults: some workers go on, until everything is committed. False: it hangs."""
        for number, worker in enumerate(self.workers):
            if self._rng.random() < (0.5 if worker.frozen else 0.3):
                self.kill(number)
        await self.settle()
        if all(worker.frozen for worker in self.workers):
            self.kill(0)
        awake = [number for number, worker in enumerate(self.workers) if not worker.frozen]
        survivors = self._rng.sample(awake, self._rng.randint(1, len(awake)))
        self.rebalance(survivors)
        await self._until(self.log.is_done, awake, survivors)
        # Zombies wake up now, and what is late comes now or never.
        everyone = range(WORKERS)
        await self._until(lambda: not any(w.pending() for w in self.workers), everyone, survivors)
        while self.late:
            self.write_late(0)
        return self.log.is_done()

    async def _until(
        self, done: Callable[[], bool], numbers: Iterable[int], members: list[int]
    ) -> None:
        """Go on until all is done; a crash ends in a new generation."""
        for _ in range(_HEALING_ROUNDS):
            crashes = len(self.errors)
            await self._go_on(numbers)
            if len(self.errors) > crashes:
                self.rebalance(members)
            if done():
                return

    async def _go_on(self, numbers: Iterable[int]) -> None:
        """Every worker makes a step; zombies too."""
        for number in numbers:
            worker = self.workers[number]
            worker.deliver(4)
            worker.take(8)
            await self.settle()
            for gate in self.workers[number].pending():
                gate.open(OPEN)
            await self.settle()
        if self._rng.random() < 0.1:
            self.write_late(self._rng.randrange(10))

    def compare(self) -> list[str]:
        """What of rows, first events, ledger and dead letters is not as the plain fold has it."""
        plain = PlainFold()
        for records in self.log.records:
            for delivered in records:
                plain.fold(record(delivered))
        found = {
            "rows": (
                stored_rows(self.store),
                {k: tuple(v.values()) for k, v in plain.rows.items()},
            ),
            "events": (stored_stamps(self.store), plain.stamps),
            "ledger": (stored_books(self.store), plain.ledger),
            "dead letters": (self.log.dead_letters, plain.dead),
        }
        return [name for name, (stored, right) in found.items() if stored != right]


def stored_rows(store: SimulatedStore) -> dict[tuple[Any, ...], tuple[int, ...]]:
    """Rows of the store with the plain fold's keys and values."""
    names = ("tenant", "user_id", "day", "product_id", "product_version", "team_id", "access")
    rows = store.tables["usage_daily"].values()
    return {tuple(row[name] for name in names): totals(row) for row in rows}


def stored_stamps(store: SimulatedStore) -> dict[tuple[Any, ...], tuple[int, int]]:
    """First events of the store, with the plain fold's keys and values."""
    events = store.tables["usage_events"].items()
    return {key: (row["position"], row["seq"]) for key, row in events}


def stored_books(store: SimulatedStore) -> dict[tuple[Any, ...], dict[str, int]]:
    """The store's ledger, with the plain fold's keys and values."""
    names = ("accepted", "stored", "duplicate", "dead", "counted", "position")
    books = store.tables["usage_ledger"].items()
    return {key: {name: row[name] for name in names} for key, row in books}
