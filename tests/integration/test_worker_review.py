"""What a review of the worker found: inputs and outages that made it crash for ever, or hang.

Each of these once ended it for good, lost its reason, or let it go on when it had to stop.
"""

import asyncio
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
from kafka.admin import NewPartitions

from aggregators.dead_letters import letters
from aggregators.pipeline import Pipeline
from aggregators.records import read_headers
from deploy import ports
from schemas import topics
from sinks.verify import verify
from tests.support.histories import line
from tests.support.worker_world import PARTITIONS

PERSON_NEEDED = 78


def reason(worker) -> str:
    """The reason in the log of a worker that stopped for a person."""
    assert worker.exit_status() == PERSON_NEEDED, worker.log.read_text()
    return worker.entries("stopped")[-1]["reason"]


def test_large_sums_are_loaded(world):
    """A row of more tokens than 64 bits hold ten thousandths of ten thousandths of is read back."""
    consumed = {"type": "tokens.consumed", "access": "flex", "tenant": "large"}
    worker = world.worker()
    world.append(0, [line(id="1", tokens="92233720369", **consumed)])
    world.until(lambda: world.counted("large")[1] == 1)
    worker.kill()
    world.worker()
    world.append(0, [line(id="2", tokens="0.0001", **consumed)])
    world.until(lambda: world.counted("large")[1] == 2)

    total = "SELECT toString(sum(tokens)) FROM usage_daily FINAL WHERE tenant = 'large'"
    world.until(lambda: world.client.query(total).result_rows == [("92233720369.0001",)])


def test_sums_beyond_what_a_single_event_can_hold(world):
    """A row's tokens outgrow 10^14, where its column once ended, and go on after a restart."""
    most = "99999999999999.9999"
    consumed = {"type": "tokens.consumed", "access": "flex", "tenant": "vast", "tokens": most}
    worker = world.worker()
    world.append(0, [line(id=str(number), **consumed) for number in range(5)])
    world.until(lambda: world.counted("vast")[1] == 5)
    worker.kill()
    world.worker()
    world.append(0, [line(id="5", **consumed)])
    world.until(lambda: world.counted("vast")[1] == 6)

    total = "SELECT toString(sum(tokens)) FROM usage_daily FINAL WHERE tenant = 'vast'"
    world.until(lambda: world.client.query(total).result_rows == [("599999999999999.9994",)])
    found = verify(world.client, today=datetime(2026, 3, 2, tzinfo=UTC).date(), tenant="vast")
    assert (found.checked, found.differences) == (1, 0)


@pytest.fixture
def short_lived_events(world):
    """Events that are kept for forty days only, and the week that the topic keeps records."""
    world.client.command("ALTER TABLE usage_events MODIFY TTL day + INTERVAL 40 DAY")
    yield
    world.client.command("ALTER TABLE usage_events MODIFY TTL day + INTERVAL 408 DAY")


@pytest.mark.usefixtures("short_lived_events")
def test_events_that_the_log_outlives(world):
    """An event delivered again could not be known for one: nothing is folded."""
    worker = world.worker()

    assert reason(worker) == "events_ttl"
    assert "40 days" in worker.entries("stopped")[-1]["detail"]


def test_what_no_gateway_writes_is_dead_and_nothing_stops(world):
    """Numbers without an end, days no table can hold: a dead letter each."""
    worker = world.worker()
    ours = dict(topics.events_headers(count=1, partitions=PARTITIONS, request_id="r"))
    for count in (b"9" * 25, b"9" * 5000):
        headers = list((ours | {topics.HEADER_COUNT: count}).items())
        world.append(0, [line(id="poison")], headers=headers)
    for time_of in ("1900-01-02T00:00:00.000Z", "2199-01-02T00:00:00.000Z"):
        world.append(0, [line(id="poison", time=time_of)])
        world.append(0, [line(id="poison", received_at=time_of)])
    world.append(0, [line(tenant="good")])

    world.until_counted(1, "good")
    dead = "SELECT count() FROM dead_letters FINAL"
    world.until(lambda: world.client.query(dead).result_rows == [(6,)])
    assert worker.process.poll() is None


