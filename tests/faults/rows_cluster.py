"""Row K11: three brokers, and the one that leads is killed under load.

Next: tests.faults.rows_clickhouse
"""

import signal
import time
from collections import Counter

from schemas.topics import EVENTS
from tests.faults.catalogue import SECONDS, row
from tests.faults.cluster import ThreeBrokers
from tests.faults.run import Run


@row("K11", topology=ThreeBrokers)
def leader_killed(run: Run) -> None:
    """Kill -9 of the broker that leads most partitions, and now and then a stop of it."""
    run.start()
    until = time.monotonic() + SECONDS
    while time.monotonic() < until:
        run.pause(3, 8)
        leader = f"kafka-{_leader(run)}"
        if run.rng.random() < 0.3:
            run.fault()
            run.system.signal(leader, signal.SIGSTOP)
            run.pause(5, 10)
            run.system.signal(leader, signal.SIGCONT)
        else:
            run.kill(leader)
        run.system.until_ready(leader)
        run.until(lambda: _in_sync(run), "every partition has three copies in sync", 60)
    run.healed()
    run.finish()


def _partitions(run: Run) -> list[dict]:
    with run.broker.client() as client:
        return client.describe_topics([EVENTS])[0]["partitions"]


def _leader(run: Run) -> int:
    leaders = Counter(part["leader_id"] for part in _partitions(run) if part["leader_id"] > 0)
    return leaders.most_common(1)[0][0]


def _in_sync(run: Run) -> bool:
    return all(len(part["isr_nodes"]) == len(part["replica_nodes"]) for part in _partitions(run))
