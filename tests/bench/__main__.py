"""`make bench`: runs every comparison and prints the tables; `--json FILE` keeps the figures."""

import argparse
import json
import os
import platform
import tempfile
from contextlib import ExitStack
from pathlib import Path

from tests.bench.worker_speed import Bench, Load, summary


def main() -> None:
    """Run the product's worker and the plain one in turn, as often as asked."""
    options = parse()
    results = {}
    for name, events_a_row in (("5 events a row", 5), ("every event a row of its own", 1)):
        load = Load(options.events, events_a_row)
        with ExitStack() as stack:
            directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            bench = Bench(directory, load, stack)
            pairs = [
                (bench.run("aggregators", run), bench.run("tests.bench.plain_faust", run))
                for run in range(options.runs)
            ]
        results[name] = summary(*map(list, zip(*pairs, strict=True)))
        print_result(name, results[name])
    figures = {
        "machine": f"{os.cpu_count()} cores, {platform.machine()}",
        "events": options.events,
        "runs": options.runs,
        "worker": results,
    }
    if options.json:
        options.json.write_text(json.dumps(figures, indent=2) + "\n")


def parse() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="tests.bench", description=__doc__)
    parser.add_argument("--events", type=int, default=200_000, help="events a run")
    parser.add_argument("--runs", type=int, default=3, help="runs of each side")
    parser.add_argument("--json", type=Path, help="file to keep the figures in")
    return parser.parse_args()


def print_result(name: str, result: dict[str, float]) -> None:
    """One line a comparison: medians in events a second, and the ratio pair by pair."""
    print(
        f"worker, {name}: ours {result['ours']:,.0f}/s, plain Faust {result['plain_faust']:,.0f}/s,"
        f" ratio {result['ratio']:.1f} ({result['ratio_min']:.1f} to {result['ratio_max']:.1f})",
        flush=True,
    )


if __name__ == "__main__":
    main()
