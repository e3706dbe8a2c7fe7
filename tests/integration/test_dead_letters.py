"""Dead letters on the real system: refused, listed, judged again, and counted once."""

import pytest

from schemas.events import format_time
from tests.support.clickhouse_process import ClickHouseProcess
from tests.support.cloud_events import event
from tests.support.histories import line
from tests.support.kafka_process import KafkaProcess
from tests.support.letters_world import LettersWorld, days_ago, ended, event_of, headers_of
from tests.support.worker_world import WorkerWorld, migrated

KILLED = -9


@pytest.fixture(scope="module")
def letters(tmp_path_factory):
    """The whole system; each test has a tenant of its own."""
    root = tmp_path_factory.mktemp("letters")
    store = ClickHouseProcess(root / "clickhouse").start()
    migrated(store)
    with KafkaProcess(root / "kafka") as kafka:
        world = WorkerWorld(root, store, kafka)
        made = LettersWorld(world, root)
        yield made
        made.close()
        world.close()
    store.kill()


def test_what_the_gateway_refuses_is_listed(letters):
    """Over HTTP and by the command, with reason and key; a replay finds it as bad as before."""
    key = letters.key("refused")
    limited = letters.key("refused", "ingest", teams=["team-own"])
    good, strange, late = event(), event(type="product.closed"), event_of(days_ago(36))
    assert letters.send(key, good, strange, late)["accepted"] == 1
    letters.send(limited, event(data={"team_id": "team-other", "product_id": "p"}))

    listed = letters.until_listed(key, 3)

    assert {each["reason"] for each in listed} == {"unknown_type", "time_too_old", "forbidden"}
    assert {each["key_id"] for each in listed} == {key.split("_")[1], limited.split("_")[1]}
    assert letters.run("dead-letters", "list", key=key)["dead_letters"] == listed
    few = letters.run("dead-letters", "list", "--reason", "forbidden", "--limit", "1", key=key)
    assert [each["reason"] for each in few["dead_letters"]] == ["forbidden"]

    found = letters.replay(key=key)
    assert (found["letters"], found["replayed"]) == (3, 0)
    assert found["refused"] == {"forbidden": 1, "time_too_old": 1, "unknown_type": 1}
    assert letters.listed(key) == listed
    # An operator may vouch for the team.
    assert letters.replay("--reason", "forbidden", "--any-team", key=key)["replayed"] == 1
    letters.world.until_counted(2, "refused")
    letters.assert_balanced(key)


def test_what_an_older_release_refused_is_counted(letters):
    """Good events are counted as of their arrival, with time and without; and only once."""
    key = letters.key("older")
    arrived = days_ago(60).replace(hour=12, minute=0, second=0, microsecond=0)
    at = arrived.strftime("%Y-%m-%dT%H:%M:%S.250Z")
    timeless = event()
    del timeless["time"]
    events = [event_of(arrived), event_of(days_ago(90)), timeless, event_of(days_ago(0))]
    origins = letters.put_events("older", *events, received_at=at)

    assert letters.replay("--dry-run", key=key)["replayed"] == 3
    assert letters.stored(origins, replayed=True) == 0
    found = letters.replay(key=key)

    assert found == {
        "letters": 4,
        "replayed": 3,
        # Sixty days ahead of its arrival.
        "refused": {"time_in_future": 1},
        "cut": 0,
        "dry_run": False,
    }
    letters.world.until_counted(3, "older")
    assert letters.replay(key=key)["replayed"] == 0
    [left] = letters.listed(key, replayed="false")
    assert (left["origin"], left["reason"]) == (origins[3], "time_in_future")
    days = (
        "SELECT toString(received_at), toString(day) FROM usage_events FINAL WHERE id = {id:String}"
    )
    stored = letters.world.client.query(days, parameters={"id": timeless["id"]}).result_rows
    assert stored == [(f"{arrived:%Y-%m-%d} 12:00:00.250", f"{arrived:%Y-%m-%d}")]
    letters.assert_balanced(key)


