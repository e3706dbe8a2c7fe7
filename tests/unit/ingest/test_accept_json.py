"""Bodies in, verdicts out: JSON and NDJSON with all their edges, and exact numbers."""

import json

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.bodies import Form
from ingest.parse import parse
from schemas.rejects import Reason, Rejected
from tests.unit.ingest.events import consumption, judged, judged_body, launch, lines

INVALID = Reason.INVALID_FIELD

_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.just("1.0"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=12,
)
_NAMES = st.sampled_from([*launch(), "extra"])
_DATA_NAMES = st.sampled_from(["team_id", "product_id", "tokens", "access", "session_id"])


@given(st.binary(max_size=300), st.sampled_from([Form.ONE, Form.MANY, Form.LINES]))
def test_any_bytes_are_verdicts(body: bytes, form: Form) -> None:
    """Each raw event of any body gets one verdict, and nothing is an error of ours."""
    verdicts = judged_body(body, form)

    assert verdicts.accepted + len(verdicts.rejects) == len(parse(body, form))


@given(st.lists(st.tuples(_NAMES, _VALUES), max_size=3), st.tuples(_DATA_NAMES, _VALUES))
def test_any_json_is_a_verdict(
    changes: list[tuple[str, object]], inner: tuple[str, object]
) -> None:
    """Whatever JSON stands in an event, written as Python writes it (NaN, lone surrogates)."""
    event = consumption()
    event["data"][inner[0]] = inner[1]
    event.update(changes)
    verdicts = judged_body(json.dumps([event, launch()]).encode())

    assert verdicts.accepted + len(verdicts.rejects) in (1, 2)
    assert all(set(map(type, line.values())) == {str} for line in lines(verdicts))
    orjson.dumps([reject.answer() for reject in verdicts.rejects])


def test_a_line_never_holds_a_newline() -> None:
    """Records are split at newlines, so no line may bring its own."""
    verdicts = judged(launch(source="a\u2028b\u2029c"))

    assert all(b"\n" not in line for group in verdicts.lines.values() for line in group)


def test_a_lone_surrogate_spoils_only_its_own_event() -> None:
    """The neighbours are accepted, and the field is named."""
    good = orjson.dumps(launch())
    bad = good.replace(b"sample-product", b"\\ud83d")
    verdicts = judged_body(b"[" + good + b"," + bad + b"," + good + b"]")

    (reject,) = verdicts.rejects
    assert verdicts.accepted == 2
    assert (reject.index, reject.reason, reject.field) == (1, INVALID, "data.product_id")
    assert reject.raw


def test_what_is_no_object_is_no_event() -> None:
    """Each element is judged by itself."""
    verdicts = judged(1, None, "text", [launch()], launch())

    assert [reject.reason for reject in verdicts.rejects] == [Reason.NOT_AN_EVENT] * 4
    assert verdicts.accepted == 1


def test_ndjson_is_judged_line_by_line() -> None:
    """A bad line, also one that is not UTF-8, is one reject; blank lines are nothing."""
    good = orjson.dumps(launch())
    body = b"\n".join([good, b"{oops", b"", b"\xff\xfe", b" \r", good + b"\r", b"NaN"])
    verdicts = judged_body(body, Form.LINES)

    assert verdicts.accepted == 2
    assert [(reject.index, reject.reason) for reject in verdicts.rejects] == [
        (1, Reason.MALFORMED_JSON),
        (2, Reason.MALFORMED_JSON),
        (4, Reason.MALFORMED_JSON),
    ]


def test_a_malformed_line_is_kept_as_it_was() -> None:
    """A dead letter holds the line itself, not its neighbours."""
    body = orjson.dumps(launch()) + b"\n{oops\n"

    assert judged_body(body, Form.LINES).rejects[0].raw == b"{oops"


@pytest.mark.parametrize(
    "body", [b"", b"[", b"{", b"\xff", b'{"id": NaN}', b"[1,]", b"\xef\xbb\xbf[]"]
)
def test_a_body_that_is_not_json_is_one_reject(body: bytes) -> None:
    """Nothing of it can be counted."""
    (reject,) = judged_body(body).rejects

    assert (reject.index, reject.reason, reject.raw) == (0, Reason.MALFORMED_JSON, body)


