"""A topic deleted and created again under load: a new life of the log by itself.

What was acknowledged on the new topic is counted once; what of the old one was seen and is not
folded is told as lost, and nothing else is.
"""

import json
import os
import subprocess
import sys
import threading
import time
from collections import Counter
from contextlib import suppress
from datetime import UTC, datetime

import httpx
import pytest
from kafka import OffsetAndMetadata, TopicPartition
from kafka.errors import KafkaError

from aggregators.tails import lost
from schemas import topics
from sinks.keys import create_key
from sinks.loads import Loads
from tests.support.cloud_events import event
from tests.support.gateway_process import GatewayProcess
from tests.support.kept_worker import KeptWorker
from tests.support.topic_reader import TopicReader, lines_of
from tests.support.worker_world import PARTITIONS

TENANT = "acme"
USERS = 40
BATCH = 50
ROUNDS = 3
LAG = "usage_lag_records"
COUNTED = "SELECT id, count() FROM usage_events FINAL WHERE tenant = 'acme' GROUP BY id"
IN_ROWS = "SELECT sum(launches) FROM usage_daily FINAL WHERE tenant = 'acme'"


class Sender:
    """Posts batches one after the other; `acked` are the ids answered 202, in their order."""

    def __init__(self, gateway: GatewayProcess, key: str) -> None:
        self._url, self._headers = f"{gateway.url}/v1/events", {"X-API-Key": key}
        self._number = 0
        self.acked: list[str] = []
        self.statuses: Counter[int] = Counter()

    def post(self) -> int:
        """One batch with new ids; its status."""
        ids = [f"{self._number}-{index}" for index in range(BATCH)]
        self._number += 1
        batch = [event(id=name, subject=f"user-{at % USERS}") for at, name in enumerate(ids)]
        status = httpx.post(self._url, json=batch, headers=self._headers, timeout=30).status_code
        self.statuses[status] += 1
        if status == 202:
            self.acked += ids
        return status

    def post_for(self, seconds: float) -> None:
        """Batches for so long."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.post()


@pytest.fixture
def sender(world, store, tmp_path):
    """A sender before a gateway on the world's broker."""
    now = datetime.now(UTC)
    _, key = create_key(world.client, tenant=TENANT, scopes=("ingest",), teams=(), now=now)
    gateway = GatewayProcess(
        tmp_path / "gateway",
        kafka=world.kafka.bootstrap,
        clickhouse_dsn=store.dsn,
        partitions=PARTITIONS,
        ack_timeout_seconds=2,
    ).start()
    yield Sender(gateway, key)
    gateway.kill()


def metric(worker, name: str) -> int:
    """The sum of a metric on its /metrics; -1 while it has none."""
    try:
        text = httpx.get(worker.metrics_url, timeout=5).text
    except httpx.TransportError:
        return -1
    values = [row for row in text.splitlines() if row.startswith((f"{name} ", name + "{"))]
    return sum(int(float(row.rsplit(" ", 1)[1])) for row in values) if values else -1


def told_lost(world) -> dict[int, int]:
    """What `usage-report epoch show` tells of each epoch; `lag` tells the same sum."""
    epochs, lag = (ask(world, *command) for command in (("epoch", "show"), ("lag",)))
    lost_of = {epoch["epoch"]: epoch["lost"] for epoch in epochs["epochs"]}
    assert lag["lost_records"] == sum(lost_of.values())
    return lost_of


def ask(world, *command: str):
    """The answer of a command in JSON."""
    places = {"CLICKHOUSE_DSN": world.store.dsn, "KAFKA_BOOTSTRAP": world.kafka.bootstrap}
    found = subprocess.run(
        [sys.executable, "-m", "deploy.cli", *command, "--json"],
        env=os.environ | places,
        capture_output=True,
        check=True,
        timeout=60,
    )
    return json.loads(found.stdout)


def until_folded(world, kept) -> None:
    """Wait until the worker tells no lag."""
    world.until(lambda: metric(kept.lives[-1], LAG) == 0)


def until_seen(world, kept, *, records: int) -> None:
    """Wait until the worker tells so many records, whether folded or not."""
    world.until(lambda: metric(kept.lives[-1], LAG) + sum(world.committed().values()) == records)


def until_opened(world, epoch: int) -> None:
    """Wait until this epoch is the newest."""
    world.until(lambda: Loads(world.client).epochs()[-1].epoch == epoch)


def records_of(world) -> dict[int, list[list[str]]]:
    """The ids in each record of the log, by partition."""
    found: dict[int, list[list[str]]] = {partition: [] for partition in range(PARTITIONS)}
    with TopicReader(world.kafka.bootstrap, topics.EVENTS, from_start=True) as reader:
        for record in sorted(reader.records(), key=lambda record: record.offset):
            found[record.partition].append([line["id"] for line in lines_of(record)])
    return found


