"""Rows G1 and G2: gateways that die, and clients that send again and again.

Next: tests.faults.rows_events
"""

import time

from tests.faults.catalogue import SECONDS, row
from tests.faults.run import Run


@row("G1")
def gateway_kill_loop(run: Run) -> None:
    """Kill -9 in mid-request; clients retry with the same ids."""
    run.start()
    until = time.monotonic() + SECONDS
    while time.monotonic() < until:
        run.pause(0.5, 5)
        run.kill("gateway-1")
        run.system.until_ready("gateway-1")
    run.healed()
    run.expect(run.load.retried > 0, "requests were cut and sent again")
    run.finish()


@row("G2", gateways=2, workers=2, copies=5, batches_per_second=12.0)
def sent_many_times(run: Run) -> None:
    """Every request goes out one to five times at once, over two gateways; processes die."""
    run.start()
    until = time.monotonic() + SECONDS
    while time.monotonic() < until:
        run.pause(1, 6)
        run.kill(run.rng.choice(["worker-1", "worker-2", "gateway-1", "gateway-2"]))
    run.healed()
    run.finish()
