"""A soak's verdict over memory sees what grows, and not what steps once."""

import random

import pytest

from tests.faults.samples import EVERY_SECONDS, slope_of_floors

HOURS = [second * EVERY_SECONDS / 3600 for second in range(int(2400 / EVERY_SECONDS))]
AT_FIRST_MIB = 120.0


def noisy(memory: list[float]) -> list[float]:
    """With the bursts of a service at work."""
    rng = random.Random(7)
    return [each + rng.expovariate(1 / 3) for each in memory]


@pytest.mark.parametrize("mib_per_hour", [5.0, 20.0])
def test_a_leak_is_seen(mib_per_hour):
    """As large as it is, and for certain."""
    memory = noisy([AT_FIRST_MIB + mib_per_hour * hour for hour in HOURS])
    slope = slope_of_floors(HOURS, memory)
    assert slope.likely == pytest.approx(mib_per_hour, rel=0.25)
    assert AT_FIRST_MIB * 0.01 < slope.least <= slope.likely <= slope.most


def test_a_leak_in_steps_is_seen():
    """A piece of 1 MiB every ten minutes."""
    memory = noisy([AT_FIRST_MIB + int(hour * 6) for hour in HOURS])
    assert slope_of_floors(HOURS, memory).least > AT_FIRST_MIB * 0.01


def test_a_step_in_the_middle_is_seen():
    """What could come again is told."""
    memory = [AT_FIRST_MIB + 5 * (hour > HOURS[-1] / 2) for hour in HOURS]
    assert slope_of_floors(HOURS, memory).likely > AT_FIRST_MIB * 0.01


@pytest.mark.parametrize("share", [0.1, 0.9])
def test_a_step_at_an_edge_is_none(share):
    """The last pool that fills, or a burst the floors have not left yet."""
    memory = [AT_FIRST_MIB + 5 * (hour > HOURS[-1] * share) for hour in HOURS]
    assert slope_of_floors(HOURS, memory).likely == 0


@pytest.mark.parametrize("seed", range(20))
def test_noise_is_no_leak(seed):
    """Of what stays as it is, the least slope is never above the bound."""
    rng = random.Random(seed)
    memory = [AT_FIRST_MIB + rng.expovariate(1 / 3) for _ in HOURS]
    slope = slope_of_floors(HOURS, memory)
    assert slope.least < AT_FIRST_MIB * 0.01
    assert slope.least <= slope.likely <= slope.most
