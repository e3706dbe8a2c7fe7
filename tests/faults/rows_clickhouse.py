"""Rows C1 to C6: a store that dies, hangs, has no room, answers wrongly, or is set back.

Next: tests.faults.rows_events
"""

import shutil
import signal
import time
from functools import partial

from tests.faults.catalogue import SECONDS, kill_loop, row
from tests.faults.commands import usage_report
from tests.faults.disk import Disk
from tests.faults.memory import Memory
from tests.faults.rows_kafka import EVERY_TIMER_SECONDS
from tests.faults.run import Run

BUSY = (
    b"HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain\r\nContent-Length: 4\r\n"
    b"Connection: close\r\n\r\nbusy"
)
GARBAGE = b"\x00\xffnothing that HTTP knows\r\n\r\n"
EMPTY_OK = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
READONLY = (
    b"HTTP/1.1 500 Internal Server Error\r\nX-ClickHouse-Exception-Code: 242\r\n"
    b"Content-Length: 62\r\nConnection: close\r\n\r\n"
    b"Code: 242. DB::Exception: Table is in readonly mode. (TABLE_IS_"
)

row("C1")(partial(kill_loop, "clickhouse", 1, 8))


@row("C2")
def store_down(run: Run) -> None:
    """Down longer than every timer: the gateway goes on answering 2xx, the lag drains after."""
    run.start()
    run.pause(2, 4)
    run.fault()
    with Memory(run, "worker-1"), Memory(run, "gateway-1"):
        run.system.hold("clickhouse")
        acked = run.load.acked
        run.pause(EVERY_TIMER_SECONDS)
        run.outcome.figures["acked_meanwhile"] = run.load.acked - acked
        run.expect(run.load.acked - acked > 100, "the gateway went on answering 2xx")
        run.expect(run.load.retried == 0, "and nothing else")
        run.system.let_go("clickhouse")
        run.healed()
    run.expect(not run.system.status_of("worker-1"), "the worker waited in place")
    run.finish()


@row("C3")
def answers_of_the_store_lost(run: Run) -> None:
    """An insert is applied, and its answer never comes."""
    run.start()
    proxy = run.topology.clickhouse_proxies["worker"]
    until = time.monotonic() + SECONDS
    while time.monotonic() < until:
        run.pause(0.5, 2)
        before = proxy.cuts
        proxy.hurt(answers_lost=True)
        run.pause(0.1, 0.8)
        proxy.up()
        run.outcome.faults += proxy.cuts - before
    run.expect(proxy.cuts > 0, "answers were lost")
    run.healed()
    run.finish()


@row("C4")
def store_stopped(run: Run) -> None:
    """It hangs, and no connection is reset; a worker that is told to end then does."""
    run.start()
    run.pause(2, 4)
    run.fault()
    run.system.signal("clickhouse", signal.SIGSTOP)
    run.pause(SECONDS / 2)
    run.system.signal("clickhouse", signal.SIGCONT)
    run.healed()
    run.fault()
    run.system.signal("clickhouse", signal.SIGSTOP)
    run.pause(2)
    began = time.monotonic()
    run.system.signal("worker-1", signal.SIGTERM)
    run.until(lambda: run.system.status_of("worker-1"), "the worker's end", 20)
    run.outcome.figures["ended_after_seconds"] = round(time.monotonic() - began, 1)
    run.expect(run.system.status_of("worker-1") == [0], "exit status 0")
    run.system.signal("clickhouse", signal.SIGCONT)
    run.healed()
    run.finish()


@row("C5-wrong-answers")
def store_answers_wrongly(run: Run) -> None:
    """5xx, read-only, garbage, an empty 200, answers cut short: none of it is a confirmation."""
    run.start()
    proxy = run.topology.clickhouse_proxies["worker"]
    for toxics in (
        {"canned": BUSY},
        {"canned": READONLY},
        {"canned": GARBAGE},
        {"canned": EMPTY_OK},
        *({"answers_cut_after": size} for size in (0, 1, 20, 150, 300, 600)),
    ):
        run.pause(1, 2)
        run.fault(f"ClickHouse's answers: {str(toxics)[:60]}")
        proxy.hurt(**toxics)
        run.pause(max(2.0, SECONDS / 12))
        proxy.cut()
        proxy.up()
        run.healed()
    run.finish()


@row("C5-disk-full")
def store_disk_full(run: Run) -> None:
    """No room for parts: nothing is committed meanwhile, and it goes on when there is room."""
    with Disk(run.root / "clickhouse", megabytes=192) as disk:
        run.start()
        run.pause(3, 5)
        for _ in range(2):
            run.fault("no room on ClickHouse's disk")
            disk.fill()
            run.pause(SECONDS / 4)
            disk.clear()
            run.story.tell("room again")
            run.healed()
        run.finish()
        run.end()


@row("C6", stops=1)
def store_set_back(run: Run) -> None:
    """Rows are restored from an older copy: the worker stops, `replay` brings them back."""
    run.start()
    run.pause(3, 5)
    place, copy = run.root / "clickhouse" / "chdb", run.root / "copy"
    run.system.hold("clickhouse")
    run.until(lambda: run.system.pid("clickhouse") is None, "its end")
    shutil.copytree(place, copy, symlinks=True)
    run.system.let_go("clickhouse")
    run.healed()
    run.pause(SECONDS / 6)
    run.fault("the store is set back to the copy")
    with run.looks.blind(), run.questions.blind():
        run.system.hold("clickhouse")
        run.until(lambda: run.system.pid("clickhouse") is None, "its end")
        shutil.rmtree(place)
        copy.rename(place)
    run.system.let_go("clickhouse")
    run.until(lambda: run.system.needs_person("worker-1"), "the worker stops for a person")
    stop = run.system.logged("worker-1", "stopped")[-1]
    run.expect(stop["reason"] == "store_went_back", str(stop))
    run.expect("replay --from progress" in stop["remedy"], str(stop))
    run.pause(3)
    run.expect(run.system.needs_person("worker-1"), "it is not started again")
    usage_report(run, "replay", "--from", "progress")
    run.system.start_again("worker-1")
    run.healed()
    run.finish()