@pytest.mark.parametrize("name", [topics.HEADER_KIND, topics.HEADER_SCHEMA, topics.HEADER_COUNT])
def test_a_header_without_a_value_is_like_none(name):
    """Kafka allows it, kafka-python can't send it: the record is read or dead, never a crash."""
    ours = dict(topics.events_headers(count=1, partitions=PARTITIONS, request_id="r"))
    without = [(key, value) for key, value in ours.items() if key != name]

    read = read_headers([*without, (name, None)], value=b"{}", partitions=PARTITIONS)

    assert read == read_headers(without, value=b"{}", partitions=PARTITIONS)


@pytest.mark.parametrize(
    "headers",
    [
        [(topics.HEADER_TENANT, None)],
        [(topics.HEADER_RECEIVED_AT, b"0001-01-01T00:00:00+23:59")],
        [(topics.HEADER_RECEIVED_AT, b"9999-01-01T00:00:00Z")],
    ],
)
def test_letters_of_any_form_are_kept(headers):
    """A letter whose headers have no value, or a time no table can hold, is stored as well."""
    message = SimpleNamespace(
        headers=headers, timestamp=86_400.0, value=b"raw", partition=0, offset=7
    )

    (letter,) = letters([message]).iter_rows(named=True)

    assert letter["origin"] == f"{topics.DEAD_LETTERS}/0/7"
    assert letter["received_at"] == datetime(1970, 1, 2, tzinfo=UTC)


def test_events_of_very_many_months(world):
    """One batch may hold events of more months than ClickHouse takes at once by itself."""
    days = [f"{year}-{month:02}-01" for year in range(2010, 2020) for month in range(1, 13)]
    world.append(0, [line(id=day, time=f"{day}T00:00:00.000Z", tenant="old") for day in days])
    world.worker()

    # The events themselves are past their retention.
    world.until(lambda: world.counted("old")[0] == len(days))


def test_a_record_in_a_partition_added_by_hand(world):
    """Nobody but a gateway writes to the log: the worker names it and stops."""
    world.worker().terminate()
    world.broker.create_partitions({topics.EVENTS: NewPartitions(PARTITIONS + 1)})
    world._producer.send(topics.EVENTS, line(), partition=PARTITIONS).get(30)

    assert reason(world.worker()) == "no_epoch"


def test_a_log_that_lost_its_end_under_a_running_worker(world, tmp_path):
    """New records at offsets that were folded before would pass for old ones: it stops."""
    worker = world.worker()
    world.send(range(20))
    world.until_counted(20)
    # kafka-python leaves sockets open that it could not connect.
    world._producer.close()
    world.broker.close()
    world.kafka.kill()
    for partition in list((tmp_path / "kafka").rglob(f"{topics.EVENTS}-*")):
        shutil.rmtree(partition)
    world.kafka.start()

    if worker.exit_status() == 1:
        # Faust may fall over the broker's absence first, and is started again.
        worker = world.worker()
    assert reason(worker) == "log_went_back"


def test_told_to_stop_while_the_broker_does_not_answer(tmp_path, store):
    """A broker that takes connections and says nothing keeps no worker from ending when told."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        env = os.environ | {
            "CLICKHOUSE_DSN": store.dsn,
            "KAFKA_BOOTSTRAP": f"127.0.0.1:{silent.getsockname()[1]}",
            "USAGE_STATE_DIR": str(tmp_path),
            "USAGE_WORKER_PORT": str(ports.free()),
        }
        worker = subprocess.Popen([sys.executable, "-m", "aggregators"], env=env)
        silent.settimeout(30)
        connection, _ = silent.accept()
        time.sleep(0.5)
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(20) == 0
        connection.close()


def test_one_flush_is_not_forgotten_for_another():
    """Two wait for one flush: the next one, begun by the first, is known to the second as well."""

    async def scenario() -> bool:
        pipeline = Pipeline(**dict.fromkeys(_PARTS))
        first, second = (asyncio.ensure_future(asyncio.sleep(after)) for after in (0, 0.05))

        async def begin_another() -> None:
            await pipeline.settle()
            pipeline._flushing = second

        pipeline._flushing = first
        await asyncio.gather(begin_another(), pipeline.settle())
        await pipeline.settle()
        return second.done()

    assert asyncio.run(scenario())


_PARTS = (
    *("member", "broker", "loads", "inserts", "flush", "patience", "guarded", "partitions"),
    *("state_max_bytes", "pass_by"),
)
