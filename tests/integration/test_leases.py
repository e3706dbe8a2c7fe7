"""The lease on a real store: one holder at most, and what a holder that ended leaves behind."""

import signal
import threading
import time

import pytest

from sinks.leases import Held, Leases, Lost, take
from tests.support.clickhouse_process import ClickHouseProcess
from tests.support.lease_holder import LeaseHolder
from tests.support.worker_world import migrated

PATIENCE_SECONDS = 30.0
ROUNDS = 25


@pytest.fixture(scope="module")
def dsn(tmp_path_factory):
    """A store of this module's own; each test has a lease of its own name."""
    process = ClickHouseProcess(tmp_path_factory.mktemp("leases")).start()
    migrated(process)
    yield process.dsn
    process.kill()


@pytest.fixture
def child(dsn, request):
    """A process that holds the lease of the test's name, for two seconds at a time."""
    holder = LeaseHolder(dsn, name=request.node.name, ttl_seconds=2.0)
    yield holder
    holder.kill()


def until_free(leases: Leases) -> None:
    """Wait until nobody holds it."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while leases.holder() is not None:
        assert time.monotonic() < deadline, "it was never given up"
        time.sleep(0.1)


def test_two_at_once_are_never_both_given_it(dsn):
    """Many rounds of two threads that start together: at most one holds it at any moment."""
    start, inside = threading.Barrier(2), threading.Semaphore(1)
    taken, both = [], []

    def compete(name: str) -> None:
        for turn in range(ROUNDS):
            start.wait()
            try:
                with take(dsn, holder=name, name="contested", sleep=lambda s: time.sleep(s / 5)):
                    alone = inside.acquire(blocking=False)
                    (taken if alone else both).append(turn)
                    time.sleep(0.01)
                    if alone:
                        inside.release()
            except Held as held:
                assert held.holder != name  # noqa: PT017 - the other one is named

    threads = [threading.Thread(target=compete, args=(name,)) for name in ("one", "other")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not both
    assert len(taken) > ROUNDS / 2


def test_a_second_one_is_told_who_has_it(dsn):
    """Refused with the holder's name; free again at the first one's end."""
    with (
        take(dsn, holder="rebuild", name="named"),
        pytest.raises(Held, match="rebuild"),
        take(dsn, holder="replay", name="named", sleep=lambda _: None),
    ):
        pass
    with take(dsn, holder="replay", name="named") as lease:
        lease.check()


def test_it_is_renewed_for_as_long_as_its_holder_lives(dsn, child, request):
    """Held over many times its time; kill -9 of the holder, and it runs out by itself."""
    leases = Leases(dsn, name=request.node.name)
    time.sleep(5)
    assert leases.holder() == "child"

    child.kill()
    assert leases.holder() == "child"
    until_free(leases)
    with take(dsn, holder="next", name=request.node.name):
        assert leases.holder() == "next"


def test_a_holder_that_was_paused_does_not_go_on(dsn, child, request):
    """Its lease ran out and another has it: it learns so before its next step."""
    child.process.send_signal(signal.SIGSTOP)
    until_free(Leases(dsn, name=request.node.name))
    with take(dsn, holder="next", name=request.node.name) as lease:
        child.process.send_signal(signal.SIGCONT)
        assert Lost.__name__ in child.look()
        lease.check()
