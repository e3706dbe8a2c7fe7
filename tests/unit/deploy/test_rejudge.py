"""Dead letters judged again: by the rules of the gateway, as of their arrival, by their own key."""

from dataclasses import replace
from datetime import timedelta

import orjson
import pytest

from deploy.rejudge import Judge
from schemas.events import format_time
from schemas.topics import DEAD_LETTER_MAX_BYTES, partition_of
from sinks.dead_letters import Letter
from tests.support.histories import BAD_LINES, line
from tests.unit.ingest.events import ABSENT, NOW, RECEIVED_AT, RULES, key, launch, with_data


def letter(event, **changes) -> Letter:
    """A letter of tenant `sample`, received at NOW with a key that nobody knows."""
    raw = event if isinstance(event, bytes) else orjson.dumps(event)
    told = {"reason": "unknown_type", "detail": "", "key_id": "", "received_at": NOW, **changes}
    return Letter(**{"origin": "request/1/0", "tenant": "sample", "raw": raw, **told})


def judge(*letters: Letter, later=timedelta(days=90), any_team=False, **keys):
    """Judge them so much later, with these keys known."""
    return Judge(keys, RULES, NOW + later, any_team=any_team).judge(list(letters))


def reasons(judged) -> list[str]:
    """Why the refused ones are."""
    return [each.reason for each in judged.refused]


def test_a_good_event_is_the_line_that_the_gateway_would_have_written():
    """With the letter's tenant and its arrival, which is also the time of an event without one."""
    judged = judge(letter(launch(time=ABSENT)))
    [(partition, [text])] = judged.lines.items()
    found = orjson.loads(text)
    assert (found["tenant"], found["received_at"], found["time"]) == (
        *("sample", RECEIVED_AT),
        RECEIVED_AT,
    )
    assert partition == partition_of("sample", "sample-user", RULES.partitions)
    assert (len(judged.accepted), judged.refused, judged.cut) == (1, [], [])


@pytest.mark.parametrize(
    ("days", "reason"), [(34.9, []), (35.1, ["time_too_old"]), (-1, ["time_in_future"])]
)
def test_lateness_is_judged_as_it_was_then(days, reason):
    """Whatever the time is now."""
    time = format_time(NOW - timedelta(days=days))
    assert reasons(judge(letter(launch(time=time)))) == reason


def test_scope_and_teams_are_those_of_its_key():
    """A key with scope import reaches back further, a limited one sees its teams alone."""
    old = letter(launch(time=format_time(NOW - timedelta(days=100))), key_id="k1")
    assert reasons(judge(old, k1=key("ingest"))) == ["time_too_old"]
    assert reasons(judge(old, k1=key("import"))) == []
    own = with_data(launch(), team_id="own")
    limited = key(teams=frozenset({"own"}))
    both = letter(own, key_id="k1"), letter(launch(), key_id="k1")
    assert reasons(judge(*both, k1=limited)) == ["forbidden"]
    assert reasons(judge(*both, k1=limited, any_team=True)) == []


def test_what_was_forbidden_to_an_unknown_key_stays_so():
    """Unless somebody vouches for it; other letters are judged as by a key of all teams."""
    forbidden = letter(launch(), reason="forbidden", detail="why")
    judged = judge(forbidden)
    assert (judged.refused, judged.changed) == ([forbidden], [])
    assert reasons(judge(forbidden, any_team=True)) == []
    assert reasons(judge(letter(launch()))) == []


def test_a_key_of_another_tenant_changes_no_tenant():
    """The tenant is the letter's."""
    judged = judge(letter(launch(), key_id="k1"), k1=replace(key(), tenant="other"))
    [[text]] = judged.lines.values()
    assert orjson.loads(text)["tenant"] == "sample"


def test_what_is_still_bad_is_told_with_its_reason_of_now():
    """And is only noted where the reason is another one."""
    before = letter(launch(type="product.closed"), reason="invalid_field")
    first = judge(before)
    assert (first.changed, reasons(first)) == (first.refused, ["unknown_type"])
    again = judge(*first.refused)
    assert (again.changed, reasons(again)) == ([], ["unknown_type"])


def test_days_whose_events_are_gone_are_refused():
    """Nobody knows any more whether the event was counted under its id."""
    kept = RULES.retention - timedelta(hours=1)
    assert reasons(judge(letter(launch()), later=kept)) == []
    assert reasons(judge(letter(launch()), later=RULES.retention)) == ["time_too_old"]
    of_log = letter(line(), tenant="")
    assert reasons(judge(of_log, later=RULES.retention + timedelta(days=1))) == ["time_too_old"]


def test_what_was_cut_is_not_judged():
    """A whole line within it would be another event than what was sent."""
    whole = line() + b"\n"
    raw = whole + b" " * (DEAD_LETTER_MAX_BYTES - len(whole))
    for tenant in ("", "sample"):
        judged = judge(letter(raw, tenant=tenant))
        assert (len(judged.cut), judged.refused, judged.lines) == (1, [], {})


def test_lines_of_the_log_go_as_they_were():
    """To the tenant that they name; all lines of a letter or none."""
    lines = [line(tenant="acme", user_id=f"user-{number}") for number in range(8)]
    judged = judge(letter(b"\n".join(lines), tenant=""), letter(lines[0] + b"\n", tenant=""))
    expected = {}
    for number, text in [*enumerate(lines), (0, lines[0])]:
        place = partition_of("acme", f"user-{number}", RULES.partitions)
        expected.setdefault(place, []).append(text)
    assert judged.lines == expected
    assert len(judged.accepted) == 2


@pytest.mark.parametrize("bad", [*BAD_LINES, b"", b"\n", b"\xff", b" ", line() + b"\n\n" + line()])
def test_lines_that_still_cannot_be_read(bad):
    """They stay, and their good neighbours in the letter with them."""
    alone, together = letter(bad, tenant=""), letter(line() + b"\n" + bad, tenant="")
    assert reasons(judge(alone)) == ["malformed_json"]
    if bad:
        assert reasons(judge(together)) == ["malformed_json"]


@pytest.mark.parametrize("bad", [b"", b"{oops", b"[]", b"7", b"\xff\x00", b"[" * 5000])
def test_bytes_that_are_no_event(bad):
    """Refused as the gateway refuses them, and nothing raises."""
    assert set(reasons(judge(letter(bad)))) <= {"malformed_json", "not_an_event"}
    assert judge(letter(bad)).lines == {}
