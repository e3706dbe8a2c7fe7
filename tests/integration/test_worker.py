"""The worker on real Kafka and ClickHouse: records in, rows out, through stops and kills."""

import pytest

from tests.support.clickhouse_process import ClickHouseProcess
from tests.support.histories import line
from tests.support.kafka_process import KafkaProcess
from tests.support.worker_world import PARTITIONS, WorkerWorld, migrated


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """An empty log and store of this module's own. Each test has tenants of its own."""
    root = tmp_path_factory.mktemp("worker")
    store = ClickHouseProcess(root / "clickhouse").start()
    migrated(store)
    with KafkaProcess(root / "kafka") as kafka:
        made = WorkerWorld(root, store, kafka)
        yield made
        made.close()
    store.kill()


@pytest.fixture
def worker(world):
    """A running worker, ended by the test or after it."""
    started = world.worker()
    yield started
    started.kill()


def test_records_become_rows_and_duplicates_do_not(world, worker):
    """What is on the log is in rows, events, books and dead letters; an event twice counts once."""
    world.send(range(200), tenant="rows")
    world.send(range(150, 250), tenant="rows")
    world.until_counted(250, "rows")

    books = "SELECT sum(accepted), sum(stored), sum(duplicate) FROM usage_ledger FINAL"
    found = world.client.query(f"{books} WHERE tenant = 'rows'").result_rows
    assert found == [(300, 250, 50)]


def test_poison_is_one_dead_letter_and_nothing_stops(world, worker):
    """A record no gateway wrote, and a bad line in a good record: a dead letter each."""
    world.append(0, [b"\xff\x00 poison"], headers=[])
    world.append(0, [b"bad", line(tenant="poison")])
    world.until_counted(1, "poison")

    letters = "SELECT raw, reason FROM dead_letters FINAL WHERE raw LIKE '%poison%' OR raw = 'bad'"
    world.until(lambda: len(world.client.query(letters).result_rows) == 2)
    world.until(lambda: world.committed().get(0, 0) >= 2)
    assert worker.process.poll() is None


def test_told_to_stop_it_leaves_nothing_half_done(world, worker):
    """SIGTERM under load: exit status 0, and the next one goes on where it ended."""
    world.send(range(500), tenant="stop")
    world.until(lambda: world.counted("stop")[0] > 0)
    assert worker.terminate() == 0

    world.send(range(500, 600), tenant="stop")
    world.worker()
    world.until_counted(600, "stop")
    world.workers[-1].kill()


def test_killed_workers_lose_and_double_nothing(world):
    """Kill -9 in mid-work, again and again: every event is counted once."""
    for first in range(0, 500, 100):
        world.send(range(first, first + 100), tenant="killed")
        world.worker()
        world.until(lambda: world.workers[-1].entries("flushed"))
        world.workers[-1].kill()
    world.worker()
    world.until_counted(500, "killed")
    world.workers[-1].kill()


def test_two_workers_share_the_log_and_survive_each_other(world):
    """Both get partitions; when one is killed the other takes its work over."""
    workers = [world.worker("worker-1"), world.worker("worker-2")]
    # The first may have had all of them for a while, before the second joined.
    world.until(lambda: all(0 < _assigned(worker) < PARTITIONS for worker in workers))
    assert sum(_assigned(worker) for worker in workers) == PARTITIONS
    world.send(range(200), tenant="two")
    world.until_counted(200, "two")

    workers[1].kill()
    world.send(range(200, 400), tenant="two")
    world.until_counted(400, "two")
    workers[0].kill()


def _assigned(worker) -> int:
    """How many partitions it has by its latest assignment."""
    assigned = worker.entries("assigned")
    return int(assigned[-1]["partitions"]) if assigned else 0
