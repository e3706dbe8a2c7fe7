"""The report's columns and their order."""

from itertools import product

from query_service.columns import COLUMNS, GRAINS, PERSONAL, sort_keys
from schemas.reports import LABELS


def test_every_column_has_a_label():
    """One human label for each, and for nothing else."""
    assert tuple(LABELS) == COLUMNS


def test_every_column_of_every_grain_can_be_sorted_by():
    """The identity ends each order, so that it is total and a cursor is a place in it."""
    for grain, shown in product(GRAINS.values(), (True, False)):
        for name in set(grain.columns) - (set() if shown else set(PERSONAL)):
            keys = sort_keys(grain, (f"-{name}",), shown=shown)
            assert [key.expression for key in keys[-len(grain.identity) :]] == list(grain.identity)
