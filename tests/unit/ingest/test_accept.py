"""Raw event in, verdict out: the table of contract §1, row by row."""

import orjson
import pytest

from schemas.events import COLUMNS
from schemas.rejects import Reason
from schemas.topics import partition_of
from tests.unit.ingest.events import (
    ABSENT,
    NOW,
    RECEIVED_AT,
    RULES,
    consumption,
    judged,
    key,
    launch,
    lines,
    with_data,
)

LONG = "x" * 257


def test_a_launch_becomes_one_complete_line() -> None:
    """Every column is there, in order, as a string, with defaults and the arrival time."""
    verdicts = judged(launch())

    assert verdicts.accepted == 1
    (line,) = lines(verdicts)
    assert tuple(line) == COLUMNS
    assert line == {
        "tenant": "sample",
        "received_at": RECEIVED_AT,
        "source": "sample/desktop",
        "id": "sample-1",
        "type": "product.launched",
        "user_id": "sample-user",
        "time": "2026-03-15T11:59:00.000Z",
        "team_id": "sample-team",
        "product_id": "sample-product",
        "access": "subscription",
        "tokens": "0",
        "product_version": "",
        "session_id": "",
        "feature_id": "",
        "cost_center": "",
    }


def test_a_consumption_keeps_every_attribute() -> None:
    """Optional attributes are kept as sent, and tokens default to flex."""
    data = {
        "product_version": "2026.1",
        "session_id": "sample-session",
        "feature_id": "sample-feature",
        "cost_center": "sample-center",
    }
    (line,) = lines(judged(with_data(consumption("12.50"), **data)))

    assert {name: line[name] for name in data} == data
    assert (line["access"], line["tokens"]) == ("flex", "12.5")


@pytest.mark.parametrize("access", ["subscription", "flex"])
def test_the_access_that_is_sent_counts(access: str) -> None:
    """Either access goes with either type."""
    for event in (launch(), consumption()):
        (line,) = lines(judged(with_data(event, access=access)))
        assert line["access"] == access


def test_lines_go_to_the_partition_of_their_user() -> None:
    """All events of one tenant's user share a partition, which only the setting decides."""
    users = [f"sample-user-{number}" for number in range(50)]
    verdicts = judged(*(launch(subject=user, id=user) for user in users))

    for partition, group in verdicts.lines.items():
        for line in group:
            user_id = orjson.loads(line)["user_id"]
            assert partition == partition_of("sample", user_id, RULES.partitions)
    assert sum(map(len, verdicts.lines.values())) == 50


def test_unknown_attributes_are_kept_out() -> None:
    """Extensions and further data are no reason to refuse, and are not stored."""
    event = with_data(launch(traceparent="00-1", datacontenttype="application/json"), extra=[1, {}])
    (line,) = lines(judged(event))

    assert tuple(line) == COLUMNS


def test_tokens_of_a_launch_are_ignored() -> None:
    """Only tokens.consumed carries tokens."""
    (line,) = lines(judged(with_data(launch(), tokens="nonsense")))

    assert line["tokens"] == "0"


def test_no_time_is_the_time_of_arrival() -> None:
    """Absent and null mean now."""
    for event in (launch(time=ABSENT), launch(time=None)):
        (line,) = lines(judged(event))
        assert line["time"] == RECEIVED_AT


MISSING, INVALID = Reason.MISSING_FIELD, Reason.INVALID_FIELD
REJECTS = [
    ({"specversion": ABSENT}, MISSING, "specversion"),
    ({"specversion": "0.3"}, INVALID, "specversion"),
    ({"specversion": 1.0}, INVALID, "specversion"),
    *[
        ({name: value}, reason, name)
        for name in ("id", "source", "subject")
        for value, reason in (
            (ABSENT, MISSING),
            (None, MISSING),
            ("", INVALID),
            (LONG, INVALID),
            (7, INVALID),
            (["x"], INVALID),
            ("a\tb", INVALID),
            ("a\x7fb", INVALID),
            ("a\x85b", INVALID),
        )
    ],
    ({"type": ABSENT}, MISSING, "type"),
    ({"type": {}}, INVALID, "type"),
    ({"type": "product.closed"}, Reason.UNKNOWN_TYPE, "type"),
    ({"time": "yesterday"}, INVALID, "time"),
    ({"time": 1773576000}, INVALID, "time"),
    ({"time": "2026-03-15T11:59:00"}, INVALID, "time"),
    ({"time": "2026-03-15T12:05:00.251Z"}, Reason.TIME_IN_FUTURE, "time"),
    ({"time": "2026-02-08T12:00:00.249Z"}, Reason.TIME_TOO_OLD, "time"),
    ({"data": ABSENT}, MISSING, "data"),
    ({"data": None}, MISSING, "data"),
    ({"data": ABSENT, "data_base64": "e30="}, MISSING, "data"),
    ({"data": "{}"}, INVALID, "data"),
    ({"data": []}, INVALID, "data"),
]


