"""Negative controls: with a part of the worker left out, the same rows report what goes wrong.

Otherwise the harness would be blind.
"""

import pytest

from tests.faults.perform import perform
from tests.faults.test_rows import REPORT, SEED

pytestmark = [pytest.mark.faults, pytest.mark.timeout(1200)]

IN_MID_BATCH = ("W2-stored_usage_events", "W2-stored_usage_daily", "W2-stored_usage_ledger")
# What is left out, and rows that must see it: three for each. Offsets committed ahead of the store
# are found by the next worker, which then stops for a person: rule 8.
SEEN_BY = {
    "guard": ("W2-stored_usage_daily", "W2-stored_usage_ledger", "K9"),
    "seq": ("W1", "K1", "C1"),
    "noack-take": IN_MID_BATCH,
    "insert-before-ack": IN_MID_BATCH,
}


@pytest.mark.parametrize(
    ("without", "name"), [(part, name) for part, names in SEEN_BY.items() for name in names]
)
def test_the_harness_is_not_blind(tmp_path, without, name):
    """The row reports events lost or counted twice, or the worker stops when it finds them lost."""
    outcome = perform(name, tmp_path, SEED, REPORT, without=without)
    assert outcome.reported, outcome.complaints()
