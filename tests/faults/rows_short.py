"""The short form for every run of the tests: each kind of process killed, each connection cut.

Next: tests.faults.rows_worker
"""

from functools import partial

from tests.faults.catalogue import row
from tests.faults.rows_worker import die_at
from tests.faults.run import Run

# Between a batch's events and its rows, twice: for the short negative controls.
row("short-death")(partial(die_at, "stored_usage_events", "worker-1", times=2))


@row("short")
def everything_once(run: Run) -> None:
    """Kill -9 of each kind of process and a reset of each kind of connection, under load."""
    run.start()
    for name in ("worker-1", "gateway-1", "query", "kafka"):
        run.pause(0.5, 2)
        run.kill(name)
    run.system.until_ready("kafka")
    run.healed()
    # A worker that dies while its batch can't be stored.
    run.kill("clickhouse")
    run.pause(1, 1.5)
    run.kill("worker-1")
    run.healed()
    for proxies in (run.topology.kafka_proxies, run.topology.clickhouse_proxies):
        for side, proxy in proxies.items():
            run.pause(0.5, 1)
            run.fault(f"connections of the {side} reset, and refused for a moment")
            proxy.down()
            run.pause(1, 2)
            proxy.up()
    run.healed()
    run.finish()
