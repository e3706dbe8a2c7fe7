"""The report in the terminal: the columns that hold something and fit, in people's words."""

import pytest

from deploy.commands.report import cell, fitting, width_of
from query_service.columns import COLUMNS
from schemas.reports import LABELS

ROW = {
    **dict.fromkeys(COLUMNS),
    "hashed_user_id": "ab" * 20,
    "product_id": "sample-product-cad",
    "team_id": "sample-team-1",
    "access": "subscription",
    "days_used": 12,
    "launches": 30,
    "tokens_used": "0",
    "last_accessed": "2026-03-01T10:11:12.000Z",
    "monthly_average": "4.0",
    "frequency": "occasional",
}


def test_every_column_has_a_label():
    """Each column of the report has one label, and no label is left over or used twice."""
    assert tuple(LABELS) == COLUMNS
    assert len(set(LABELS.values())) == len(LABELS)


@pytest.mark.parametrize("width", [60, 80, 100, 120, 200])
def test_what_is_shown_fits(width):
    """Who, what and how much come first; the rest only as far as the terminal is wide."""
    shown = fitting([ROW], width)
    assert shown[:3] == ["hashed_user_id", "product_id", *shown[2:3]]
    assert "days_used" in shown
    assert sum(width_of([ROW], name) + 2 for name in shown) <= width


def test_eighty_columns_are_enough_for_the_figures():
    """The usual terminal shows days, launches and tokens by user, product and team."""
    figures = {"days_used", "launches", "tokens_used", "team_id"}
    assert figures < set(fitting([ROW], 80))


def test_a_wider_terminal_shows_more():
    """Columns are added in order of what they tell; empty ones never are."""
    narrow, wide = fitting([ROW], 100), fitting([ROW], 300)
    assert set(narrow) < set(wide)
    assert set(wide) == {name for name, value in ROW.items() if value is not None}


def test_no_rows_need_no_columns():
    """An empty report is shown, too."""
    assert fitting([], 80) == ["days_used"]


def test_cells_read_well():
    """Hashes are short, times end with the minute, what is absent stays absent."""
    assert cell(ROW, "hashed_user_id") == "ababababab"
    assert cell(ROW, "last_accessed") == "2026-03-01 10:11"
    assert cell(ROW, "seat") is None
