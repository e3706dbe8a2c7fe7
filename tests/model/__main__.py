"""Runs many schedules on all cores and prints how many of them went wrong.

Next: tests.model.schedules
"""

import argparse
import os
import sys
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field

# Frames are tiny: the cores are for the schedules.
os.environ.setdefault("POLARS_MAX_THREADS", "1")

from tests.model.parts import PARTS
from tests.model.schedules import run

_CHUNK = 100


@dataclass
class Count:
    """What came of some schedules."""

    schedules: int = 0
    wrong: list[int] = field(default_factory=list)
    errors: int = 0


def main() -> int:
    """Exit status 1 when a schedule goes wrong with all parts in place."""
    arguments = _arguments()
    parts = [None, *PARTS] if arguments.table else [arguments.without]
    print(f"{'left out':<40}{'schedules':>10}{'wrong':>8}{'share':>9}{'restarts':>10}  seeds")
    status = 0
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        for part in parts:
            count = Count()
            chunks = _chunks(arguments.seed, arguments.schedules)
            for seeds, wrong, errors in pool.map(_run, chunks, [part] * len(chunks)):
                count.schedules += seeds
                count.wrong += wrong
                count.errors += errors
            _print(part, count)
            status |= part is None and bool(count.wrong)
    return int(status)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.model", description=__doc__)
    parser.add_argument("--schedules", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0, help="the first schedule's seed")
    parser.add_argument("--without", choices=PARTS, metavar="PART", help=f"one of {PARTS}")
    parser.add_argument("--table", action="store_true", help="each part left out in turn")
    return parser.parse_args()


def _chunks(first: int, schedules: int) -> list[range]:
    last = first + schedules
    return [range(seed, min(seed + _CHUNK, last)) for seed in range(first, last, _CHUNK)]


def _run(seeds: range, part: str | None) -> tuple[int, list[int], int]:
    wrong, errors = [], 0
    for seed in seeds:
        outcome = run(seed, part)
        errors += len(outcome.errors)
        if outcome.wrong:
            wrong.append(seed)
    return len(seeds), wrong, errors


def _print(part: str | None, count: Count) -> None:
    share = len(count.wrong) / count.schedules
    seeds = ", ".join(map(str, count.wrong[:4]))
    print(
        f"{part or 'nothing':<40}{count.schedules:>10}{len(count.wrong):>8}{share:>9.2%}"
        f"{count.errors:>10}  {seeds}",
        flush=True,
    )


if __name__ == "__main__":
    sys.exit(main())
