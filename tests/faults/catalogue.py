"""Every fault by its id: what is done, and the runs that do it.

Next: tests.faults.rows_worker
"""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.faults.run import Run

# How long a fault goes on where that is a matter of patience; make test takes less.
SECONDS = float(os.environ.get("USAGE_FAULT_SECONDS", "60"))
TIMES = int(os.environ.get("USAGE_FAULT_TIMES", "20"))

FAULTS = {
    "W1": "worker: kill -9, again and again",
    "W2": "worker and gateway: death at every failpoint",
    "W3": "worker: stopped beyond its session, another takes over, it goes on",
    "W4": "worker: SIGTERM under load",
    "W5": "workers: 1, 3, 1, and again",
    "W6": "workers: 1, 3, 1 while ClickHouse is down",
    "W7": "poison records",
    "K1": "broker: kill -9, again and again",
    "K2": "broker: stopped for 5 and 30 s",
    "K3": "broker: unreachable longer than every timer",
    "K4": "broker: answers lost after the record is stored",
    "K5": "broker: 300 ms away, 64 KB/s, 1 byte at a time",
    "K6": "broker: disk full",
    "K7": "broker: retention deletes what is not folded",
    "K8": "topic created again; partitions added by hand; epoch bump",
    "K9": "group's offsets reset to the earliest",
    "K10": "offsets reset forward; log cut at its end; store set back",
    "K11": "three brokers: the leader killed",
    "C1": "ClickHouse: kill -9, again and again",
    "C2": "ClickHouse: down longer than every timer",
    "C3": "ClickHouse: insert applied, answer lost",
    "C4": "ClickHouse: stopped",
    "C5": "ClickHouse: disk full; 5xx; garbage; answers cut short",
    "C6": "ClickHouse: rows restored from an older copy",
    "G1": "gateway: kill -9 in mid-request, clients retry",
    "G2": "every request 1 to 5 times at once, over two gateways, workers killed",
    "G3": "slow clients, idle sockets, a storm of retries",
    "G4": "fuzzed input",
    "E1": "late and out of order, at the window's edges",
    "E2": "clocks jump a day, on gateway and worker",
    "E3": "midnight, end of month, leap day",
    "E4": "one row hot; a million rows",
    "N1": "worker cut off from the broker only, then from ClickHouse only",
    "S1": "soak: a random mix",
    "S2": "model: each rule left out",
}


@dataclass(frozen=True)
class Row:
    """A way to run a row: `scenario` does it all, `options` are those of `Run`.

    `stops`: how many processes have to end with status 78.
    """

    scenario: Callable[[Run], None]
    options: dict[str, Any] = field(default_factory=dict)
    stops: int = 0


ROWS: dict[str, Row] = {}


def row(name: str, *, stops: int = 0, **options: Any) -> Callable[..., Callable[[Run], None]]:
    """Register a scenario under `id` or `id-variant`."""

    def register(scenario: Callable[[Run], None]) -> Callable[[Run], None]:
        ROWS[name] = Row(scenario, options, stops)
        return scenario

    return register


def kill_loop(name: str, shortest: float, longest: float, run: Run) -> None:
    """Kill -9 of a process again and again, after a pause of so many seconds each time."""
    run.start()
    until = time.monotonic() + SECONDS
    while time.monotonic() < until:
        run.pause(shortest, longest)
        run.kill(name)
        run.system.until_ready(name)
    run.healed()
    run.finish()


def id_of(name: str) -> str:
    """The catalogue's id of a row or of a variant of one."""
    return name.split("-", maxsplit=1)[0]
