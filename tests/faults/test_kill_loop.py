"""Short kill loops on every run of the tests; the long ones are run by hand, see kill_loop.py."""

import pytest

from tests.faults.kill_loop import run

SEED = 5
DIES = {"USAGE_FAULT_DIE_AFTER": "usage_daily:0.1"}

pytestmark = pytest.mark.timeout(900)


def test_processes_killed_in_turn_lose_and_double_nothing(tmp_path):
    """Kill -9 of worker, gateway, ClickHouse and Kafka under load: loss 0, double 0."""
    outcome = run(SEED, minutes=0.5, faults={}, at_once=0, root=tmp_path)
    assert outcome.oracle.acked > 1_000
    assert outcome.passed, outcome


def test_everything_killed_at_once_loses_and_doubles_nothing(tmp_path):
    """Kill -9 of all processes in mid-load, then `up` again: loss 0, double 0."""
    outcome = run(SEED, minutes=0, faults={}, at_once=1, root=tmp_path)
    assert outcome.passed, outcome


def test_a_worker_that_dies_before_the_commit_doubles_nothing(tmp_path):
    """Rows stored, commit not: the guard makes the replay harmless, time after time."""
    outcome = run(SEED, minutes=0.3, faults=DIES, at_once=0, root=tmp_path)
    assert outcome.passed, outcome


@pytest.mark.parametrize(
    "faults",
    [{**DIES, "USAGE_FAULT_GUARD": "off"}, {"USAGE_FAULT_FIRST_SEEN": "off"}],
    ids=["without the guard", "without first seen"],
)
def test_the_harness_is_not_blind(tmp_path, faults):
    """With a part left out the same harness reports events counted twice."""
    outcome = run(SEED, minutes=0.3, faults=faults, at_once=0, root=tmp_path)
    assert outcome.oracle.doubled > 0, outcome
