"""What a query string asks for, and every way it can be wrong."""

from datetime import UTC, date, datetime
from decimal import Decimal
from urllib.parse import parse_qsl

import pytest

from query_service.cursor import Cursor, encode
from query_service.problems import Problem
from query_service.queries import daily_query, report_query
from tests.support.views import SECRET, view

NOW = datetime(2026, 5, 31, 15, 30, 0, 123_456, tzinfo=UTC)


def ask(text, *, tenant="sample"):
    """The query of a query string."""
    return report_query(parse_qsl(text, keep_blank_values=True), view(NOW, tenant=tenant))


def wrong(text):
    """(parameter, reason) of everything that is wrong with it."""
    with pytest.raises(Problem) as caught:
        ask(text)
    assert caught.value.status == 400
    return [(error.parameter, error.reason) for error in caught.value.errors]


def test_the_defaults():
    """Three months to now, by user and product, most days first, a hundred rows."""
    query = ask("")
    assert (query.range.start, query.range.end) == (date(2026, 2, 28), date(2026, 5, 31))
    assert query.range.as_of == datetime(2026, 5, 31, 15, 30, 0, 123_000, tzinfo=UTC)
    assert (query.grain.name, query.limit, query.after) == ("user_product", 100, None)
    assert [key.expression for key in query.keys][:2] == [
        "toInt128(ifNull(`days_used`, 0))",
        "hashed_user_id",
    ]
    assert [key.descending for key in query.keys][:2] == [True, False]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("colour=red", [("colour", "unknown_parameter")]),
        ("limit=0", [("limit", "invalid_value")]),
        ("limit=1001", [("limit", "invalid_value")]),
        ("limit=1&limit=2", [("limit", "repeated_parameter")]),
        ("access=", [("access", "invalid_value")]),
        # What it may be sorted by depends on what could not be read.
        ("by=users&sort=users", [("by", "invalid_value")]),
        ("preset=4m", [("preset", "invalid_value")]),
        ("from=2026-05-01", [("to", "missing_parameter")]),
        ("to=2026-05-01", [("from", "missing_parameter")]),
        ("preset=3m&from=2026-05-01&to=2026-05-02", [("preset", "conflict")]),
        ("from=2026-05-02&to=2026-05-01", [("from", "conflict")]),
        ("from=2025-05-29&to=2026-05-31", [("to", "range_too_long")]),
        ("from=2026-05-01&to=2026-06-01", [("to", "after_as_of")]),
        ("from=2026-05-01&to=2026-05-03&as_of=2026-05-02", [("to", "after_as_of")]),
        ("from=2026-02-30&to=2026-03-01", [("from", "invalid_value")]),
        ("as_of=2026-05-31T15:30:00.124Z", [("as_of", "in_future")]),
        ("as_of=2026-06-01", [("as_of", "in_future")]),
        ("as_of=9999-12-31", [("as_of", "in_future")]),
        ("as_of=9999-12-31T23:59:59-14:00", [("as_of", "invalid_value")]),
        ("as_of=2026-05-01T10:00:00", [("as_of", "invalid_value")]),
        ("as_of=yesterday", [("as_of", "invalid_value")]),
        ("sort=last_name", [("sort", "personal_data_hidden")]),
        ("q=", [("q", "personal_data_hidden")]),
        ("sort=colour", [("sort", "invalid_value")]),
        ("sort=", [("sort", "invalid_value")]),
        ("by=product&sort=user", [("sort", "invalid_value")]),
        ("by=user&sort=version", [("sort", "invalid_value")]),
        ("columns=colour", [("columns", "invalid_value")]),
        ("days_used_min=-1", [("days_used_min", "invalid_value")]),
        ("tokens_max=1.00001", [("tokens_max", "invalid_value")]),
        ("tokens_max=1e3", [("tokens_max", "invalid_value")]),
        ("cursor=", [("cursor", "invalid_cursor")]),
        ("cursor=%00", [("cursor", "invalid_cursor")]),
        (
            "colour=red&limit=x&from=2026-05-01&sort=email",
            [
                ("colour", "unknown_parameter"),
                ("limit", "invalid_value"),
                ("to", "missing_parameter"),
                ("sort", "personal_data_hidden"),
            ],
        ),
    ],
)
def test_what_is_wrong(text, expected):
    """Every mistake is named, all of them at once."""
    assert wrong(text) == expected


