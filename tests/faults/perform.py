"""Performs one run of a row, whole or with a part of the worker left out, and keeps its outcome.

Next: tests.faults.run
"""

import shutil
from pathlib import Path

from schemas.rejects import Unavailable
from tests.faults import report
from tests.faults.catalogue import id_of
from tests.faults.rows import ROWS
from tests.faults.run import Outcome, Run

FAULTY_WORKER = "tests.support.faulty_worker"
# What may be left out, and how the faulty worker is told.
CONTROLS = {
    "guard": {"USAGE_FAULT_GUARD": "off"},
    "first-seen": {"USAGE_FAULT_FIRST_SEEN": "off"},
    "seq": {"USAGE_FAULT_SEQ": "off"},
    "noack-take": {"USAGE_FAULT_NOACK_TAKE": "off"},
    "insert-before-ack": {"USAGE_FAULT_INSERT_BEFORE_ACK": "off"},
}


def perform(
    name: str,
    place: Path,
    seed: int,
    directory: Path,
    *,
    without: str | None = None,
    keep: bool = False,
) -> Outcome:
    """Run it in the directory `place`; what happens when follows from `seed`."""
    wanted = ROWS[name]
    options = dict(wanted.options)
    if without:
        options["modules"] = {"worker": FAULTY_WORKER}
        options["extra"] = {"worker": CONTROLS[without], **options.get("extra", {})}
    run = Run(name, place, seed, **options)
    run.outcome.expected_stops = wanted.stops
    try:
        wanted.scenario(run)
    except (AssertionError, TimeoutError, Unavailable) as error:
        run.outcome.failure = str(error) or type(error).__name__
        run.story.tell(f"failed: {run.outcome.failure}")
    finally:
        run.end()
    outcome = {**run.outcome.as_json(), "id": id_of(name), "run": name, "control": without}
    report.keep(directory, f"{name}-{without or 'whole'}-{seed}", outcome)
    if not keep and not run.outcome.complaints():
        shutil.rmtree(place, ignore_errors=True)
    return run.outcome
