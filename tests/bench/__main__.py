"""`make bench`: every comparison in one run; prints one table, and keeps figures and pictures.

`--short` is for a quick look: one run of each, in under two minutes, of little meaning.
"""

import argparse
import json
import os
import platform
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.bench import gateway_speed, growth, report_speed, visible, worker_speed
from tests.bench.plots import plot_delays, plot_growth, plot_memory, plot_ratios, plot_speeds
from tests.bench.results import Comparison, Delay, Growth, as_markdown, show

PARTS = ("worker", "gateway", "visible", "report", "growth", "memory")


@dataclass(frozen=True)
class Size:
    """How much is done by the parts: events of the worker, seconds, rows of reports."""

    runs: int
    events: int
    longest_seconds: float
    gateway_seconds: float
    visible_seconds: float
    report_rows: int
    exported_rows: int
    report_loads: int
    rows_behind: tuple[int, ...]
    memory_seconds: float


FULL = Size(
    runs=5,
    events=500_000,
    longest_seconds=60.0,
    gateway_seconds=5.0,
    visible_seconds=60.0,
    report_rows=100_000_000,
    exported_rows=1_000_000,
    report_loads=20,
    rows_behind=(100_000, 1_000_000, 10_000_000),
    memory_seconds=600.0,
)
SHORT = Size(
    runs=1,
    events=100_000,
    longest_seconds=3.0,
    gateway_seconds=1.5,
    visible_seconds=5.0,
    report_rows=2_000_000,
    exported_rows=20_000,
    report_loads=5,
    rows_behind=(1_000, 100_000),
    memory_seconds=10.0,
)


@dataclass
class Report:
    """What was found so far, written again after each part."""

    directory: Path
    size: Size
    found: list[Comparison | Delay] = field(default_factory=list)
    delays: dict[str, list[float]] = field(default_factory=dict)
    memory: dict[str, list[float]] = field(default_factory=dict)
    growth: dict[str, Growth] = field(default_factory=dict)

    def write(self) -> None:
        """Figures as JSON, and their pictures."""
        self.directory.mkdir(parents=True, exist_ok=True)
        figures = {
            "machine": machine(),
            "at": datetime.now(UTC).isoformat(timespec="seconds"),
            "size": vars(self.size),
            "found": [each.as_json() for each in self.found],
            "delays": self.delays,
            "memory": self.memory,
            "growth": [each.as_json() for each in self.growth.values()],
        }
        (self.directory / "bench.json").write_text(json.dumps(figures, indent=1) + "\n")
        (self.directory / "table.md").write_text(as_markdown(self.found))
        compared = [each for each in self.found if isinstance(each, Comparison)]
        if compared:
            plot_ratios(compared, self.directory / "ratios.svg")
            plot_speeds(compared, self.directory / "speeds.svg")
        if self.delays:
            plot_delays(self.delays, self.directory / "delays.svg")
        if self.memory:
            plot_memory(self.memory, self.directory / "memory.svg")
        for name, found in self.growth.items():
            plot_growth(found, self.directory / f"growth-{name}.svg")


def main() -> None:
    """Measure the parts that are asked for."""
    options = parse()
    size = size_of(options)
    report = Report(options.report, size)
    for part in options.only or PARTS:
        begun = time.monotonic()
        with tempfile.TemporaryDirectory() as directory:
            report.found += measured(part, Path(directory), report)
        report.write()
        print(f"{part}: {time.monotonic() - begun:.0f} s", flush=True)
    show(report.found, f"{size.runs} runs on {machine()['name']}")


def measured(part: str, directory: Path, report: Report) -> Iterator[Comparison | Delay]:
    """One part; each starts its own Kafka and ClickHouse."""
    size, runs = report.size, report.size.runs
    if part == "worker":
        longest = size.longest_seconds
        yield from worker_speed.measure(
            directory, events=size.events, runs=runs, longest_seconds=longest
        )
    elif part == "gateway":
        yield from gateway_speed.measure(directory, runs=runs, seconds=size.gateway_seconds)
    elif part == "visible":
        yield from visible.measure(
            directory, runs=runs, seconds=size.visible_seconds, kept=report.delays
        )
    elif part == "report":
        yield from report_speed.measure(
            directory,
            rows=size.report_rows,
            exported=size.exported_rows,
            runs=runs,
            loads=size.report_loads,
            kept=report.growth,
        )
    elif part == "growth":
        yield from growth.measure_speed(
            directory,
            events=size.events,
            runs=runs,
            rows=size.rows_behind,
            longest_seconds=size.longest_seconds,
            kept=report.growth,
        )
    else:
        yield from growth.measure_memory(directory, seconds=size.memory_seconds, kept=report.memory)


def parse() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="tests.bench", description=__doc__)
    parser.add_argument("--short", action="store_true", help="a quick look, under two minutes")
    parser.add_argument("--runs", type=int, help=f"runs of each side; default {FULL.runs}")
    parser.add_argument("--events", type=int, help=f"events for the worker; default {FULL.events}")
    parser.add_argument("--only", nargs="*", choices=PARTS, help="parts; default all")
    parser.add_argument("--report", type=Path, default=Path("bench-report"), help="directory")
    return parser.parse_args()


def size_of(options: argparse.Namespace) -> Size:
    """The size that the options ask for."""
    size = SHORT if options.short else FULL
    asked = {name: getattr(options, name) for name in ("runs", "events")}
    return Size(**{**vars(size), **{name: each for name, each in asked.items() if each}})


def machine() -> dict[str, Any]:
    """What it was measured on."""
    cpu = next(
        (
            line.partition(":")[2].strip()
            for line in _lines("/proc/cpuinfo")
            if "model name" in line
        ),
        platform.machine(),
    )
    cores = os.cpu_count()
    memory_gib = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {
        "name": f"{cores} cores of {cpu}, {memory_gib:.0f} GiB",
        "cores": cores,
        "memory_gib": round(memory_gib, 1),
        "system": platform.platform(),
        "python": platform.python_version(),
    }


def _lines(file: str) -> list[str]:
    path = Path(file)
    return path.read_text().splitlines() if path.exists() else []


if __name__ == "__main__":
    main()
