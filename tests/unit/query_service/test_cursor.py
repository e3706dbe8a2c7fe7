"""Cursors come back as they were made, and nothing else passes for one."""

import base64
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as some

from query_service.cursor import Cursor, decode, encode
from tests.support.views import SECRET

_moments = some.integers(0, 4_000_000_000_000).map(
    lambda millis: datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=millis)
)
_values = some.integers(-(10**37), 10**37) | some.text()


@given(_moments, some.lists(_values))
def test_back_as_it_was_made(moment, values):
    """Whatever text and numbers a row's keys hold."""
    cursor = Cursor("0123456789abcdef", moment, tuple(values))
    text = encode(cursor, SECRET)
    assert decode(text, SECRET) == cursor
    assert text.isascii()
    assert not set(text) & set("+/=&?#")


@given(some.text())
def test_any_other_text_is_refused(text):
    """ValueError, never another exception."""
    with pytest.raises(ValueError, match=r"."):
        decode(text, SECRET)


def test_a_cursor_of_another_tenant_is_refused():
    """It is sealed with the tenant's secret."""
    cursor = encode(Cursor("0123456789abcdef", datetime(2026, 5, 31, tzinfo=UTC), (1,)), SECRET)
    with pytest.raises(ValueError, match="not a cursor"):
        decode(cursor, SECRET[::-1])


def test_it_tells_nothing_of_the_row():
    """A name among the sort values can't be read out of it."""
    moment = datetime(2026, 5, 31, tzinfo=UTC)
    text = encode(Cursor("0123456789abcdef", moment, ("Sample Name",)), SECRET)
    opened = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    assert b"Sample" not in opened
