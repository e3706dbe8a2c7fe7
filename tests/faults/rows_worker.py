"""Rows W1 to W7: what can happen to workers.

Next: tests.faults.rows_kafka
"""

import signal
import time
from functools import partial

from kafka import KafkaProducer

from schemas import topics
from schemas.failpoints import GATEWAY_POINTS, WORKER_POINTS
from sinks.clickhouse import connect
from tests.faults.catalogue import SECONDS, TIMES, row
from tests.faults.run import Run
from tests.support.histories import BAD_LINES, line

SESSION_SECONDS = 10.0


@row("W1", within_seconds=30)
def killed(run: Run) -> None:
    """Kill -9 every 1 to 15 s under load, also while it starts."""
    run.start()
    until = time.monotonic() + SECONDS
    while time.monotonic() < until:
        run.pause(1, min(15, SECONDS / 3))
        run.kill("worker-1")
    run.healed()
    run.finish()


def die_at(point: str, name: str, run: Run, *, times: int = TIMES) -> None:
    """Death at a named place, the first to fourth time the process comes there."""
    run.start()
    child = run.system.children[name]
    before = run.story.count(f"ended {name}")

    def again() -> None:
        child.environment["USAGE_FAILPOINTS"] = f"{point}:{run.rng.randint(1, 4)}"
        child._quick_ends = 0  # the supervisor's back-off would only take time

    again()
    run.system.signal(name, signal.SIGTERM)
    for death in range(1, times + 1):
        seen = before + 1 + death
        run.until(lambda at=seen: run.story.count(f"ended {name}") >= at, f"death {death}", 90)
        run.fault()
        again()
    del child.environment["USAGE_FAILPOINTS"]
    run.kill(name)
    run.healed()
    run.finish()
    statuses = run.system.status_of(name)
    run.expect(statuses.count(-signal.SIGKILL) >= times, f"died at {point}: {statuses}")


for _point in WORKER_POINTS:
    row(f"W2-{_point}")(partial(die_at, _point, "worker-1"))
for _point in GATEWAY_POINTS:
    row(f"W2-{_point}")(partial(die_at, _point, "gateway-1"))


@row("W3", workers=2)
def zombie(run: Run) -> None:
    """Stopped beyond its session; the other takes over; it wakes up with what it had in hand."""
    run.start()
    for turn in range(2):
        run.pause(3, 6)
        run.fault()
        run.system.signal("worker-1", signal.SIGSTOP)
        run.pause(1.5 * SESSION_SECONDS, 2 * SESSION_SECONDS)
        run.system.signal("worker-1", signal.SIGCONT)
        run.healed()
        if turn:
            run.kill("worker-1")
            run.kill("worker-2")
    run.healed()
    run.finish()


@row("W4")
def terminated(run: Run) -> None:
    """SIGTERM under load: exit status 0 within 20 s, and at most one flush is done again."""
    run.start()
    times = 3
    for turn in range(1, times + 1):
        run.pause(3, 6)
        began = time.monotonic()
        run.fault()
        run.system.signal("worker-1", signal.SIGTERM)
        run.until(lambda at=turn: len(run.system.status_of("worker-1")) == at, "its end", 20)
        run.outcome.figures[f"ended_after_{turn}"] = round(time.monotonic() - began, 2)
        run.expect(run.system.status_of("worker-1")[-1] == 0, "exit status 0")
        run.healed()
    run.finish()
    flushes = [int(entry["records"]) for entry in run.system.logged("worker-1", "flushed")]
    again = sum(flushes) - sum(run.broker.offsets().ends.values())
    run.outcome.figures["records_done_again"] = again
    run.expect(again <= times * max(flushes), f"{again} records were done again")


@row("W5")
def scaled(run: Run) -> None:
    """Two more workers, and away with them, every few seconds."""
    run.start()
    _scale(run, pause_seconds=max(8.0, SECONDS / 6))
    run.healed()
    run.finish()
    # A worker that leaves by SIGTERM is missed after its session: static members say no goodbye.
    run.expect(run.commits.longest_seconds <= SESSION_SECONDS + 15, "a pause of a rebalance")


@row("W6")
def scaled_without_clickhouse(run: Run) -> None:
    """The same while ClickHouse is down: nobody is expelled for good."""
    run.start()
    run.pause(2, 4)
    run.fault()
    run.system.hold("clickhouse")
    for name in ("worker-2", "worker-3"):
        # Its first question is to ClickHouse: it ends, and its supervisor starts it again.
        run.system.add(name)
        run.pause(max(5.0, SECONDS / 6))
    run.system.kill("worker-1")
    run.pause(max(5.0, SECONDS / 6))
    run.system.let_go("clickhouse")
    run.healed()
    run.until(lambda: _shares(run) == run.topology.partitions, "every partition has one owner", 90)
    # The last one may still be on its way while the others own everything.
    run.until(
        lambda: all(_share(run, f"worker-{n}") for n in (1, 2, 3)), "each worker has a share", 90
    )
    run.finish()


def _scale(run: Run, *, pause_seconds: float) -> None:
    for _ in range(2):
        for name in ("worker-2", "worker-3"):
            run.fault()
            run.system.add(name)
        run.pause(pause_seconds)
        for name in ("worker-3", "worker-2"):
            run.fault()
            run.system.remove(name)
        run.pause(pause_seconds)


def _share(run: Run, name: str) -> int:
    """How many partitions a worker has by its latest assignment."""
    assigned = run.system.logged(name, "assigned")
    return int(assigned[-1]["partitions"]) if assigned else 0


def _shares(run: Run) -> int:
    return sum(_share(run, f"worker-{number}") for number in (1, 2, 3))


@row("W7")
def poisoned(run: Run) -> None:
    """Records that no gateway writes, and bad lines in good records: a dead letter each."""
    run.start()
    producer = KafkaProducer(bootstrap_servers=run.topology.bootstrap, acks="all")
    poison = 0
    for _ in range(10):
        run.pause(0.2, 1)
        run.fault()
        partition = topics.partition_of("another", "user-1", run.topology.partitions)
        for value, lines in (
            (run.rng.randbytes(200), 0),
            (b"\n".join(BAD_LINES), len(BAD_LINES)),
            (line(tenant="another") + b"\n{", 2),
        ):
            headers = topics.events_headers(
                count=lines, partitions=run.topology.partitions, request_id="r"
            )
            ours = headers if lines else []
            producer.send(topics.EVENTS, value, partition=partition, headers=ours).get(30)
        poison += 1 + len(BAD_LINES) + 1
    producer.close()
    run.healed()
    run.finish()
    client = connect(run.topology.dsn)
    count = "SELECT count() FROM dead_letters FINAL"
    run.until(lambda: client.query(count).result_rows[0][0] >= poison, "dead letters", 30)
    letters = client.query(count).result_rows[0][0]
    client.close()
    run.outcome.figures["dead_letters"] = letters
    run.expect(letters == poison, f"{letters} dead letters for {poison} poisoned lines")
    run.expect(not run.system.status_of("worker-1"), "the worker never ended")
