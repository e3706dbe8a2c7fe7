"""The table of a suite: one JSON file a run, printed together.

`python -m tests.faults.report DIRECTORY` prints what a directory holds.

Next: tests.faults.test_rows
"""

import json
import sys
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from tests.faults.catalogue import FAULTS

COLUMNS = ("id", "fault", "runs", "faults", "acked", "lost", "doubled", "recovery s", "verdict")


def keep(directory: Path, name: str, outcome: dict[str, Any]) -> None:
    """Write one run's outcome."""
    directory.mkdir(parents=True, exist_ok=True)
    (directory / f"{name}.json").write_text(json.dumps(outcome, indent=1, default=str) + "\n")


def rows(directory: Path) -> list[dict[str, Any]]:
    """The runs of each row of the catalogue together; a row without a run says so."""
    found: dict[str, list[dict[str, Any]]] = {}
    for path in sorted(directory.glob("*.json")):
        run = json.loads(path.read_text())
        if run.get("control") is None:
            found.setdefault(run["id"], []).append(run)
    return [_row(name, fault, found.get(name, [])) for name, fault in FAULTS.items()]


def _row(name: str, fault: str, runs: list[dict[str, Any]]) -> dict[str, Any]:
    def total(what: str) -> int:
        return sum(int(run.get(what) or 0) for run in runs)

    verdicts = {run["verdict"] for run in runs}
    return {
        "id": name,
        "fault": fault,
        "runs": sum(int(run.get("runs") or 1) for run in runs),
        "faults": total("faults"),
        "acked": total("acked"),
        "lost": total("lost"),
        "doubled": total("doubled"),
        "recovery s": max((run.get("recovery_seconds") or 0 for run in runs), default=None),
        "verdict": "not run" if not runs else "passed" if verdicts == {"passed"} else "FAILED",
    }


def controls(directory: Path) -> list[dict[str, Any]]:
    """The runs with a part left out: each must have been reported."""
    found = [json.loads(path.read_text()) for path in sorted(directory.glob("*.json"))]
    return [
        {
            "left out": run["control"],
            "row": run["run"],
            "acked": run["acked"],
            "lost": run["lost"],
            "doubled": run["doubled"],
            "reported": run["reported"],
            "first of all": next(iter(run["complaints"]), ""),
        }
        for run in found
        if run.get("control") is not None
    ]


def show(directory: Path) -> None:
    """Print both tables."""
    _print("Fault catalogue", COLUMNS, rows(directory))
    left_out = controls(directory)
    if left_out:
        _print("With a part left out", tuple(left_out[0]), left_out)


def _print(title: str, columns: tuple[str, ...], lines: list[dict[str, Any]]) -> None:
    table = Table(title=title, title_justify="left")
    for column in columns:
        table.add_column(column)
    for line in lines:
        table.add_row(*("" if line[name] is None else str(line[name]) for name in columns))
    Console(width=140).print(table)


if __name__ == "__main__":
    show(Path(sys.argv[1]))