def delete_topic(world) -> None:
    """Delete the events' topic, and wait until the broker has."""
    world.broker.delete_topics([topics.EVENTS])
    world.until(lambda: topics.EVENTS not in world.broker.list_topics())


def tail_lost(world, epoch: int) -> dict[int, int]:
    """What `usage-report epoch show` adds up, by partition."""
    loads = Loads(world.client)
    return lost(loads.epochs(), loads.log_ends()).get(epoch, {})


@pytest.mark.faults
def test_three_times_in_a_row_under_load(world, store, sender):
    """Each time a tail is left that nobody can fold any more: it is told, and all else counted."""
    gone: set[str] = set()
    with KeptWorker(world) as kept:
        for epoch in range(1, ROUNDS + 1):
            sender.post_for(2)
            until_folded(world, kept)
            store.kill()
            sender.post_for(3)
            on_log = records_of(world)
            until_seen(world, kept, records=sum(map(len, on_log.values())))
            delete_topic(world)
            assert sender.post() == 503
            acking = threading.Thread(target=sender.post_for, args=(6,))
            acking.start()
            world.make_topics()
            store.start()
            acking.join()
            until_opened(world, epoch + 1)
            sender.post_for(1)
            until_folded(world, kept)
            tails = tail_lost(world, epoch)
            assert tails, "the tail was made on purpose"
            for partition, records in tails.items():
                gone.update(name for ids in on_log[partition][-records:] for name in ids)
        counted = dict(world.client.query(COUNTED).result_rows)
        told = told_lost(world)
        assert metric(kept.lives[-1], "usage_lost_records") == sum(told.values())
        kept_epochs = {row.epoch for row in Loads(world.client).epochs()}

    assert told == {epoch: sum(tail_lost(world, epoch).values()) for epoch in kept_epochs}
    assert set(kept.statuses) == {1}
    assert kept_epochs == set(range(1, ROUNDS + 2))
    assert set(counted.values()) == {1}
    assert set(sender.acked) - set(counted) == gone
    assert not gone & set(counted)
    assert world.client.query(IN_ROWS).result_rows == [(len(counted),)]
    assert len(kept.entries("log_tail_lost")) == ROUNDS
    assert sender.statuses[202] > sender.statuses[503]


def commit_for_another_topic(world, offsets: dict[int, int]) -> None:
    """What a worker that has not noticed yet writes after the topic was created again."""
    note = topics.commit_note("a-topic-before")
    wanted = {
        TopicPartition(topics.EVENTS, partition): OffsetAndMetadata(offset, note, -1)
        for partition, offset in offsets.items()
    }

    def committed() -> bool:
        with suppress(KafkaError):
            world.broker.alter_group_offsets(topics.CONSUMER_GROUP, wanted)
        return world.committed().items() >= offsets.items()

    world.until(committed)


def test_commits_of_a_topic_before_are_no_place_in_this_one(world):
    """Left over within the new log or beyond its end, they skip nothing and stop nobody."""
    world.send(range(300))
    commit_for_another_topic(world, {0: 3, 1: 10_000})

    with KeptWorker(world) as kept:
        world.until_counted(300)
        world.until(lambda: world.committed().get(1, 10_000) < 10_000)

    assert set(kept.statuses) <= {1}
    assert len(kept.entries("commits_of_another_topic")) == 1


@pytest.mark.faults
def test_a_group_balanced_while_the_topic_was_away(world, monkeypatch):
    """A member that starts again would get what it had then, nothing: it joins anew instead."""
    # Faust names its topics in the order of a set; in another order the group is balanced again.
    monkeypatch.setenv("PYTHONHASHSEED", "0")
    delete_topic(world)
    worker = world.worker()
    world.until(lambda: held(world) == [])
    worker.kill()
    world.make_topics()
    world.send(range(40))

    with KeptWorker(world) as kept:
        world.until_counted(40)

    assert len(kept.entries("joining_again")) == 1


def held(world) -> list[int]:
    """Partitions of the events' topic that members of the group have; [-1] while unknown."""
    group = {"group_state": "unknown"}
    with suppress(KafkaError):  # the first question of a broker's life finds no coordinator
        group = world.broker.describe_groups([topics.CONSUMER_GROUP])[topics.CONSUMER_GROUP]
    if group["group_state"] != "Stable":
        return [-1]
    return [
        partition
        for member in group["members"]
        for topic in member["member_assignment"]["assigned_partitions"]
        if topic["topic"] == topics.EVENTS
        for partition in topic["partitions"]
    ]
