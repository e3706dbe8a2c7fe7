"""What every run of the tests does of the fault suite; `make faults` does all of it."""

import pytest

from tests.faults.perform import perform
from tests.faults.test_rows import REPORT, SEED

pytestmark = pytest.mark.timeout(600)


def test_each_process_killed_and_each_connection_cut(tmp_path):
    """Worker, gateway, query service, ClickHouse and Kafka die; connections break: loss 0."""
    outcome = perform("short", tmp_path, SEED, REPORT)
    assert outcome.found.oracle.acked > 1_000
    assert not outcome.complaints()


@pytest.mark.parametrize("without", ["first-seen", "insert-before-ack"])
def test_the_harness_is_not_blind(tmp_path, without):
    """With a part of the worker left out, deaths in mid-batch double or lose events: it is told."""
    outcome = perform("short-death", tmp_path, SEED, REPORT, without=without)
    assert outcome.reported, outcome.complaints()