def test_367_days_are_allowed():
    """The longest custom range, its ends included."""
    assert ask("from=2025-05-30&to=2026-05-31").range.days == 367


def test_as_of_may_be_a_date_or_any_zone():
    """A date means its end, and today's means now; an offset is turned into UTC."""
    end = datetime(2026, 5, 30, 23, 59, 59, 999_000, tzinfo=UTC)
    assert ask("as_of=2026-05-30").range.as_of == end
    assert ask("as_of=2026-05-31").range.as_of == ask("").range.as_of
    moved = ask("as_of=2026-05-30T01:00:00.1239%2B02:00").range.as_of
    assert moved == datetime(2026, 5, 29, 23, 0, 0, 123_000, tzinfo=UTC)
    assert ask("as_of=2026-05-30T01:00:00+02:00").range.end == date(2026, 5, 29)


def test_odd_values_are_ordinary_ones():
    """Empty values and wildcards are kept as they are: they match nothing."""
    filters = ask("team=&team=*&user=x&version=%25&tokens_min=0.5&frequency=unused").filters
    assert (filters.teams, filters.users, filters.versions) == (("", "*"), ("x",), ("%",))
    assert (filters.tokens_min, filters.frequency) == (Decimal("0.5"), ("unused",))


def test_a_later_page_sees_what_the_first_saw():
    """Without as_of the cursor keeps it, so that midnight between two pages moves no row."""
    first = ask("by=team")
    midnight = datetime(2026, 6, 1, 0, 0, 1, tzinfo=UTC)
    cursor = encode(Cursor(first.fingerprint, first.range.as_of, (5, "team", "team-1")), SECRET)
    items = [("by", "team"), ("cursor", cursor)]
    later = report_query(items, view(midnight))
    assert later.range == first.range
    assert later.after.values == (5, "team", "team-1")


@pytest.mark.parametrize(
    "values", [(5, "team"), ("5", "team", "x"), (5, 5, "x"), (5, "a", "b", "c")]
)
def test_a_cursor_of_another_shape(values):
    """Values that don't fit the order are refused, whatever the cursor claims to belong to."""
    first = ask("by=team")
    cursor = encode(Cursor(first.fingerprint, first.range.as_of, values), SECRET)
    assert wrong(f"by=team&cursor={cursor}") == [("cursor", "invalid_cursor")]


@pytest.mark.parametrize(
    "other", ["by=team&team=x", "by=team&sort=team", "by=team&preset=6m", "by=team&tokens_min=1"]
)
def test_a_cursor_of_another_query(other):
    """What chooses or orders rows is part of what a cursor is bound to."""
    first = ask("by=team")
    cursor = encode(Cursor(first.fingerprint, first.range.as_of, (5, "team", "team-1")), SECRET)
    assert wrong(f"{other}&cursor={cursor}") == [("cursor", "invalid_cursor")]
    assert ask(f"by=team&limit=3&columns=team&cursor={cursor}").limit == 3


def test_a_series_has_its_own_parameters():
    """Groups come in their fixed order; a wrong one is named with what there is."""
    query = daily_query([("group_by", "access,team"), ("interval", "week")], view(NOW))
    assert (query.group_by, query.interval) == (("team", "access"), "week")
    with pytest.raises(Problem) as caught:
        daily_query([("group_by", "user"), ("interval", "year"), ("limit", "1")], view(NOW))
    named = {error.parameter: error.allowed for error in caught.value.errors}
    assert named["group_by"] == ("team", "product", "access")
    assert named["interval"] == ("day", "week", "month")
    assert "limit" in named
