"""A broker that lost the tail of its log: nothing counts twice, and what comes next is counted."""

import json
from datetime import UTC, datetime

import pytest

from deploy import epochs as opening
from deploy.log_offsets import read_offsets
from tests.support.steady_load import SteadyLoad
from tests.support.worker_world import PARTITIONS

PERSON_NEEDED = 78

pytestmark = pytest.mark.faults


def now() -> datetime:
    """The clock."""
    return datetime.now(UTC)


def folded(world, events: int) -> None:
    """So many events in rows, and all committed."""
    world.worker()
    world.send(range(events))
    world.until_counted(events)
    world.until(lambda: sum(read_offsets(world.broker).lag.values()) == 0)


def loses_its_tail(world, *, share: float = 0.3) -> dict[int, int]:
    """The broker comes back without its last part; the running worker stops. The log's ends."""
    world.lose_tail(share=share)
    assert world.workers[-1].exit_status() == PERSON_NEEDED
    stopped = world.workers[-1].entries("stopped")[-1]
    assert stopped["reason"] == "log_went_back"
    assert "usage-report epoch bump --after-loss" in stopped["remedy"]
    return read_offsets(world.broker).ends


def bumped(world, *how: str) -> dict:
    """`epoch bump`, after a loss unless told otherwise; the epoch it tells."""
    done = world.command("epoch", "bump", *(how or ["--after-loss"]), "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)["epochs"][0]


def balanced(world, events: int) -> None:
    """So many events, as many in rows; the books, and rows and events, agree."""
    world.until_counted(events)
    world.until(lambda: sum(read_offsets(world.broker).lag.values()) == 0)
    assert world.counted() == (events, events)
    assert world.unbalanced() == 0
    assert world.verified() == 0


def test_events_at_offsets_used_again_are_counted(world):
    """However far the log has grown meanwhile; the command is given twice, and again afterwards."""
    folded(world, 300)
    before = read_offsets(world.broker).ends
    cut = loses_its_tail(world)
    assert all(cut[partition] < before[partition] for partition in before)
    # Some known, most new, and more than were lost.
    world.send(range(250, 600))
    assert all(end > before[p] for p, end in read_offsets(world.broker).ends.items())

    first = bumped(world)
    assert first["first_offsets"] == [0] * PARTITIONS
    assert bumped(world) == first
    world.worker()
    balanced(world, 600)

    with SteadyLoad(world, first=600) as load:
        world.until(lambda: load.sent > 700)
        assert bumped(world)["epoch"] == first["epoch"] + 1
        assert world.command("replay", "--from", "earliest").returncode == 0
        sent = load.sent
        world.until(lambda: load.sent > sent + 100)
    balanced(world, load.sent)


def test_a_command_that_died_half_way(world):
    """The epoch is open and the offsets are not set: the worker stops and names the remedy."""
    folded(world, 100)
    loses_its_tail(world)
    world.send(range(100, 140))
    offsets = read_offsets(world.broker)
    opening._open(world.client, offsets.topic_id, offsets.starts, 2, now())

    worker = world.worker()
    assert worker.exit_status() == PERSON_NEEDED
    remedy = worker.entries("stopped")[-1]["remedy"]
    assert "usage-report replay --from progress" in remedy
    assert world.command("replay", "--from", "progress").returncode == 0
    world.worker()
    balanced(world, 140)


def test_a_log_that_had_grown(world):
    """Only what is hashed over the present number is folded again, be offsets used twice."""
    folded(world, 60)
    grown = bumped(world, "--partitions", f"{PARTITIONS + 1}")
    world.hash_over(PARTITIONS + 1)
    began = grown["first_offsets"]
    assert began == list(read_offsets(world.broker).ends.values())
    assert min(began[:PARTITIONS]) > 0
    world.send(range(60, 120), users=40)
    world.until_counted(120)
    # Back to before it grew, and on from there: the same offsets under another number.
    cut = loses_its_tail(world, share=0.7)
    assert any(cut[partition] < began[partition] for partition in range(PARTITIONS))
    world.send(range(100, 200), users=40)

    again = bumped(world)["first_offsets"]
    assert again == [min(first, cut[partition]) for partition, first in enumerate(began)]
    world.worker()
    balanced(world, 200)