def test_letters_that_cannot_be_replayed(letters):
    """Cut ones are told; chosen ones alone are judged; another tenant's are not touched."""
    key, other = letters.key("bad"), letters.key("neighbour")
    letters.put([headers_of("bad"), headers_of("bad")], [b'{"id": "' + b"x" * 65_528, b"{oops"])
    good = letters.put_events("bad", event(), event())
    theirs = letters.put_events("neighbour", event())
    # Of a gateway whose clock is wrong; or of a worker, made of what is being replayed.
    later = letters.put_events("bad", event(), received_at=format_time(days_ago(-1)))

    assert letters.replay("--origin", good[0], key=key)["letters"] == 1
    assert letters.stored(good, replayed=True) == 1
    found = letters.replay(key=key)

    assert (found["replayed"], found["cut"], found["refused"]) == (1, 1, {"malformed_json": 1})
    assert {each["reason"] for each in letters.listed(key, replayed="false")} == {
        *("malformed_json", "unknown_type"),
    }
    assert [each["whole"] for each in letters.listed(key, reason="unknown_type")].count(False) == 1
    assert letters.stored(later, replayed=False) == 1
    assert letters.stored(theirs, replayed=False) == len(letters.listed(other)) == 1
    status, _, complaint = ended(letters.command("dead-letters", "replay"))
    assert (status, "whose?" in complaint) == (2, True)
    letters.world.until_counted(2, "bad")
    assert letters.world.counted("neighbour") == (0, 0)


def test_lines_of_the_log_that_can_be_read_by_now(letters):
    """They are the operator's alone, and go as they were to the tenant that they name."""
    key = letters.key("lines")
    letters.world.append(0, [b"bad", line(tenant="lines", type="product.crashed")])
    places = {"reason": "malformed_json", "key_id": ""}
    good = [line(tenant="lines", id=str(number), user_id=f"u{number}") for number in range(9)]
    raws = [good[0], b"\n".join(good[1:]), good[0] + b"\n{}", b""]
    headers = [headers_of("", origin=f"usage.events/9/7/{seq}", **places) for seq in range(4)]
    letters.put(headers, raws)

    assert letters.listed(key) == []
    found = letters.replay("--all", "--reason", "malformed_json")

    assert found["replayed"] >= 2
    letters.world.until_counted(9, "lines")
    origins = [dict(each)["origin"].decode() for each in headers]
    assert letters.stored(origins, replayed=True) == 2
    listed = letters.run("dead-letters", "list", "--all", "--limit", "1000")["dead_letters"]
    left = {each["raw"] for each in listed if not each["tenant"] and not each["replayed"]}
    assert {"bad", "", (good[0] + b"\n{}").decode()} <= left
    letters.assert_balanced(key)


def test_killed_between_the_log_and_the_mark(letters):
    """The next run puts the page on the log again, and every event is counted once."""
    key = letters.key("killed")
    events = [event(subject=f"sample-user-{number % 30}") for number in range(1100)]
    origins = letters.put_events("killed", *events)

    killed = letters.command(
        *("dead-letters", "replay"),
        key=key,
        module="tests.support.faulty_replay",
        USAGE_FAULT_DIE_AT="2",
    )
    assert ended(killed)[0] == KILLED
    letters.world.until_counted(1000, "killed")
    assert letters.stored(origins, replayed=True) == 500

    assert letters.replay(key=key)["replayed"] == 600
    assert letters.stored(origins, replayed=True) == 1100
    letters.world.until_counted(1100, "killed")
    letters.assert_balanced(key)
    books = "SELECT sum(stored), sum(duplicate) FROM usage_ledger FINAL WHERE tenant = 'killed'"
    assert letters.world.client.query(books).result_rows == [(1100, 500)]


def test_two_at_once_while_events_arrive(letters):
    """Each may put a letter on the log; it is counted once, beside what is sent meanwhile."""
    key = letters.key("twice")
    origins = letters.put_events("twice", *(event() for _ in range(300)))
    running = [letters.command("dead-letters", "replay", key=key) for _ in range(2)]
    letters.send(key, *(event() for _ in range(100)))
    assert [ended(each)[0] for each in running] == [0, 0]
    assert letters.stored(origins, replayed=True) == 300
    letters.world.until_counted(400, "twice")
    letters.assert_balanced(key)


def test_the_topic_delivered_again_leaves_the_marks(letters):
    """The worker's copies are older than what a replay has noted, whatever it has noted."""
    key = letters.key("again")
    origins = letters.put_events("again", event(), event(type="product.closed"), reason="forbidden")
    assert letters.replay("--any-team", key=key)["replayed"] == 1

    letters.deliver_again()
    letters.put_events("again", event())

    assert letters.stored(origins, replayed=True) == 1
    [left] = [each for each in letters.listed(key, replayed="false") if each["origin"] in origins]
    assert (left["origin"], left["reason"]) == (origins[1], "unknown_type")
    assert letters.replay(key=key)["replayed"] == 1
    letters.world.until_counted(2, "again")
