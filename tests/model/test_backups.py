"""A backup that is read in the right order restores right, whatever workers write meanwhile.

Next: deploy.backup
"""

import pytest

from deploy.backup import in_order
from tests.model.backups import run

TABLES = ("progress", "usage_ledger", "usage_daily", "usage_events")
SCHEDULES = 60


def wrong(order) -> bool:
    """Whether any schedule goes wrong."""
    return any(run(seed, order).wrong for seed in range(SCHEDULES))


def test_the_order_of_backups():
    """Progress first, as the backup command has it: no schedule goes wrong."""
    order = in_order(sorted(TABLES))
    assert order == list(TABLES)
    assert not wrong(order)


@pytest.mark.parametrize(
    "order",
    [
        ("usage_events", "usage_daily", "usage_ledger", "progress"),
        ("usage_ledger", "usage_daily", "progress", "usage_events"),
        ("usage_ledger", "progress", "usage_daily", "usage_events"),
        ("usage_events", "progress", "usage_ledger", "usage_daily"),
    ],
)
def test_other_orders_go_wrong(order):
    """What is read before progress lacks what progress vouches for."""
    assert wrong(order)


def test_a_replay_heals_rows_ahead_of_events():
    """Only where the log is gone does it matter which of the two is read first."""
    assert not wrong(("progress", "usage_events", "usage_daily", "usage_ledger"))
