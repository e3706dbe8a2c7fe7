"""`replay` and `epoch bump` while events arrive and a worker runs: nothing lost or doubled."""

import json
import signal
import time
from datetime import UTC, datetime

import pytest
from kafka import TopicPartition

from deploy.log_offsets import read_offsets
from schemas.topics import EVENTS
from tests.support.steady_load import SteadyLoad
from tests.support.worker_world import PARTITIONS

PERSON_NEEDED = 78


def said(world, *arguments: str) -> dict:
    """The answer of a command that succeeds."""
    done = world.command(*arguments, "--json")
    assert done.returncode == 0, done.stderr
    assert "waiting until no worker is in the group" in done.stderr
    return json.loads(done.stdout)


def balanced(world, events: int) -> None:
    """So many events in rows; the books, and rows and events, agree."""
    world.until_counted(events)
    world.until(lambda: sum(read_offsets(world.broker).lag.values()) == 0)
    assert world.counted() == (events, events)
    assert world.unbalanced() == 0
    assert world.verified() == 0


@pytest.mark.faults
def test_replay_under_load_from_every_kind_of_place(world):
    """From the earliest, a time and the store's progress, each twice; a time is where it says."""
    worker = world.worker()
    world.send(range(200))
    world.until_counted(200)
    time.sleep(1.1)
    ends, moment = read_offsets(world.broker).ends, datetime.now(UTC).isoformat()
    with SteadyLoad(world, first=200) as load:
        for start in ("earliest", moment, "progress"):
            for _ in range(2):
                joined = len(worker.entries("assigned"))
                places = said(world, "replay", "--from", start)["places"]
                starts = {place["partition"]: place["start"] for place in places}
                assert start != "earliest" or set(starts.values()) == {0}
                # The first records after the moment; none is skipped that is not folded.
                assert start != moment or starts == ends
                assert start != "progress" or all(starts[p] >= end for p, end in ends.items())
                world.until(lambda joined=joined: len(worker.entries("assigned")) > joined)
    balanced(world, load.sent)
    assert len(worker.entries("making_way")) == 6


def test_replay_from_a_time_after_all_there_is(world):
    """Where nothing was appended since, the store's progress is the place."""
    worker = world.worker()
    world.send(range(20))
    world.until_counted(20)
    assert worker.terminate() == 0
    ends = list(read_offsets(world.broker).ends.values())
    places = said(world, "replay", "--from", "2099-01-01T00:00:00Z")["places"]
    assert [place["start"] for place in places] == ends
    assert world.command("replay", "--from", "soon").returncode == 2


@pytest.mark.faults
def test_grown_while_a_worker_runs(world):
    """Refused while events arrive; with the gateways held it grows, and the worker goes on."""
    worker = world.worker()
    world.until(lambda: worker.entries("assigned"))
    with SteadyLoad(world) as load:
        world.until(lambda: load.sent > 40)
        early = world.command("epoch", "bump", "--partitions", f"{PARTITIONS + 2}")
        assert early.returncode == 1
        assert "stop the gateways first" in early.stderr
    assert not worker.entries("making_way")
    world.until_counted(load.sent)
    world.until(lambda: sum(read_offsets(world.broker).lag.values()) == 0)

    grown = said(world, "epoch", "bump", "--partitions", f"{PARTITIONS + 2}")["epochs"]
    assert [epoch["partitions"] for epoch in grown] == [PARTITIONS + 2]
    world.hash_over(PARTITIONS + 2)
    with SteadyLoad(world, first=load.sent) as more:
        world.until(lambda: more.sent > load.sent + 100)
        again = world.command("epoch", "bump", "--partitions", f"{PARTITIONS + 2}")
        assert again.returncode == 0
        assert "nothing to do" in again.stdout
    balanced(world, more.sent)
    assert worker.process.poll() is None


@pytest.mark.parametrize(
    "wrong", [(), ("--partitions", "4", "--after-loss"), ("--partitions", "0")]
)
def test_what_can_not_be_bumped(world, wrong):
    """Exit status 2, before anything is done."""
    assert world.command("epoch", "bump", *wrong).returncode == 2


def test_records_lost_in_mid_batch(world):
    """A worker died between events and rows, then the records went: rows and books take them in."""
    worker = world.worker()
    world.send(range(40))
    world.until_counted(40)
    worker.kill()
    world.send(range(40, 80))
    assert world.worker(failpoints="stored_usage_events:1").exit_status() == -signal.SIGKILL
    stored = world.counted()
    assert stored[1] > stored[0] == 40
    ends = read_offsets(world.broker).ends
    world.broker.delete_records({TopicPartition(EVENTS, p): end for p, end in ends.items()})

    assert world.worker().exit_status() == PERSON_NEEDED
    refused = world.command("replay")
    assert refused.returncode == 1
    assert "--accept-loss" in refused.stderr
    for _ in range(2):
        said(world, "replay", "--accept-loss")
    world.worker()
    # Sent again, what was stored is known, and what was lost is counted now.
    world.send(range(80))
    balanced(world, 80)


def test_replay_into_a_store_that_knows_nothing(world):
    """An older copy of it may be from before the first worker opened an epoch."""
    worker = world.worker()
    world.send(range(40))
    world.until_counted(40)
    world.until(lambda: sum(read_offsets(world.broker).lag.values()) == 0)
    worker.kill()
    for table in ("usage_events", "usage_daily", "usage_ledger", "progress", "log_epochs"):
        world.client.command(f"TRUNCATE TABLE {table}")
    assert {place["start"] for place in said(world, "replay")["places"]} == {0}
    world.worker()
    balanced(world, 40)
