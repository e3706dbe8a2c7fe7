"""A line is dead or good by itself, whatever its neighbours are; nothing makes decoding fail."""

import json

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from aggregators.decode import decode
from schemas import events
from tests.support.histories import BAD_LINES, delivered, line, record


def verdicts(*records):
    """By (record, seq): the decoded event, or the raw bytes of a dead line."""
    lines = decode(list(records))
    by_position = {each.position: number for number, each in enumerate(records)}
    good = lines.events.drop("record", "position", "partition", "user_day")
    places = lines.events.select("record", "seq").iter_rows()
    found = dict(zip(places, good.drop("seq").iter_rows(), strict=True))
    return found | {(by_position[dead.position], dead.seq): dead.raw for dead in lines.dead}


STRANGE = [
    *BAD_LINES,
    b"null",
    b'"text"',
    b"1",
    b"[1]",
    b" ",
    b"{",
    b"}",
    b"\xff\xfe",
    b"{}{}",
    line() + line(),
    line() + b" " + line(id="2"),
    line() + b" ",
    b" " + line(),
    line() + b"\r",
    line().replace(b'"1"', b"1"),
    line().replace(b'"0"', b"0"),
    line().replace(b'"0"', b"NaN"),
    line().replace(b'"0"', b"null"),
    line().replace(b'"acme"', b'{"a":[1]}'),
    line().replace(b'"acme"', b'["acme"]'),
    line().replace(b'"acme"', b"true"),
    line().replace(b'"acme"', b'"\\ud800"'),
    line().replace(b'"acme"', b'"\\u0000"'),
    line().replace(b'"acme"', b'"a\x00b"'),
    line().replace(b'"acme"', b'"a\\nb"'),
    line().replace(b'"acme"', b'"\xed\xa0\x80"'),
    line()[:-1] + b',"tenant":"other"}',
    line()[:-1] + b',"unknown":"other"}',
    line()[:-1] + b',"unknown":{"deep":[[[]]]}}',
    line(tokens="1e3"),
    line(tokens="0.00001"),
    line(tokens="99999999999999999999"),
    line(tokens=" 1"),
    line(tokens="-1"),
    line(time="2026-03-01T12:00:00Z"),
    line(time="2026-02-30T12:00:00.000Z"),
    line(time="2026-03-01T12:00:00.000123Z"),
    line(access="gift"),
    line(product_version="x" * 300_000),
    b"x" * 300_000,
    b"",
]
_lines = st.one_of(
    st.sampled_from(STRANGE),
    st.binary(max_size=20).map(lambda raw: raw.replace(b"\n", b"")),
    st.builds(lambda text: line(id=text or "1"), st.text(max_size=5)),
    st.builds(
        lambda name, value: json.dumps({**json.loads(line()), name: value}).encode(),
        st.sampled_from(events.COLUMNS),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
            lambda inner: st.lists(inner, max_size=2),
            max_leaves=3,
        ),
    ),
)


@settings(max_examples=300, deadline=None, database=None)
@given(st.lists(st.lists(_lines, min_size=1, max_size=4), min_size=1, max_size=4))
@example([STRANGE])
@example([[text] for text in STRANGE])
@example([[b"", b""], [line()]])
def test_a_verdict_depends_on_the_line_alone(batch):
    """Each line in company has the verdict it has as the only line of the only record."""
    records = [record(delivered(offset, lines)) for offset, lines in enumerate(batch)]
    found = verdicts(*records)
    for number, lines in enumerate(batch):
        for seq, text in enumerate(lines):
            alone = verdicts(record(delivered(0, [text])))
            assert found[number, seq] == alone[0, 0]
    assert len(found) == sum(map(len, batch))


@pytest.mark.parametrize("text", BAD_LINES)
def test_a_bad_line_is_dead_and_its_neighbours_are_not(text):
    """Its bytes are kept, with the place where it stands."""
    lines = decode([record(delivered(4, [line(id="1"), text, line(id="2")]))])
    assert lines.events["id"].to_list() == ["1", "2"]
    assert lines.events["seq"].to_list() == [0, 2]
    assert [(dead.seq, dead.raw, dead.position) for dead in lines.dead] == [(1, text, 1 << 48 | 4)]


def test_a_record_that_no_gateway_wrote_is_one_dead_letter():
    """It is not looked into, even where its lines would be good."""
    poison = record(delivered(0, [line(), line()], headers=()))
    lines = decode([poison, record(delivered(1, [line()]))])
    assert [dead.raw for dead in lines.dead] == [poison.value]
    assert lines.events["record"].to_list() == [1]


def test_values_become_typed_columns():
    """Times in UTC milliseconds, tokens exact, absent options empty."""
    given_line = {
        name: value for name, value in json.loads(line()).items() if name != "session_id"
    } | {"tokens": "12.3456", "time": "2026-03-01T23:59:59.999Z"}
    event = decode([record(delivered(0, [json.dumps(given_line).encode()]))]).events.row(
        0, named=True
    )
    assert str(event["tokens"]) == "12.3456"
    assert (event["day"].isoformat(), event["time"].microsecond) == ("2026-03-01", 999_000)
    assert (event["session_id"], event["received_day"].isoformat()) == ("", "2026-03-03")


def test_no_two_pairs_of_source_and_id_share_an_identity():
    """The source's length in bytes stands first."""
    pairs = [("a", "b1"), ("ab", "1"), ("1:a", "b"), ("1", ":ab"), ("é", "b1")]
    lines = [line(source=source, id=event_id) for source, event_id in pairs]
    identities = decode([record(delivered(0, lines))]).events["identity"].to_list()
    assert len(set(identities)) == len(pairs)
    assert identities[-1] == "2:éb1"


def test_nothing_decodes_to_nothing():
    """An empty batch has the same columns."""
    nothing = decode([])
    assert nothing.dead == []
    assert nothing.events.columns == decode([record(delivered(0, [line()]))]).events.columns
