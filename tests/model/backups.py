"""Schedules in which the store is lost: a backup that was read meanwhile takes its place.

Its tables are read one after the other while workers write, then all is set back to them, and the
group to where the backup's progress says. The log goes on.

Next: tests.model.schedules
"""

import asyncio
import random
from collections.abc import Sequence

from schemas import topics
from tests.model.schedules import happen
from tests.model.world import WORKERS, Outcome, Rules, World
from tests.support.histories import PARTITIONS

_STEPS = 50


class Backup:
    """What was read of a store so far."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._tables = {"log_epochs": {}}
        self._positions = {}

    def read(self, table: str) -> None:
        """One table, as it is now."""
        store = self._world.store
        if table == "progress":
            self._positions = dict(store.positions)
        else:
            self._tables[table] = dict(store.tables[table])

    def restore(self) -> None:
        """Every worker is gone, and what it had on its way; then `replay --from progress`."""
        world = self._world
        for number in range(WORKERS):
            world.kill(number)
        world.late.clear()
        world.store.tables = self._tables
        world.store.positions = self._positions
        world.log.generation += 1
        for partition in range(PARTITIONS):
            folded = self._positions.get(partition)
            world.log.committed[partition] = topics.offset_of(folded[0] + 1) if folded else 0


def run(seed: int, order: Sequence[str]) -> Outcome:
    """One schedule; `order` is that of the tables in the backup."""
    with asyncio.Runner() as runner:
        return runner.run(_run(random.Random(seed), order))


async def _run(rng: random.Random, order: Sequence[str]) -> Outcome:
    world = World(rng, state_max_bytes=rng.choice([1, 4_000, 1 << 30]), rules=Rules())
    for _ in range(rng.randint(2, 8)):
        world.append(rng.randrange(PARTITIONS), rng.randint(1, 5))
    world.rebalance(rng.sample(range(WORKERS), rng.randint(1, 2)))
    backup, reads = Backup(world), sorted(rng.sample(range(_STEPS), len(order)))
    for step in range(_STEPS):
        await _happen(world, rng)
        if step in reads:
            backup.read(order[reads.index(step)])
    backup.restore()
    await world.settle()
    for _ in range(rng.choice([0, 20])):
        await _happen(world, rng)
    done = await world.heal()
    wrong = world.compare() + ([] if done else ["not drained"])
    for number in range(WORKERS):
        world.kill(number)
    await world.settle()
    return Outcome(wrong, world.errors)


async def _happen(world: World, rng: random.Random) -> None:
    for happening in happen(world, rng):
        happening()
        await world.settle()
