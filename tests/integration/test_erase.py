"""`erase` on real engines: a user is in no table and no file, and what teams used stays."""

import json
import os
import signal
from contextlib import closing
from datetime import UTC, datetime

import httpx
import pytest

from deploy.log_offsets import read_offsets
from sinks import keys
from sinks.clickhouse import connect
from tests.support.clickhouse_process import ClickHouseProcess
from tests.support.kafka_process import KafkaProcess
from tests.support.person import (
    LETTERS,
    OTHER_LETTERS,
    OTHERS,
    PERSON,
    TENANT,
    TRACE,
    enter,
    files_with,
    note,
    refuse,
    send,
    tables_with,
    totals,
)
from tests.support.query_process import QueryProcess
from tests.support.worker_world import CommandProcess, WorkerWorld, migrated

# Each runs a dozen commands, and a busy machine takes its time for each.
pytestmark = pytest.mark.timeout(1200)

EVENTS = 12
# After it began; in the midst of the copies; at the guard; then, with the guard up, after each of
# the first two deletions, after the last one, and after it was forgotten.
KILLS = (1, 2, 5, 1, 2, 6, 7)
SOON = (
    "old_parts_lifetime = 1, cleanup_delay_period = 1, max_cleanup_delay_period = 1,"
    " cleanup_delay_period_random_add = 0"
)
EVERYONE = (PERSON, *OTHERS)


@pytest.fixture
def world(tmp_path):
    """A log and a store of the test's own, whose engine lets old parts go within seconds."""
    store = ClickHouseProcess(tmp_path / "clickhouse").start()
    migrated(store)
    with closing(connect(store.dsn)) as client:
        named = "SELECT name FROM system.tables WHERE database = currentDatabase()"
        for (table,) in client.query(named).result_rows:
            client.command(f"ALTER TABLE {table} MODIFY SETTING {SOON}")
    # It looks as often as it was told when it started.
    store.stop()
    store.start()
    with KafkaProcess(tmp_path / "kafka") as kafka:
        made = WorkerWorld(tmp_path, store, kafka)
        yield made
        made.close()
    store.kill()


@pytest.fixture
def lived_in(world):
    """Everybody has events, which a worker has folded, seats, names, letters and requests."""
    now = datetime(2026, 1, 1, tzinfo=UTC)
    world.key = keys.create_key(world.client, tenant=TENANT, scopes=keys.SCOPES, teams=(), now=now)[
        1
    ]
    for user_id in EVERYONE:
        enter(world.client, user_id)
    note(world.client, EVERYONE)
    refuse(world.client)
    world.running = world.worker()
    send(world, 0, EVENTS, user_ids=EVERYONE)
    folded(world, EVENTS * len(EVERYONE))
    return world


def folded(world, events: int) -> None:
    """So many events are stored, and all that is on the log is folded and committed."""
    world.until(lambda: world.counted(TENANT)[1] == events)
    world.until(lambda: sum(read_offsets(world.broker).lag.values()) == 0)


def erase(world, user_id: str = PERSON) -> dict:
    """The command's answer."""
    done = world.command("erase", "--user", user_id, "--tenant", TENANT, "--json")
    assert done.returncode == 0, done.stderr
    assert user_id not in done.stderr + done.stdout
    return json.loads(done.stdout)


def balanced(world) -> None:
    """Rows are what events add up to, and events are what the books say."""
    assert world.verified() == 0
    assert world.unbalanced() == 0


def number(world, query: str) -> int:
    """The one number that a query gives."""
    return int(world.client.query(query).result_rows[0][0])


def gone(world) -> None:
    """No table has the person, and, as soon as the old parts are dropped, no file has."""
    assert tables_with(world.client, TRACE) == {}
    root = world.store.data_dir
    world.until(lambda: files_with(root, TRACE) == [])


def seats(world) -> list[dict]:
    """Seats of each team now, as the query service reports them."""
    query = QueryProcess(world.store.dsn, world.root).start()
    try:
        answer = httpx.get(
            f"http://127.0.0.1:{query.port}/v1/report?by=team",
            headers={"Authorization": f"Bearer {world.key}"},
            timeout=60,
        )
        assert answer.status_code == 200, answer.text
        return answer.json()["rows"]
    finally:
        query.stop()


