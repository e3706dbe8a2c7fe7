"""What stays as it is while everything grows: the worker's speed over many rows, and its memory.

For its memory it works at full speed for minutes: a log that another process keeps filling.

Next: tests.bench.results
"""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from deploy import ports
from sinks.clickhouse import connect
from sinks.migrate import migrate
from tests.bench.gateway_speed import engines
from tests.bench.loads import Load
from tests.bench.results import Comparison, Growth
from tests.bench.worker_speed import OURS, Bench, flushes
from tests.faults.memory import MEGABYTE, own_bytes

_EVENTS_A_ROW = 5
# Full after a minute or two, so that what is looked at is a worker that evicts.
_STATE_MAX_BYTES = 64 * MEGABYTE
_START_SECONDS = 60.0


def measure_speed(
    directory: Path,
    *,
    events: int,
    runs: int,
    rows: tuple[int, ...],
    longest_seconds: float,
    kept: dict[str, Growth],
) -> Iterator[Comparison]:
    """The worker over each number of rows, against the first; `kept` gets all of it."""
    with ExitStack() as stack:
        bench = Bench(directory / "growth", Load(events, _EVENTS_A_ROW), longest_seconds, stack)
        rates = [[bench.run(OURS, run, rows_behind=each) for each in rows] for run in range(runs)]
    first, *later = found = list(map(list, zip(*rates, strict=True)))
    kept["worker"] = Growth("speed of the worker", "events a second", list(rows), found)
    for behind, speeds in zip(rows[1:], later, strict=True):
        what, against = f"worker over {behind:,} rows", f"over {rows[0]:,}"
        yield Comparison(what, against, "events/s", speeds, first, 0.9)


@dataclass(frozen=True)
class Memory:
    """MiB of a worker over time, and how many events it folded meanwhile."""

    seconds: list[float]
    mib: list[float]
    events: int

    def at(self, share: float) -> float:
        """The median of the minute (or tenth) that ends at this share of the time."""
        end = self.seconds[-1] * share
        width = max(1.0, self.seconds[-1] / 10)
        return median(
            mib for at, mib in zip(self.seconds, self.mib, strict=True) if end - width <= at <= end
        )


def measure_memory(
    directory: Path, *, seconds: float, kept: dict[str, list[float]]
) -> Iterator[Comparison]:
    """Memory at half time against that at the end; `kept` gets all of it."""
    with ExitStack() as stack:
        found = full_speed(directory / "memory", seconds, stack)
    kept.update({"seconds": found.seconds, "mib": found.mib})
    what = f"memory at half of {seconds / 60:.0f} minutes, {found.events / 1e6:.1f} million events"
    yield Comparison(what, "at their end", "MiB", [found.at(0.5)], [found.at(1)], 0.97)


def full_speed(directory: Path, seconds: float, stack: ExitStack) -> Memory:
    """A worker that never waits for the log, looked at once a second."""
    clickhouse, kafka = engines(directory, stack)
    with closing(connect(clickhouse.dsn)) as client:
        migrate(client)
    log = directory / "worker.log"
    environment = {
        **os.environ,
        "CLICKHOUSE_DSN": clickhouse.dsn,
        "KAFKA_BOOTSTRAP": kafka.bootstrap,
        "USAGE_STATE_DIR": str(directory / "worker"),
        "USAGE_STATE_MAX_BYTES": str(_STATE_MAX_BYTES),
        "USAGE_WORKER_PORT": str(ports.free()),
        "USAGE_LOG_FORMAT": "json",
    }
    with log.open("wb") as out:
        filling = [sys.executable, "-m", "tests.bench.log_load", kafka.bootstrap]
        load = subprocess.Popen(filling)
        stack.callback(_end, load)
        worker = subprocess.Popen(OURS.command, env=environment, stdout=out, stderr=out)
        stack.callback(_end, worker)
        _wait_for_first(log, worker)
        begun, at, mib = time.monotonic(), [], []
        while (passed := time.monotonic() - begun) < seconds:
            if worker.poll() is not None or load.poll() is not None:
                raise RuntimeError(log.read_text()[-4000:])
            at.append(passed)
            mib.append(own_bytes(worker.pid) / MEGABYTE)
            time.sleep(1)
    return Memory(at, mib, sum(stored for _, stored in flushes(log)))


def _wait_for_first(log: Path, worker: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while not flushes(log):
        if time.monotonic() > deadline or worker.poll() is not None:
            raise RuntimeError(log.read_text()[-4000:])
        time.sleep(0.2)


def _end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()
