"""Rule 8 on a real log: what could count wrongly stops the worker with 78 and names the remedy.

What looks like it and does no harm goes on.
"""

from kafka import TopicPartition
from kafka.admin import NewPartitions

from deploy import replay as replaying
from schemas import topics
from schemas.rollups import FOLD_VERSION
from sinks.leases import take
from sinks.loads import Loads
from tests.support.histories import line
from tests.support.kept_worker import KeptWorker
from tests.support.worker_world import PARTITIONS

PERSON_NEEDED = 78


def stopped(worker) -> tuple[str, str]:
    """Reason and remedy in the log of a worker that stopped for a person."""
    assert worker.exit_status() == PERSON_NEEDED, worker.log.read_text()
    entry = worker.entries("stopped")[-1]
    return entry["reason"], entry["remedy"]


def replay(world, start: str) -> int:
    """The remedy, as soon as the group has no members; how many records it gives up as lost."""
    places = replaying.plan(world.client, world.broker, replaying.parse_start(start))
    with take(world.store.dsn, holder="a test") as lease:
        replaying.apply(world.client, world.broker, lease, places)
    return sum(place.lost for place in places)


def folded(world) -> None:
    """Twenty events in rows, and the worker that did it ended."""
    worker = world.worker()
    world.send(range(20))
    world.until_counted(20)
    world.until(lambda: sum(world.committed().values()) > 0)
    assert worker.terminate() == 0


def test_offsets_reset_forward(world):
    """A committed offset above what is folded would skip records for ever."""
    folded(world)
    world.send(range(20, 200))
    reset = {partition: offset + 2 for partition, offset in world.committed().items()}
    world.commit(reset)

    reason, remedy = stopped(world.worker())

    assert reason == "store_went_back"
    assert "usage-report replay --from progress" in remedy
    assert world.counted() == (20, 20)

    replay(world, "progress")
    world.worker()
    world.until_counted(200)


def test_offsets_reset_to_the_earliest(world):
    """A replay of everything doubles nothing, dead letters included."""
    world.append(0, [b"bad"])
    folded(world)
    world.commit(dict.fromkeys(range(PARTITIONS), 0))

    world.worker()
    world.send(range(20, 30))

    world.until_counted(30)
    # A letter's version is its offset: the second one is the replay's.
    letters = "SELECT count(), max(version) FROM dead_letters FINAL"
    world.until(lambda: world.client.query(letters).result_rows == [(1, 1)])


def test_log_start_passed_the_committed_offset(world):
    """Records deleted before they were folded: the gap is named."""
    folded(world)
    world.send(range(20, 200))
    gone = {TopicPartition(topics.EVENTS, p): o + 3 for p, o in world.committed().items()}
    world.broker.delete_records(gone)

    worker = world.worker()
    reason, remedy = stopped(worker)

    assert reason == "log_start_passed"
    assert "usage-report replay" in remedy
    assert "were deleted before they were folded" in worker.entries("stopped")[-1]["detail"]

    assert replay(world, "progress") > 0
    world.worker()
    world.until(lambda: world.counted()[0] > 20)


def test_log_end_below_the_progress(world):
    """More is folded than the log holds: the broker lost its tail."""
    folded(world)
    folded_up_to = topics.position(1, 10_000)
    names = ["partition", "position", "appended_at", "caught_up_at", "fold_version"]
    world.client.insert("progress", [[0, folded_up_to, 0, 0, 1]], column_names=names)

    reason, remedy = stopped(world.worker())

    assert reason == "log_went_back"
    assert "restore the broker" in remedy


def test_progress_lost_under_a_running_worker(world):
    """The store went back while the worker runs: it sees it within seconds."""
    worker = world.worker()
    world.send(range(20))
    world.until_counted(20)
    world.until(lambda: sum(world.committed().values()) > 0)
    world.client.command("TRUNCATE TABLE progress")

    reason, remedy = stopped(worker)

    assert reason == "store_went_back"
    assert "usage-report replay" in remedy


def test_a_gateway_with_another_number_of_partitions(world):
    """Users would change partitions: the worker stops at the first such record."""
    worker = world.worker()
    headers = topics.events_headers(count=1, partitions=PARTITIONS + 1, request_id="r")
    world.append(0, [line()], headers=headers)

    reason, remedy = stopped(worker)

    assert reason == "partitions_differ"
    assert "USAGE_PARTITIONS" in remedy
    assert world.counted() == (0, 0)


def test_partitions_added_by_hand(world):
    """They stay empty and do no harm."""
    folded(world)
    world.broker.create_partitions({topics.EVENTS: NewPartitions(PARTITIONS + 2)})

    world.worker()
    world.send(range(20, 60))

    world.until_counted(60)


def test_a_topic_created_again_is_a_new_life_of_the_log(world):
    """The next epoch is opened, and counted on, by the worker or by its next life."""
    folded(world)
    with KeptWorker(world) as kept:
        world.until(lambda: kept.entries("assigned"))
        world.broker.delete_topics([topics.EVENTS])
        world.until(lambda: topics.EVENTS not in world.broker.list_topics())
        world.make_topics()
        world.send(range(20, 60))

        world.until_counted(60)

    assert set(kept.statuses) <= {1}
    assert {epoch.epoch for epoch in Loads(world.client).epochs()} == {1, 2}


def test_a_newer_fold_beside_a_running_worker(world):
    """Two folds never run side by side: the older one stops, whichever partition the newer has."""
    folded(world)
    place = topics.position(1, 5)
    names = ["partition", "position", "appended_at", "caught_up_at", "fold_version"]
    # Of a partition that this worker does not have.
    row = [PARTITIONS, place, 0, 0, FOLD_VERSION + 1]
    running = world.worker()
    world.until(lambda: running.entries("assigned"))
    world.client.insert("progress", [row], column_names=names)

    reason, remedy = stopped(running)

    assert reason == "fold_version"
    assert "on every worker" in remedy
    again = world.worker()
    assert stopped(again)[0] == "fold_version"
