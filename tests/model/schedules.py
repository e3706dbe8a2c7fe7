"""Random schedules: each made, and judged, by its seed alone.

Next: tests.model.world
"""

import asyncio
import logging
import random
from collections.abc import Callable
from functools import partial

import structlog

from aggregators import load, state
from tests.model.gates import ANSWER_LOST, AWAY, OPEN
from tests.model.parts import left_out, replaced
from tests.model.world import WORKERS, Outcome, World

structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))

_OUTCOMES = (OPEN,) * 8 + (AWAY, ANSWER_LOST)
_STEPS = 70


def run(seed: int, without: str | None = None) -> Outcome:
    """One schedule, with a part left out or all in place."""
    rng = random.Random(seed)
    most_identities = rng.choice([1, 3, 50_000, 50_000])
    with (
        left_out(without) as rules,
        replaced(load, "MAX_IDENTITIES_HELD", most_identities),
        replaced(state, "MAX_IDENTITIES_HELD", most_identities),
        asyncio.Runner() as runner,
    ):
        return runner.run(_run(rng, rules))


async def _run(rng, rules) -> Outcome:
    budget = rng.choice([1, 1, 4_000, 1 << 30])
    world = World(rng, state_max_bytes=budget, rules=rules)
    for _ in range(rng.randint(2, 8)):
        world.append(rng.randrange(2), rng.randint(1, 5))
    world.rebalance(rng.sample(range(WORKERS), rng.randint(1, 2)))
    for _ in range(_STEPS):
        for happening in happen(world, rng):
            happening()
            await world.settle()
    done = await world.heal()
    wrong = world.compare() + ([] if done else ["not drained"])
    for number in range(WORKERS):
        world.kill(number)
    await world.settle()
    return Outcome(wrong, world.errors)


def happen(world: World, rng: random.Random) -> list[Callable[[], None]]:
    """What happens next; mostly work goes on."""
    awake = [n for n, worker in enumerate(world.workers) if not worker.frozen]
    owners = [n for n in awake if world.workers[n].positions]
    number, chance = rng.choice((*owners, *owners, rng.randrange(WORKERS))), rng.random()
    if chance < 0.5:
        busy = [n for n in awake if world.workers[n].pending()] or [number]
        number, gate = rng.choice(busy), rng.choice((0, 0, 0, 1, 2))
        last = partial(world.open, number, gate, rng.choice(_OUTCOMES))
        return [partial(world.open, number, 0, OPEN)] * rng.choice((0, 1, 2, 4, 8)) + [last]
    if chance < 0.76:
        worker = world.workers[number]
        work = [partial(worker.deliver, 3), partial(worker.take, rng.randint(1, 5))]
        return [*work, worker.watch] if chance < 0.55 else work
    for upper, happening in (
        (0.84, partial(world.append, rng.randrange(2), rng.randint(1, 5))),
        (0.90, partial(world.rebalance, rng.sample(range(WORKERS), rng.randint(1, WORKERS)))),
        (0.925, partial(world.kill, number)),
        (0.95, partial(world.restart, number)),
        (0.965, partial(world.seek_back, number)),
        (0.985, partial(world.freeze, number)),
    ):
        if chance < upper:
            return [happening]
    return [partial(world.write_late, rng.randrange(10))]
