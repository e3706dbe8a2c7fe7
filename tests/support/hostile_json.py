"""Events at JSON's edges, as text: good ones, and ones that each deserve a certain reason.

Next: ingest.parse
"""

import json
from collections.abc import Callable
from itertools import count

from hypothesis import strategies as st

from schemas.rejects import Reason
from tests.support.cloud_events import event

_DEEP = 100_000
_EVENT = event(id="sample-bad")


def _with(path: str, value: str) -> bytes:
    """An event with `value`, which is JSON text, in place of one of its fields."""
    changed = json.loads(json.dumps(_EVENT))
    *outer, name = path.split(".")
    holder = changed[outer[0]] if outer else changed
    holder[name] = "sample-hole"
    return json.dumps(changed).replace('"sample-hole"', value).encode("utf-8", "surrogatepass")


def _tokens(value: str) -> bytes:
    return _with("data.tokens", value).replace(b"product.launched", b"tokens.consumed")


MALFORMED = (
    *(b"{", b"}", b"{}{}", b"[", b"\xff\xfe", b'"', b"{'id': 1}", b"nul", b"\x00", b"// no"),
    *(b"[" * _DEEP, b'{"a":' * _DEEP, b"\xef\xbb\xbf{}", b"NaN", b"-Infinity", b'{"a":1,}'),
    *(b"1" * 200_000 + b"x", b'"\\x"', b'"\xed\xa0\x80"', b"01", b"1.", b"+1", b'"\t"'),
    _with("id", '"\\u12"'),
    _with("subject", '"\xa0'),
    _with("data.tokens", "NaN"),
    _with("data.tokens", "Infinity"),
    _with("data.tokens", "1e"),
    json.dumps(_EVENT).encode()[:-1],
)
NO_EVENTS = (
    b"null",
    b"[]",
    b'"text"',
    b"1",
    b"true",
    b"1e999",
    b"9" * 50_000,
    b"[" * 99 + b"]" * 99,
)
INVALID = (
    *(_with(name, '"\\ud800"') for name in ("id", "source", "subject", "data.team_id")),
    *(_with(name, '"a\\u0000"') for name in ("id", "subject", "data.session_id")),
    *(_with("id", value) for value in ("1", "true", "[]", "{}", '""', '"%s"' % ("i" * 257))),
    *(
        _with("time", value)
        for value in ("0", '"now"', '"2026-02-30T00:00:00Z"', '"%s"' % ("9" * 9999))
    ),
    *(_with("data", value) for value in ("1", "[]", '"text"', "[" * 200 + "]" * 200)),
    *(_tokens(value) for value in ("1e400", "1e-5", "-1", "0", "true", '"NaN"', "[]", '"1,5"')),
    *(
        _tokens(value)
        for value in ("9" * 5000, '"%s"' % ("9" * 5000), "1e999999999", "1000000.0001")
    ),
    _with("specversion", "1.0"),
    _with("data.access", '"gift"'),
    # Of duplicate keys the last one counts.
    json.dumps(_EVENT).encode()[:-1] + b',"id":1}',
)
OTHERS = {
    Reason.MISSING_FIELD: (
        b"{}",
        b'{"specversion":"1.0"}',
        _with("data", "null"),
        _with("id", "null"),
    ),
    Reason.UNKNOWN_TYPE: (_with("type", '"product.crashed"'),),
    Reason.TIME_IN_FUTURE: (_with("time", '"9999-12-31T23:59:60Z"'),),
    Reason.TIME_TOO_OLD: (_with("time", '"0001-01-01T00:00:00+23:59"'),),
}
BAD = (
    *((text, Reason.MALFORMED_JSON) for text in MALFORMED),
    *((text, Reason.NOT_AN_EVENT) for text in NO_EVENTS),
    *((text, Reason.INVALID_FIELD) for text in INVALID),
    *((text, reason) for reason, texts in OTHERS.items() for text in texts),
)


class GoodEvents:
    """Makes good events at JSON's edges, each with an id of its own."""

    def __init__(self) -> None:
        self._numbers = count()

    def text(self, dress: Callable[[bytes], bytes]) -> bytes:
        """One event's JSON, dressed up."""
        changed = event(id=f"sample-good-{next(self._numbers)}", time=None)
        del changed["time"]
        return dress(json.dumps(changed).encode())


def _extra(value: bytes) -> Callable[[bytes], bytes]:
    return lambda text: text[:-1] + b',"extra":' + value + b"}"


# What a good event may look like and be a good event still.
DRESSES = st.sampled_from(
    (
        lambda text: text,
        lambda text: b" \t\r" + text + b" \r",
        lambda text: b'{"id":1,' + text[1:],
        lambda text: text.replace(b'"id"', b'"\\u0069\\u0064"'),
        lambda text: text.replace(b"sample-user", b"\\ud83d\\ude00"),
        lambda text: text.replace(b"sample-user", "é\u2028\U0001f600".encode()),
        _extra(b'"\\ud800"'),
        _extra(b'"\\u0000"'),
        _extra(b"1" * 5_000),
        _extra(b"1e999999999"),
        _extra(b"[" * 500 + b"]" * 500),
        _extra(b'{"tokens" : 1.00000000000000000001}'),
    )
)