def test_one_object_is_a_batch_of_one() -> None:
    """Where an array is expected, a single event will do; the reverse is no event."""
    assert judged_body(orjson.dumps(launch())).accepted == 1
    (reject,) = judged_body(orjson.dumps([launch()]), Form.ONE).rejects
    assert reject.reason is Reason.NOT_AN_EVENT


def test_an_empty_array_accepts_nothing() -> None:
    """It has no rejects either."""
    verdicts = judged()

    assert (verdicts.accepted, verdicts.rejects) == (0, [])


def test_too_many_events_are_refused_as_a_whole() -> None:
    """10,000 are taken, one more is not."""
    event = orjson.dumps(launch())
    assert judged_body(b"[" + b",".join([event] * 10_000) + b"]").accepted == 10_000

    with pytest.raises(Rejected) as caught:
        judged_body(b"[" + b",".join([event] * 10_001) + b"]")
    assert caught.value.reason is Reason.BATCH_TOO_LARGE


@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        (b"1", "1"),
        (b"1.5", "1.5"),
        (b"1.50000", "1.5"),
        (b"1e3", "1000"),
        (b"1E-4", "0.0001"),
        (b"0.0001", "0.0001"),
        (b"1000000", "1000000"),
        (b"1000000.0000", "1000000"),
        (b"999999.9999", "999999.9999"),
        (b'"0.1"', "0.1"),
        (b'"007.500"', "7.5"),
        (b"0.00001", None),
        (b"0.10000000000000000000000001", None),
        (b"1.00000000000000000001", None),
        (b"1000000.00000000000000001", None),
        (b"1000000.0001", None),
        (b"1e400", None),
        (b"1e-400", None),
        (b"1e99999999999999999999", None),
        (b"9" * 5000, None),
        (b"-0.0", None),
        (b'"1,5"', None),
        (b'" 1"', None),
        (b'"+1"', None),
        (b'""', None),
        (b'"NaN"', None),
        (b'"Infinity"', None),
        (b'"\xd9\xa1"', None),
        (b'"1_000"', None),
    ],
)
@pytest.mark.parametrize("name", [b'"tokens"', b'"t\\u006Fkens"'])
def test_tokens_are_exact(sent: bytes, stored: str | None, name: bytes) -> None:
    """No number goes through a float's rounding, however its key is written."""
    body = orjson.dumps(consumption(1)).replace(b'"tokens":1', name + b" : " + sent)
    verdicts = judged_body(body)

    assert [line["tokens"] for line in lines(verdicts)] == ([stored] if stored else [])
    assert [reject.field for reject in verdicts.rejects] == ([] if stored else ["data.tokens"])


def test_of_duplicate_keys_the_last_counts() -> None:
    """As in most readers of JSON; it is no error."""
    body = orjson.dumps(launch()).replace(b'"id":', b'"id":"first","id":')

    assert lines(judged_body(body))[0]["id"] == "sample-1"


@pytest.mark.parametrize("depth", [300, 1_000, 2_000, 100_000])
def test_deep_nesting_is_a_verdict(depth: int) -> None:
    """However deep, in an ignored attribute or as the event: never an error of ours."""
    nested = b"[" * depth + b"]" * depth
    event = orjson.dumps(launch(id="", extra=0)).replace(b'"extra":0', b'"extra":' + nested)

    for body in (nested, event):
        assert len(judged_body(body).rejects) == 1


@pytest.mark.parametrize(
    "neighbour", ['{"id":"\\ud800"}', '{"data":{"tokens":1.0000000000000001}}']
)
def test_a_number_is_no_version_whatever_its_neighbours_are(neighbour: str) -> None:
    """In company that is read digit by digit, 1.0 is still no string."""
    event = json.dumps(launch()).replace('"1.0"', "1.0")
    alone = judged_body(f"[{event}]".encode())
    among = judged_body(f"[{event},{neighbour}]".encode())

    assert [reject.field for reject in alone.rejects] == ["specversion"]
    assert among.rejects[0].field == "specversion"
    assert among.accepted == 0
