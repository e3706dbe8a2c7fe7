"""Figures of a row of the fault suite, added to one JSON file a row where the suite wants them.

Next: tests.faults.bad_input
"""

import json
import os
from pathlib import Path
from typing import Any

DIRECTORY = "USAGE_FAULT_REPORT_DIR"
_COUNTS = ("runs", "requests", "server_errors", "crashes", "lost", "doubled")


def record(row: str, *, passed: bool = True, figures: dict[str, Any], **counts: int) -> None:
    """Add one run to the row's file, and tell it on standard output.

    `counts` are those of _COUNTS; parts of a row add up, and one that failed fails the row.
    """
    print(f"{row}: {json.dumps({**counts, **figures})}")
    directory = os.environ.get(DIRECTORY)
    if not directory:
        return
    path = Path(directory) / f"{row}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    so_far = json.loads(path.read_text()) if path.exists() else {}
    added = {"runs": 1, **counts}
    sums = {name: so_far.get(name, 0) + added.get(name, 0) for name in _COUNTS}
    sound = passed and so_far.get("verdict", "passed") == "passed"
    whole = {"id": row, **sums, "figures": {**so_far.get("figures", {}), **figures}}
    path.write_text(json.dumps({**whole, "verdict": "passed" if sound else "failed"}, indent=1))
