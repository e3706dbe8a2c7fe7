"""All of `usage-report up` dies at once, supervisor first, under load; then it is started again."""

import os
import random
import signal
import time
from contextlib import suppress

import pytest

from tests.faults.checks import Broker, examine, until_quiet
from tests.faults.load import LoadThreads, Plan, today_of
from tests.faults.oracle import Ledger
from tests.faults.probes import Looks
from tests.support.up_process import UpProcess

SEED = 5
TIMES = int(os.environ.get("USAGE_FAULT_UP_TIMES", "1"))

pytestmark = pytest.mark.timeout(900)


def test_everything_killed_at_once_loses_and_doubles_nothing(tmp_path):
    """Kill -9 of all processes in mid-load, then `up` again: loss 0, double 0."""
    rng, today = random.Random(SEED), today_of()
    up = UpProcess(tmp_path / "data")
    up.start()
    ledger = Ledger(tmp_path / "ledger.ndjson")
    load = LoadThreads(
        Plan(SEED), ledger, lambda: (up.ready["ingest_url"], up.ready["key"]), today=today
    )
    load.start()
    looks = Looks(up.ready["clickhouse_url"], up.ready["tenant"])
    looks.start()
    try:
        for _ in range(TIMES):
            time.sleep(rng.uniform(4, 10))
            kill_everything(up)
            up.start()
        time.sleep(3)
        load.stop()
        broker = Broker(up.ready["kafka"])
        until_quiet(up.ready["clickhouse_url"], broker)
        looks.stop()
        found = examine(
            up.ready["clickhouse_url"],
            broker,
            up.ready["tenant"],
            tmp_path / "ledger.ndjson",
            today,
        )
    finally:
        load.abandon()
        ledger.close()
        up.stop()
    assert found.oracle.acked > 1_000
    assert found.oracle.passed, found
    assert (found.verify_differences, found.ledger_difference, found.recount_differences) == (
        *(0, 0, 0),
    )
    assert looks.falls == 0


def kill_everything(up: UpProcess) -> None:
    """Kill -9, the supervisor first: nothing is stopped in order."""
    pids = up.pids()
    up.kill()
    for pid in pids.values():
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
