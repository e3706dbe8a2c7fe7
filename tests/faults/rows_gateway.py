"""Rows G1 and G2: gateways that die, and clients that send again and again.

Next: tests.faults.rows_events
"""

import time

from tests.faults.catalogue import SECONDS, kill_loop, row
from tests.faults.run import Run


@row("G1")
def killed_in_mid_request(run: Run) -> None:
    """Clients retry with the same ids."""
    kill_loop("gateway-1", 0.5, 5, run)
    run.expect(run.load.retried > 0, "requests were cut and sent again")


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
