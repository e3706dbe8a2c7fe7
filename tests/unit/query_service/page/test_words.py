"""Numbers, days and counts as people read them."""

import re
from pathlib import Path

import pytest

from query_service.page import rendering, words
from schemas.reports import LABELS

THIN = "\N{NARROW NO-BREAK SPACE}"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (999, "999"),
        (1000, f"1{THIN}000"),
        ("1234567.25", f"1{THIN}234{THIN}567.25"),
        ("0.5", "0.5"),
        (None, words.NONE),
    ],
)
def test_digits_are_grouped(value, text):
    """Exact decimals stay exact."""
    assert words.number(value) == text


def test_days_and_moments():
    """A moment is told in UTC, as days are."""
    assert words.day("2026-03-01") == "1 Mar 2026"
    assert words.moment("2026-03-01T23:59:59.000Z") == "1 Mar 2026, 23:59 UTC"
    assert words.day(None) == words.NONE


def test_cells():
    """By the kind of the column; a value has the word of every surface."""
    assert words.cell("access", "flex") == "Flex"
    assert words.cell("last_accessed", "2026-03-01T10:00:00.000Z") == "1 Mar 2026"
    assert words.cell("launches", 1200) == f"1{THIN}200"
    assert words.cell("group", None) == words.NONE


def test_counts():
    """One seat, two seats."""
    assert words.count(1, "seat") == "1 seat"
    assert words.count(2, "seat") == "2 seats"
    assert words.count(1, "seat is", "seats are") == "1 seat is"


def test_labels_come_from_one_place():
    """No template words a column's name itself."""
    templates = (Path(rendering.__file__).parents[1] / "templates").glob("*.html")
    worded = [
        (template.name, text)
        for template in templates
        for text in re.findall(r"<(?:dt|th)\b[^>]*>([^<{]+)</", template.read_text("utf-8"))
        if text in LABELS.values()
    ]
    assert worded == []
