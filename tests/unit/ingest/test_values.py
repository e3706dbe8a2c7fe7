"""Times and amounts as senders write them."""

from datetime import datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.values import _canonical, canonical_tokens, utc_time
from schemas.events import format_time

TIMES = [
    ("2026-03-01T00:00:00Z", "2026-03-01T00:00:00.000Z"),
    ("2026-03-01t00:00:00z", "2026-03-01T00:00:00.000Z"),
    ("2026-03-01T23:59:59.9999Z", "2026-03-01T23:59:59.999Z"),
    ("2026-03-01T23:59:59.1Z", "2026-03-01T23:59:59.100Z"),
    ("2026-03-01T00:30:00+01:00", "2026-02-28T23:30:00.000Z"),
    ("2026-02-28T23:30:00.25-01:00", "2026-03-01T00:30:00.250Z"),
    ("2026-03-01T00:00:00-00:00", "2026-03-01T00:00:00.000Z"),
    ("2028-02-29T12:00:00+23:59", "2028-02-28T12:01:00.000Z"),
    ("2016-12-31T23:59:60Z", "2016-12-31T23:59:59.999Z"),
    ("2017-01-01T00:59:60.5+01:00", "2016-12-31T23:59:59.999Z"),
    ("0001-01-01T00:00:00+01:00", "0001-01-01T00:00:00.000Z"),
    ("9999-12-31T23:59:59-01:00", "9999-12-31T23:59:59.000Z"),
]


@pytest.mark.parametrize(("text", "utc"), TIMES)
def test_a_time_is_read_in_utc_to_the_millisecond(text: str, utc: str) -> None:
    """Any zone and any fraction, cut and never rounded; a leap second keeps its day."""
    assert utc_time(text) == utc


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026-03-01",
        "2026-03-01T00:00:00",
        "2026-03-01 00:00:00Z",
        "2026-03-01T00:00Z",
        "2026-03-01T00:00:00,5Z",
        "2026-03-01T00:00:00.Z",
        "2026-03-01T24:00:00Z",
        "2026-03-01T00:60:00Z",
        "2026-03-01T00:00:61Z",
        "2026-03-01T12:00:60Z",
        "2026-02-29T00:00:00Z",
        "2026-13-01T00:00:00Z",
        "0000-01-01T00:00:00Z",
        "2026-03-01T00:00:00+24:00",
        "2026-03-01T00:00:00+01:60",
        "2026-03-01T00:00:00+0100",
        "2026-03-01T00:00:00+01",
        "20260301T000000Z",
        "2026-W09-7T00:00:00Z",
        " 2026-03-01T00:00:00Z",
        "2026-03-01T00:00:00Z\n",
        "\uff12026-03-01T00:00:00Z",
    ],
)
def test_what_rfc_3339_does_not_allow_is_no_time(text: str) -> None:
    """Also what Python's own reader would let through."""
    assert utc_time(text) is None


_ZONES = st.integers(-23 * 60 - 59, 23 * 60 + 59).map(
    lambda minutes: timezone(timedelta(minutes=minutes))
)


@given(st.datetimes(datetime(1000, 1, 3), datetime(9999, 12, 29), timezones=_ZONES))  # noqa: DTZ001
def test_every_time_python_writes_is_read_back(moment: datetime) -> None:
    """As the standard library has it, in every zone of whole minutes."""
    assert utc_time(moment.isoformat()) == format_time(moment)


@given(st.decimals(min_value="0.0001", max_value=1_000_000, places=4))
def test_every_amount_is_kept_exactly(amount: Decimal) -> None:
    """Whatever is in range with 4 decimals comes out equal, and in one way of writing it."""
    tokens = canonical_tokens(str(amount))

    assert tokens is not None
    assert Decimal(tokens) == amount
    assert canonical_tokens(tokens) == tokens
    assert "E" not in tokens


@given(st.text(max_size=30))
def test_any_text_is_an_amount_or_none(text: str) -> None:
    """No text is an error of ours."""
    tokens = canonical_tokens(text)

    assert tokens is None or 0 < Decimal(tokens) <= 1_000_000


def test_a_long_amount_is_not_remembered() -> None:
    """What is kept for amounts seen before is small, however long a text is sent as one."""
    before = _canonical.cache_info().currsize
    assert canonical_tokens("9" * 1_000_000) is None
    assert _canonical.cache_info().currsize == before
