"""Cursors come back as they were made, and nothing else passes for one."""

import base64
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as some

from query_service.cursor import Cursor, decode, encode

_moments = some.integers(0, 4_000_000_000_000).map(
    lambda millis: datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=millis)
)
_values = some.integers(-(10**37), 10**37) | some.text()


@given(_moments, some.lists(_values))
def test_back_as_it_was_made(moment, values):
    """Whatever text and numbers a row's keys hold."""
    cursor = Cursor("0123456789abcdef", moment, tuple(values))
    text = encode(cursor)
    assert decode(text) == cursor
    assert text.isascii()
    assert not set(text) & set("+/=&?#")


@given(some.text())
def test_any_other_text_is_refused(text):
    """ValueError, never another exception."""
    with pytest.raises(ValueError, match=r"."):
        decode(text)


@pytest.mark.parametrize(
    "content",
    [
        "1",
        "[]",
        '["x"]',
        '[1, 2, "a"]',
        '["x", null]',
        '["x", 1e300, "a"]',
        '["x", 1, null]',
        '["x", 1, true]',
        '["x", 1, 1.5]',
        '["x", 1, ["a"]]',
        '["x", 1, "\\ud800"]',
        '["x", 1, ' + "9" * 60 + "]",
        "[" * 3000,
    ],
)
def test_what_looks_like_one(content):
    """JSON of another shape is refused too."""
    with pytest.raises(ValueError, match="not a cursor"):
        decode(base64.urlsafe_b64encode(content.encode()).decode().rstrip("="))