def test_erased_everywhere_and_no_total_changes(lived_in):
    """In no table and no file; totals of teams, verify and books as before; one seat is free."""
    world = lived_in
    before, known = totals(world.client), tables_with(world.client, TRACE)
    assert set(known) >= {
        *("usage_events", "usage_daily", "users", "team_members", "seat_changes"),
        *("dead_letters", "change_requests"),
    }
    assert files_with(world.store.data_dir, TRACE)
    assigned = sum(row["seats_assigned"] or 0 for row in seats(world))

    answer = erase(world)
    assert answer["erased"] == {
        "usage_events": EVENTS,
        "usage_monthly": 0,
        "usage_daily": number(
            world,
            "SELECT count() FROM usage_daily FINAL WHERE startsWith(user_id, 'erased-')",
        ),
        "seat_changes": 3,
        "team_members": 1,
        "users": 1,
        "dead_letters": len(LETTERS) + 1,
        "change_requests": 1,
    }
    assert answer["log_until"]["usage.events"] > datetime.now(UTC).isoformat()
    gone(world)
    assert totals(world.client) == before
    balanced(world)
    assert number(world, "SELECT count() FROM dead_letters FINAL") == len(OTHER_LETTERS)
    assert number(world, "SELECT count() FROM erasures FINAL") == 0
    assert sum(row["seats_assigned"] or 0 for row in seats(world)) == assigned - 1


def test_a_replay_brings_nothing_back(lived_in):
    """All of the log once more: same totals. A second erasure finds nothing.

    What the person does afterwards counts as a new user's, and can be erased like anything else.
    """
    world = lived_in
    before = totals(world.client)
    assert any(erase(world)["erased"].values())
    joined = len(world.running.entries("assigned"))
    assert world.command("replay", "--from", "earliest").returncode == 0
    world.until(lambda: len(world.running.entries("assigned")) > joined)
    folded(world, EVENTS * len(EVERYONE))
    assert tables_with(world.client, TRACE) == {}
    assert totals(world.client) == before
    balanced(world)
    assert not any(erase(world)["erased"].values())

    send(world, 6, 2 * EVENTS, user_ids=(PERSON, OTHERS[0]))
    folded(world, EVENTS * len(EVERYONE) + 2 * EVENTS + EVENTS + 6)
    balanced(world)
    assert number(world, "SELECT uniqExact(user_id) FROM usage_daily FINAL") == len(EVERYONE) + 1
    again = erase(world)
    assert again["erased"]["usage_events"] == 2 * EVENTS
    gone(world)
    balanced(world)


def kill_after(world, steps: int) -> None:
    """Give the command, which kills itself after so many steps."""
    env = os.environ | {
        "CLICKHOUSE_DSN": world.store.dsn,
        "KAFKA_BOOTSTRAP": world.kafka.bootstrap,
        "USAGE_FAILPOINTS": f"erase_step:{steps}",
    }
    done = CommandProcess(["erase", "--user", PERSON, "--tenant", TENANT], env).finish()
    assert done.returncode == -signal.SIGKILL, done.stderr


@pytest.mark.faults
def test_killed_between_its_steps(lived_in):
    """Killed again and again, at another step each time; workers go on in between.

    What the person does between two of the runs is erased as well, and nothing counts twice.
    """
    world = lived_in
    sent = EVENTS * len(EVERYONE)
    for number_of_kill, steps in enumerate(KILLS, 1):
        joined = len(world.running.entries("assigned"))
        kill_after(world, steps)
        # It would run out by itself, half a minute later.
        world.client.command("TRUNCATE TABLE leases")
        world.until(lambda joined=joined: len(world.running.entries("assigned")) > joined)
        send(world, 100 * number_of_kill, 6, user_ids=(PERSON, OTHERS[0]))
        # Sent again: known.
        send(world, 100 * number_of_kill, 6, user_ids=(OTHERS[0],))
        sent += 12
        world.until(lambda: sum(read_offsets(world.broker).lag.values()) == 0)
    erase(world)
    gone(world)
    balanced(world)
    launches, stored = world.counted(TENANT)
    consumed = "SELECT countIf(type = 'tokens.consumed') FROM usage_events FINAL"
    assert (launches + number(world, consumed), stored) == (sent, sent)
    assert number(world, "SELECT count() FROM erasures FINAL") == 0


def test_refused_while_a_batch_is_half_stored(lived_in):
    """A worker died between events and rows: nothing is erased until another has folded them."""
    world = lived_in
    world.running.kill()
    send(world, 100, 6, user_ids=(PERSON,))
    dying = world.worker(failpoints="stored_usage_events:1")
    assert dying.exit_status() == -signal.SIGKILL
    done = world.command("erase", "--user", PERSON, "--tenant", TENANT)
    assert done.returncode == 1
    assert "died in mid-batch" in done.stderr
    assert number(world, "SELECT count() FROM erasures FINAL") == 0
    world.worker()
    world.until(lambda: sum(read_offsets(world.broker).lag.values()) == 0)
    assert erase(world)["erased"]["usage_events"] == EVENTS + 6
    gone(world)
    balanced(world)


def test_what_can_not_be_erased(world):
    """No such tenant, none named, no user: in plain words, before anything is done."""
    for arguments, status in (
        (("--user", "u", "--tenant", "nobody"), 1),
        (("--user", "u"), 2),
        (("--tenant", TENANT), 2),
        (("--user", "", "--tenant", TENANT), 2),
    ):
        done = world.command("erase", *arguments)
        assert done.returncode == status, done.stderr
