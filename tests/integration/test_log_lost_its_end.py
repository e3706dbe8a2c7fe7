"""A broker lost acknowledged records, and the log has grown past them by the time anyone looks.

Offsets alone look right then; what stands at them is not what was folded.
"""

import os
import shutil
import signal

import pytest

from schemas import topics

PERSON_NEEDED = 78


def lose_the_log(world) -> None:
    """The broker comes back without the records of the events' topic, and gets more new ones."""
    world.disconnect()
    world.kafka.kill()
    for partition in list((world.root / "kafka").rglob(f"{topics.EVENTS}-*")):
        shutil.rmtree(partition)
    world.kafka.start()
    world.connect()
    world.send(range(1000, 1200))


@pytest.mark.parametrize("is_running", [True, False])
def test_records_at_used_offsets_stop_the_worker(world, is_running):
    """Under a running worker (frozen, so that it sees no shorter log), or before it starts."""
    worker = world.worker()
    world.send(range(20))
    world.until_counted(20)
    world.until(lambda: sum(world.committed().values()) > 0)
    if is_running:
        os.kill(worker.process.pid, signal.SIGSTOP)
    else:
        worker.kill()
    lose_the_log(world)
    if is_running:
        os.kill(worker.process.pid, signal.SIGCONT)
    else:
        worker = world.worker()

    if worker.exit_status() == 1:
        # Faust may fall over the broker's absence first, and is started again.
        worker = world.worker()

    assert worker.exit_status() == PERSON_NEEDED, worker.log.read_text()
    told = worker.entries("stopped")[-1]
    assert told["reason"] == "log_went_back"
    assert "had a record of" in told["detail"]
    assert world.counted() == (20, 20)


def test_a_broker_that_lost_nothing_stops_nobody(world):
    """Its leader epoch rises with a kill as well: the records are looked at, and are the same."""
    worker = world.worker()
    world.send(range(20))
    world.until_counted(20)
    world.disconnect()
    world.kafka.kill()
    world.kafka.start()
    world.connect()
    world.send(range(20, 60))

    world.until(lambda: worker.process.poll() is not None or world.counted() == (60, 60))
    if worker.process.poll() is not None:
        assert worker.exit_status() == 1
        world.worker()
    world.until_counted(60)
