"""Workers make way for maintenance: they wait before they join, and leave when it begins."""

import signal
import threading
from contextlib import closing, suppress

import httpx
import pytest
from kafka import KafkaConsumer
from kafka.errors import CoordinatorNotAvailableError

from deploy.maintenance import NotNow, maintenance
from schemas import topics
from sinks.leases import MAINTENANCE, TTL_SECONDS, Leases, take
from tests.support.lease_holder import LeaseHolder


def quiet(_: str) -> None:
    """Tell nobody."""


def members(world) -> int:
    """How many are in the group, as soon as the broker can say."""
    found = []

    def told() -> bool:
        with suppress(CoordinatorNotAvailableError):
            groups = world.broker.describe_groups([topics.CONSUMER_GROUP])
            found.append(len(groups[topics.CONSUMER_GROUP]["members"]))
        return bool(found)

    world.until(told)
    return found[0]


def test_a_worker_that_starts_waits_until_it_is_over(world):
    """It does not join and still tells its metrics, be the store away meanwhile; then it counts."""
    world.send(range(20))
    with take(world.store.dsn, holder="a test") as lease:
        worker = world.worker()
        world.until(lambda: worker.entries("held"))
        assert worker.entries("held")[0]["holder"] == "a test"
        assert httpx.get(worker.metrics_url).status_code == 200
        lease.check()
        world.store.kill()
        world.until(lambda: worker.entries("waiting"))
        world.store.start()
        lease.check()
        assert members(world) == 0
        assert worker.process.poll() is None
    world.until_counted(20)
    assert worker.entries("released")
    assert len(worker.entries("assigned")) == 1


def test_told_to_stop_while_it_waits(world):
    """SIGTERM ends it with 0, whether it waits from its start or has made way."""
    worker = world.worker()
    world.until(lambda: worker.entries("assigned"))
    with take(world.store.dsn, holder="a test"):
        waiting = world.worker("worker-2")
        world.until(lambda: waiting.entries("held") and worker.entries("held"))
        assert waiting.terminate() == 0
        assert worker.terminate() == 0


def test_a_running_worker_makes_way_and_goes_on(world):
    """It leaves the group with nothing in flight, keeps its pid, and folds what came meanwhile."""
    worker = world.worker()
    world.send(range(20))
    world.until_counted(20)
    with maintenance(world.store.dsn, world.broker, "a test", tell=quiet):
        assert members(world) == 0
        world.send(range(10, 40))
        world.until(lambda: worker.entries("held"))
        assert world.counted() == (20, 20)
        assert worker.process.poll() is None
    world.until_counted(40)
    assert [entry["event"] for entry in worker.entries("making_way")] == ["making_way"]
    assert worker.terminate() == 0
    assert world.verified() == 0
    assert world.unbalanced() == 0


@pytest.mark.faults
def test_a_paused_worker_that_wakes_too_late_takes_nothing(world):
    """The broker gave its place up, so maintenance went on; awake, it makes way before it folds."""
    worker = world.worker()
    world.send(range(20))
    world.until_counted(20)
    world.until(lambda: sum(world.committed().values()) > 0)
    worker.process.send_signal(signal.SIGSTOP)
    with maintenance(world.store.dsn, world.broker, "a test", tell=quiet):
        world.send(range(20, 40))
        worker.process.send_signal(signal.SIGCONT)
        world.until(lambda: worker.entries("held"))
        assert members(world) == 0
    world.until_counted(40)
    assert world.verified() == 0


def test_one_who_does_not_leave_is_named(world):
    """A member that knows nothing of leases: refused, and the lease is given up."""
    stop = threading.Event()
    with closing(
        KafkaConsumer(
            topics.EVENTS,
            bootstrap_servers=world.kafka.bootstrap,
            group_id=topics.CONSUMER_GROUP,
            group_instance_id="an-older-one",
        )
    ) as consumer:

        def poll() -> None:
            while not stop.is_set():
                consumer.poll(timeout_ms=100)

        polling = threading.Thread(target=poll)
        polling.start()
        world.until(lambda: members(world) == 1)
        with (
            pytest.raises(NotNow, match="an-older-one"),
            maintenance(world.store.dsn, world.broker, "a test", tell=quiet, leave_seconds=2),
        ):
            raise AssertionError("it went on beside a member")
        stop.set()
        polling.join()
    assert Leases(world.store.dsn, name=MAINTENANCE).holder() is None


@pytest.mark.faults
def test_a_killed_command_holds_nobody_up_for_long(world):
    """Its lease runs out, and the workers go on by themselves."""
    worker = world.worker()
    world.until(lambda: worker.entries("assigned"))
    command = LeaseHolder(world.store.dsn, name=MAINTENANCE, ttl_seconds=TTL_SECONDS)
    world.until(lambda: worker.entries("held"))
    command.kill()
    world.send(range(20))
    world.until_counted(20)
