"""`rebuild` on real engines: rows that were falsified by hand are what their events add up to."""

import json
import time
from datetime import UTC, datetime, timedelta

import pytest

from sinks.leases import take
from tests.support.clickhouse_process import ClickHouseProcess
from tests.support.histories import line
from tests.support.kafka_process import KafkaProcess
from tests.support.steady_load import SteadyLoad
from tests.support.worker_world import WorkerWorld, migrated

KEY = "tenant, user_id, product_id, product_version, team_id, access, day"
REST = "tokens, first_at, last_at, partition"
USERS = 20


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """A log and a store of this module's own. Each test has tenants of its own."""
    root = tmp_path_factory.mktemp("rebuild")
    store = ClickHouseProcess(root / "clickhouse").start()
    migrated(store)
    with KafkaProcess(root / "kafka") as kafka:
        made = WorkerWorld(root, store, kafka)
        yield made
        made.close()
    store.kill()


@pytest.fixture
def worker(world):
    """A running worker, ended after the test."""
    started = world.worker()
    yield started
    started.kill()


def falsify(world, tenant: str, *, ahead: int = 0) -> None:
    """A wrong total, a row of zeros, a row that is gone, and one of a user nobody has heard of."""
    columns = f"{KEY}, launches, {REST}, position, fold_version"
    fill = f"INSERT INTO usage_daily ({columns}) SELECT"
    of = f"FROM usage_daily FINAL WHERE tenant = '{tenant}' AND user_id ="
    where = f"{REST}, position + {ahead}, 1 {of}"
    do = world.client.command
    do(f"{fill} {KEY}, launches + 7, {where} 'user-1'")
    do(f"{fill} {KEY}, 0, {where} 'user-2'")
    do(f"{fill} {KEY.replace('user_id', repr('nobody'))}, 9, {where} 'user-4'")
    gone = f"tenant = '{tenant}' AND user_id = 'user-3'"
    do(f"ALTER TABLE usage_daily DELETE WHERE {gone} SETTINGS mutations_sync = 2")


def rebuild(world, *arguments: str) -> dict:
    """The command's answer."""
    done = world.command("rebuild", *arguments, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def folded(world, tenant: str, events: int) -> None:
    """So many events of the tenant in rows, and committed."""
    world.send(range(events), tenant=tenant, users=USERS)
    world.until_counted(events, tenant)


@pytest.mark.parametrize("ahead", [0, 1, 10**6], ids=["same", "next", "far"])
def test_falsified_rows_are_repaired_and_counted_on(world, worker, ahead):
    """Whatever position the false rows carry; events that come later are added as ever."""
    tenant = f"ahead-{ahead}"
    folded(world, tenant, 200)
    falsify(world, tenant, ahead=ahead)
    assert world.verified() == 4

    done = rebuild(world, "--all", "--tenant", tenant)
    assert (done["differed"], done["differ"]) == (4, 0)
    assert world.counted(tenant) == (200, 200)

    again = rebuild(world, "--all", "--tenant", tenant)
    assert (again["rows"], again["differed"], again["ahead"]) == (USERS, 0, 0)
    world.send(range(150, 300), tenant=tenant, users=USERS)
    world.until_counted(300, tenant)
    assert world.verified() == 0


@pytest.mark.faults
def test_under_load(world, worker):
    """Events arrive all the time: false rows are repaired, and nothing is lost or doubled."""
    with SteadyLoad(world) as load:
        world.until(lambda: load.sent > 400 and world.counted()[0] > 200)
        falsify(world, "acme", ahead=1)
        for _ in range(2):
            assert rebuild(world, "--all")["differ"] == 0
    world.until(lambda: world.counted() == (load.sent, load.sent))
    assert world.verified() == 0


@pytest.mark.faults
def test_only_the_chosen_rows_are_written(world, worker):
    """By user, by day, by tenant: the others stay as false as they were."""
    for tenant in ("chosen", "other"):
        folded(world, tenant, 40)
        falsify(world, tenant)
    assert world.verified() == 8
    assert rebuild(world, "--user", "user-1", "--tenant", "chosen")["differed"] == 1
    assert world.verified() == 7
    day = datetime.fromisoformat(json.loads(line())["time"]).date()
    assert rebuild(world, "--from", f"{day + timedelta(days=1)}")["differed"] == 0
    assert rebuild(world, "--from", f"{day}", "--to", f"{day}", "--tenant", "chosen") == {
        "rows": USERS + 1,
        "differed": 3,
        "differ": 0,
        "ahead": 0,
    }
    assert world.verified() == 4
    assert rebuild(world, "--user", "nobody", "--user", "user-3")["differed"] == 2
    rebuild(world, "--all")
    assert world.verified() == 0


@pytest.mark.parametrize(
    "wrong",
    [(), ("--all", "--user", "u"), ("--from", "2026-03-02", "--to", "2026-03-01"), ("--from", "x")],
    ids=["nothing", "all and some", "backwards", "no day"],
)
def test_what_is_not_chosen_well(world, wrong):
    """Exit status 2, before anything is done."""
    assert world.command("rebuild", *wrong).returncode == 2


def test_one_command_at_a_time(world, worker):
    """While another holds the lease: exit status 1, with its name, and nothing is written."""
    folded(world, "held", 40)
    falsify(world, "held")
    with take(world.store.dsn, holder="replay by hand"):
        done = world.command("rebuild", "--all")
    assert done.returncode == 1
    assert "maintenance is under way: replay by hand" in done.stderr
    assert world.verified() == 4
    assert rebuild(world, "--all")["differed"] == 4


@pytest.mark.faults
def test_killed_half_way_and_given_again(world, worker):
    """Kill -9 of the command at some moment of its work: the next one repairs all the same."""
    folded(world, "killed", 200)
    for pause in (1.5, 3.0, 4.5):
        falsify(world, "killed", ahead=1)
        command = world.start_command("rebuild", "--all")
        time.sleep(pause)
        command.kill()
    world.until(lambda: world.command("rebuild", "--all").returncode == 0)
    assert world.verified() == 0
    world.send(range(150, 260), tenant="killed", users=USERS)
    world.until_counted(260, "killed")
    assert world.verified() == 0


def test_days_beyond_the_events_retention_are_refused(world):
    """Their rows would become zeros. The table itself says how long events are kept.

    The last test: events of the others are deleted here.
    """
    today = datetime.now(UTC).date()
    old = world.command("rebuild", "--from", f"{today - timedelta(days=407)}")
    assert old.returncode == 1
    assert "retention" in old.stderr
    world.client.command("ALTER TABLE usage_events MODIFY TTL day + INTERVAL 60 DAY")
    sooner = world.command("rebuild", "--from", f"{today - timedelta(days=60)}")
    assert sooner.returncode == 1
    assert "retention" in sooner.stderr
