"""Rows K1 to K6 and N1: a broker that dies, hangs, is far away, or has no room.

Next: tests.faults.rows_log
"""

import signal
import time
from functools import partial

from tests.faults.catalogue import SECONDS, kill_loop, row
from tests.faults.disk import Disk
from tests.faults.memory import Memory
from tests.faults.run import Run

# The longest timer of a worker or gateway is the minute of the worker's watchdog.
EVERY_TIMER_SECONDS = 1.5 * SECONDS

row("K1")(partial(kill_loop, "kafka", 3, 12))


@row("K2")
def broker_stopped(run: Run) -> None:
    """SIGSTOP of the broker for a moment and for long: the gateway's memory stays bounded."""
    run.start()
    run.pause(2, 4)
    with Memory(run, "gateway-1"):
        for seconds in (5, SECONDS / 2):
            run.fault()
            run.system.signal("kafka", signal.SIGSTOP)
            run.pause(seconds)
            run.system.signal("kafka", signal.SIGCONT)
            run.healed()
    run.finish()


@row("K3")
def broker_unreachable(run: Run) -> None:
    """Nobody reaches the broker for longer than every timer."""
    run.start()
    run.pause(2, 4)
    run.fault("both proxies before Kafka down")
    with Memory(run, "gateway-1"):
        for proxy in run.topology.kafka_proxies.values():
            proxy.down()
        run.pause(EVERY_TIMER_SECONDS)
        for proxy in run.topology.kafka_proxies.values():
            proxy.up()
        run.healed()
    run.finish()


@row("K4")
def answers_of_the_broker_lost(run: Run) -> None:
    """The broker stores a record, and its answer never comes."""
    run.start()
    proxy = run.topology.kafka_proxies["gateway"]
    until = time.monotonic() + SECONDS
    while time.monotonic() < until:
        run.pause(0.5, 2)
        before = proxy.cuts
        proxy.hurt(answers_lost=True)
        run.pause(0.2, 1)
        proxy.up()
        run.outcome.faults += proxy.cuts - before
    run.expect(proxy.cuts > 0, "answers were lost")
    run.story.tell(f"{proxy.cuts} answers lost")
    run.healed()
    run.finish()


@row("K5", batches_per_second=4.0)
def broker_far_away(run: Run) -> None:
    """Latency, a thin line, single bytes: it goes on, and nobody joins again and again."""
    run.start()
    proxies = list(run.topology.kafka_proxies.values())
    for toxics in ({"latency_seconds": 0.3}, {"bytes_per_second": 64_000}, {"slice_bytes": 1}):
        run.fault(f"before Kafka: {toxics}")
        for proxy in proxies:
            proxy.hurt(**toxics)
        run.pause(SECONDS / 3)
        committed = sum(run.broker.offsets().committed.values())
        run.until(
            lambda before=committed: sum(run.broker.offsets().committed.values()) > before,
            f"progress with {toxics}",
        )
        for proxy in proxies:
            proxy.up()
    run.healed()
    joined = len(run.system.logged("worker-1", "assigned"))
    run.outcome.figures["assignments"] = joined
    run.expect(joined <= 6, f"a storm of {joined} assignments")
    run.finish()


@row("K6")
def broker_disk_full(run: Run) -> None:
    """No room for the log: no 2xx without a durable append, and it goes on when there is room."""
    with Disk(run.root / "kafka" / "log", megabytes=192) as disk:
        run.start()
        run.pause(3, 5)
        for _ in range(2):
            run.fault("no room on the broker's disk")
            disk.fill()
            run.pause(SECONDS / 4)
            disk.clear()
            run.story.tell("room again")
            run.system.until_ready("kafka")
            run.healed()
        run.finish()
        run.end()


@row("N1")
def cut_off_from_one(run: Run) -> None:
    """The worker reaches the broker or the store, but not both."""
    run.start()
    for name, proxies in (
        ("the broker", run.topology.kafka_proxies),
        ("ClickHouse", run.topology.clickhouse_proxies),
        ("the broker (silence)", run.topology.kafka_proxies),
        ("ClickHouse (silence)", run.topology.clickhouse_proxies),
    ):
        run.pause(2, 4)
        run.fault(f"the worker is cut off from {name}")
        proxy = proxies["worker"]
        if "silence" in name:
            proxy.hurt(silent=True)
        else:
            proxy.down()
        run.pause(SECONDS / 2)
        proxy.cut()
        proxy.up()
        run.healed()
    run.finish()