@pytest.mark.parametrize(("changes", "reason", "field"), REJECTS)
def test_a_wrong_attribute_is_named(changes: dict[str, object], reason: Reason, field: str) -> None:
    """The reject has the reason, the attribute as the contract calls it, and the place."""
    verdicts = judged(launch(id="good"), launch(**changes))

    (reject,) = verdicts.rejects
    assert (reject.index, reject.reason, reject.field) == (1, reason, field)
    assert verdicts.accepted == 1


DATA_REJECTS = [
    *[
        ({name: value}, reason)
        for name in ("team_id", "product_id")
        for value, reason in ((ABSENT, MISSING), ("", INVALID), ("x" * 129, INVALID), (1, INVALID))
    ],
    *[
        ({name: value}, INVALID)
        for name in ("product_version", "session_id", "feature_id", "cost_center")
        for value in ("x" * 129, 1, [], "a\nb", False)
    ],
    ({"access": "free"}, INVALID),
    ({"access": ""}, INVALID),
    ({"access": []}, INVALID),
    ({"tokens": ABSENT}, MISSING),
    ({"tokens": None}, MISSING),
    ({"tokens": True}, INVALID),
    ({"tokens": 0}, INVALID),
    ({"tokens": -1}, INVALID),
    ({"tokens": "ten"}, INVALID),
    ({"tokens": 1.00001}, INVALID),
    ({"tokens": 1_000_001}, INVALID),
    ({"tokens": [1]}, INVALID),
]


@pytest.mark.parametrize(("changes", "reason"), DATA_REJECTS)
def test_wrong_data_is_named(changes: dict[str, object], reason: Reason) -> None:
    """Data are named with their path."""
    (reject,) = judged(with_data(consumption(), **changes)).rejects

    assert (reject.reason, reject.field) == (reason, f"data.{next(iter(changes))}")


def test_strings_are_measured_in_characters() -> None:
    """256 characters outside the basic plane are 1,024 bytes, and within the limit."""
    user = "\U0001d4b3" * 256
    (line,) = lines(judged(launch(subject=user)))

    assert line["user_id"] == user
    assert judged(launch(subject=user + "x")).rejects


def test_any_printable_text_is_kept() -> None:
    """Quotes, backslashes and other scripts are no control characters."""
    text = 'a "quoted" \\ back\\slash ünïcode 利用者 \u2028 \U0001f680'
    (line,) = lines(judged(with_data(launch(source=text), cost_center=text)))

    assert (line["source"], line["cost_center"]) == (text, text)


def test_an_unreadable_id_is_not_answered() -> None:
    """The id in a reject is the one sent, or null when it is none."""
    rejects = judged(launch(id="x\ny"), launch(id=5), launch(id="named", type="other")).rejects

    assert [reject.id for reject in rejects] == [None, None, "named"]


@pytest.mark.parametrize(
    ("time", "scopes", "reason"),
    [
        ("2026-03-15T12:05:00.250999Z", ["ingest"], None),
        ("2026-02-08T12:00:00.250Z", ["ingest"], None),
        ("2026-02-08T12:00:00.250Z", ["import"], None),
        ("2026-01-01T00:00:00Z", ["ingest", "read", "manage", "admin"], Reason.TIME_TOO_OLD),
        ("2026-01-01T00:00:00Z", ["import"], None),
        ("2025-02-08T12:00:00.250Z", ["import"], None),
        ("2025-02-08T12:00:00.249Z", ["import"], Reason.TIME_TOO_OLD),
        ("2026-03-15T12:05:01Z", ["import"], Reason.TIME_IN_FUTURE),
    ],
)
def test_how_far_times_may_reach(time: str, scopes: list[str], reason: Reason | None) -> None:
    """5 minutes ahead, 35 days back; with scope import as far as events are kept."""
    verdicts = judged(launch(time=time), by=key(*scopes))

    assert [reject.reason for reject in verdicts.rejects] == ([reason] if reason else [])


def test_a_key_limited_to_teams_sends_for_no_other() -> None:
    """An event of another team is one reject; what is wrong in itself keeps its own reason."""
    limited = key(teams=frozenset({"sample-team"}))
    other = with_data(launch(), team_id="other-team")
    verdicts = judged(launch(), other, {**other, "id": ""}, by=limited)

    assert verdicts.accepted == 1
    assert [reject.reason for reject in verdicts.rejects] == [Reason.FORBIDDEN, INVALID]


def test_the_clock_is_read_once() -> None:
    """All lines of a request carry one arrival time, in milliseconds."""
    verdicts = judged(launch(), launch(id="2"), now=NOW)

    assert {line["received_at"] for line in lines(verdicts)} == {RECEIVED_AT}
