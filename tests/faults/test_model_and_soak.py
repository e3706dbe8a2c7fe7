"""Rows S1 and S2: a soak of a few minutes, and many schedules of the model with each rule left out.

By hand both go on for as long as one likes: `make soak MINUTES=60`, `python -m tests.model`.
"""

import os

import pytest

from tests.faults import report, soak
from tests.faults.test_rows import REPORT, SEED
from tests.model.parts import PARTS
from tests.model.schedules import run

MINUTES = float(os.environ.get("USAGE_SOAK_MINUTES", "5"))
SCHEDULES = int(os.environ.get("USAGE_MODEL_SCHEDULES", "1500"))
FIRST = 9_000_000
# Seldom seen parts need so many schedules and more; the rest are seen within a few hundred.
AT_MOST = 6_000

pytestmark = [pytest.mark.faults, pytest.mark.timeout(int(MINUTES * 60) + 3600)]


def test_s1_soak(tmp_path):
    """Nothing is lost or doubled under a random mix of faults; memory tells only in a long one."""
    wrong = soak.perform(tmp_path, SEED, REPORT, minutes=MINUTES)
    assert [what for what in wrong if "MiB an hour" not in what] == []


def test_s2_model():
    """No schedule goes wrong with all rules in place; with any one left out some do."""
    wrong = [seed for seed in range(FIRST, FIRST + SCHEDULES) if run(seed).wrong]
    first_seen = {part: _first_wrong(part) for part in PARTS}
    outcome = {
        "id": "S2",
        "runs": SCHEDULES,
        "lost": len(wrong),
        "doubled": 0,
        "figures": {"wrong": wrong, "schedules_until_seen_without": first_seen},
        "verdict": "passed" if not wrong and None not in first_seen.values() else "failed",
    }
    report.keep(REPORT, f"S2-whole-{FIRST}", outcome)
    assert outcome["verdict"] == "passed", outcome


def _first_wrong(part: str) -> int | None:
    """How many schedules it takes to see that a part is missing."""
    tried = (number for number in range(AT_MOST) if run(FIRST + number, part).wrong)
    first = next(tried, None)
    return None if first is None else first + 1
