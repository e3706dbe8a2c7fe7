"""A body decoded in one go has the verdicts that its events have one by one."""

import json

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.accept import accept, accept_events
from ingest.bodies import Form
from ingest.events import decode
from ingest.parse import parse
from tests.unit.ingest.events import NOW, RULES, consumption, key, launch

# What may stand anywhere in a body, and mostly makes it another one.
_PIECES = st.sampled_from(
    [
        *(bytes([each]) for each in b'"\\{}[],:-.+eE01 \n\r\t\x00\x7f'),
        *(b"\xff", b"\xc3\xa9", b"\xed\xa0\x80", b"\\ud800", b"\\u00e9", b"\\u0074", b"1e400"),
        *(b"null", b"true", b'"tokens":', b'"extra":', b'"id":"2",', b"9" * 20, b"0.0001", b"1e2"),
    ]
)
_CHANGES = st.lists(st.tuples(st.floats(0, 1), st.integers(0, 3), _PIECES), max_size=3)
_TIMES = st.sampled_from(
    [
        *("2026-03-15T11:59:00.123Z", "2026-03-15T11:59:60.000Z", "2026-02-29T00:00:00.000Z"),
        *("2026-03-15T23:59:00.000Z", "2026-03-14T23:59:60Z", "2026-03-15T12:59:00.1239+01:00"),
        *("2026-01-01T00:00:00.000Z", "2026-03-15 11:59:00.123Z", "", None, 5),
    ]
)
_AMOUNTS = st.decimals(allow_nan=False, allow_infinity=False).map(str) | st.floats().map(json.dumps)


def judged_both_ways(body: bytes, form: Form, *teams: str) -> None:
    """The same lines and rejects."""
    by = key(teams=frozenset(teams))
    whole = accept(body, form, key=by, now=NOW, rules=RULES)
    assert whole == accept_events(parse(body, form), key=by, now=NOW, rules=RULES)


def body_of(events: list[object], form: Form) -> bytes:
    """The events as a sender writes them."""
    if form is Form.LINES:
        return b"\n".join(orjson.dumps(event) for event in events)
    return orjson.dumps(events if form is Form.MANY else events[0])


def test_usual_bodies_are_decoded_in_one_go() -> None:
    """Else nothing here would compare two ways."""
    for form in (Form.ONE, Form.MANY, Form.LINES):
        found = decode(body_of([launch(), consumption()], form), form)
        assert found is not None
        assert [event.id for event in found] == ["sample-1"] * (1 if form is Form.ONE else 2)


@settings(max_examples=500)
@given(_CHANGES, st.sampled_from([Form.ONE, Form.MANY, Form.LINES]))
def test_a_body_with_anything_anywhere(changes: list[tuple[float, int, bytes]], form: Form) -> None:
    """Pieces are put in, or stand for some bytes of it."""
    body = body_of([launch(extra={"a": ["b", 1]}), consumption("12.5")], form)
    for place, gone, piece in changes:
        at = int(place * len(body))
        body = body[:at] + piece + body[at + gone :]
    judged_both_ways(body, form)


@given(_TIMES, _AMOUNTS, st.text(max_size=300), st.booleans())
def test_values_of_every_kind(time: object, amount: str, text: str, quoted: bool) -> None:
    """Times, amounts as they are written, and long or strange names."""
    event = orjson.dumps(consumption("@", time=time))
    written = event.replace(b'"@"', f'"{amount}"'.encode() if quoted else amount.encode())
    judged_both_ways(b"[%b]" % written, Form.MANY)
    judged_both_ways(json.dumps([launch(source=text), launch(id=text)]).encode(), Form.MANY)


_EXTRA = (
    *(b'"\xff"', b'"\xed\xa0\x80"', b'"\\ud800"', b'"\x01"', b"1e400", b"01", b"NaN"),
    *(b"[" * 2000 + b"]" * 2000, b'1,"id":""', b'1,"id":"2"', b'1,"data":null', b"1}\n{"),
)


@pytest.mark.parametrize("extra", _EXTRA, ids=lambda each: repr(each[:9]))
@pytest.mark.parametrize("form", [Form.ONE, Form.MANY, Form.LINES])
def test_what_nobody_asks_for(extra: bytes, form: Form) -> None:
    """An attribute that is skipped may still spoil its body."""
    body = body_of([launch(extra="@"), launch()], form)
    judged_both_ways(body.replace(b'"@"', extra), form)


def test_teams_of_a_limited_key() -> None:
    """An event of another team is refused, and its neighbours are not."""
    judged_both_ways(orjson.dumps([launch(), launch()]), Form.MANY, "sample-team")
    judged_both_ways(orjson.dumps([launch(), launch()]), Form.MANY, "another-team")
