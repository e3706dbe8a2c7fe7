"""What the rest relies on in the broker that `deploy.kafka` starts: durable, quick, its own.

Next: deploy.topics
"""

import subprocess
import sys
import time
from pathlib import Path

import aiokafka
import pytest
from kafka import (
    KafkaAdminClient,
    KafkaConsumer,
    KafkaProducer,
    OffsetAndMetadata,
    TopicPartition,
)
from kafka.admin import ConfigResource, ConfigResourceType, NewTopic
from kafka.errors import KafkaError

from deploy import jars, kafka
from tests.support.kafka_process import KafkaProcess

TOPIC = "sample.events"
BASE = TopicPartition(TOPIC, 0)


@pytest.fixture
def broker(tmp_path):
    """A broker with one topic of one partition and the broker's own append times."""
    with KafkaProcess(tmp_path / "kafka") as broker:
        admin = KafkaAdminClient(bootstrap_servers=broker.bootstrap)
        config = {"message.timestamp.type": "LogAppendTime"}
        admin.create_topics([NewTopic(TOPIC, 1, 1, topic_configs=config)])
        admin.close()
        yield broker


def produce(broker: KafkaProcess, values: list[bytes]) -> list[int]:
    """Send with acks=all, each acknowledged before this returns; their offsets."""
    producer = KafkaProducer(
        bootstrap_servers=broker.bootstrap, acks="all", enable_idempotence=True
    )
    sent = [producer.send(TOPIC, value, timestamp_ms=1) for value in values]
    offsets = [future.get(30).offset for future in sent]
    producer.close()
    return offsets


def consume(broker: KafkaProcess, count: int) -> list:
    """The first `count` records of the topic, whatever is committed."""
    consumer = KafkaConsumer(bootstrap_servers=broker.bootstrap)
    consumer.assign([BASE])
    consumer.seek_to_beginning(BASE)
    records: list = []
    while len(records) < count:
        records += consumer.poll(1000).get(BASE, [])
    consumer.close()
    return records


def topics(broker: KafkaProcess) -> set[str]:
    """The topics that the broker has."""
    consumer = KafkaConsumer(bootstrap_servers=broker.bootstrap)
    found = consumer.topics()
    consumer.close()
    return found


def test_what_groups_committed_stays_short(broker):
    """It is compacted from a megabyte on: while a restarted broker reads it, nobody can work."""
    produce(broker, [b"event"])
    consumer = KafkaConsumer(bootstrap_servers=broker.bootstrap, group_id="sample")
    consumer.assign([BASE])
    consumer.commit({BASE: OffsetAndMetadata(1, "", -1)})
    consumer.close()
    admin = KafkaAdminClient(bootstrap_servers=broker.bootstrap)
    asked = ConfigResource(ConfigResourceType.TOPIC, "__consumer_offsets")
    (told,) = admin.describe_configs([asked])["topic"].values()
    admin.close()
    assert told["segment.bytes"]["value"] == str(2**20)


def test_serves_kafka_python(broker):
    """What kafka-python sends with acks=all comes back, in order, without gaps."""
    values = [b"event %d" % number for number in range(1000)]
    assert produce(broker, values) == list(range(1000))
    assert [record.value for record in consume(broker, 1000)] == values


async def test_serves_aiokafka(broker):
    """An aiokafka consumer group, as Faust uses, is served and its offsets are kept."""
    produce(broker, [b"one", b"two"])
    for expected in (b"one", b"two"):
        consumer = aiokafka.AIOKafkaConsumer(
            TOPIC,
            bootstrap_servers=broker.bootstrap,
            group_id="sample",
            auto_offset_reset="earliest",
            enable_auto_commit=False,
            max_poll_records=1,
        )
        await consumer.start()
        record = await consumer.getone()
        assert record.value == expected
        await consumer.commit({aiokafka.TopicPartition(TOPIC, 0): record.offset + 1})
        await consumer.stop()


def test_append_time_is_the_brokers(broker):
    """LogAppendTime of a topic holds: a producer's wrong clock does not reach the log."""
    before = time.time() * 1000 - 1000
    produce(broker, [b"sent with a timestamp of 1970"])
    assert consume(broker, 1)[0].timestamp > before


def test_topics_are_not_made_by_use(broker):
    """A misspelt topic is an error, not a new topic."""
    assert topics(broker) == {TOPIC}
    producer = KafkaProducer(bootstrap_servers=broker.bootstrap, max_block_ms=2000)
    with pytest.raises(KafkaError):
        producer.send("sample.evnets", b"x").get(5)
    producer.close()
    assert topics(broker) == {TOPIC}


def test_kill_9_keeps_what_was_acknowledged(broker):
    """Three kill -9 with sends before each: every acknowledged record is there, once, in order."""
    sent = []
    for round_ in range(3):
        values = [b"round %d event %d" % (round_, number) for number in range(500)]
        offsets = produce(broker, values)
        assert offsets == list(range(len(sent), len(sent) + 500))
        sent += values
        broker.kill()
        broker.start()
    assert [record.value for record in consume(broker, len(sent))] == sent


def test_kill_9_leaves_no_more_behind_each_time(broker):
    """The library that a broker unpacks for compressed records stays in its directory, once."""
    for _ in range(2):
        producer = KafkaProducer(bootstrap_servers=broker.bootstrap, compression_type="lz4")
        producer.send(TOPIC, b"event" * 100).get(30)
        producer.close()
        unpacked = list((broker.data_dir / "scratch").glob("*.so"))
        assert len(unpacked) == 1
        broker.kill()
        broker.start()


def test_clean_stop_and_restart_keep_everything(broker):
    """A stop by SIGTERM ends with the log closed cleanly, and a start on the data goes on."""
    produce(broker, [b"before"])
    broker.stop()
    assert (broker.data_dir / "log" / ".kafka_cleanshutdown").exists()
    broker.start()
    assert produce(broker, [b"after"]) == [1]
    assert [record.value for record in consume(broker, 2)] == [b"before", b"after"]


def test_another_port_for_the_same_data(broker):
    """The data directory is not tied to the port it was made with."""
    produce(broker, [b"kept"])
    broker.stop()
    with KafkaProcess(broker.data_dir) as moved:
        assert moved.port != broker.port
        assert [record.value for record in consume(moved, 1)] == [b"kept"]


def test_two_brokers_at_once(broker, tmp_path):
    """A second clone's broker, on its own directory and port, shares nothing with the first."""
    with KafkaProcess(tmp_path / "second") as second:
        produce(broker, [b"of the first"])
        assert topics(second) == set()
        assert [record.value for record in consume(broker, 1)] == [b"of the first"]


def test_second_broker_on_one_directory_is_refused(broker):
    """A directory has one broker; the second says so and leaves the first alone."""
    second = subprocess.run(
        kafka.command(broker.data_dir, broker.port + 1), capture_output=True, text=True, check=False
    )
    assert second.returncode == 1
    assert "runs on" in second.stderr
    assert kafka.answers(broker.port)


def test_command_line_stops_and_wipes(broker):
    """`stop` ends the broker of a directory by itself, `wipe` removes its data too."""
    base = [sys.executable, "-m", "deploy.kafka"]
    place = ["--data-dir", str(broker.data_dir)]
    assert kafka.running(broker.data_dir) == broker.pid
    assert subprocess.run([*base, "stop", *place], check=False).returncode == 0
    assert kafka.running(broker.data_dir) is None
    assert subprocess.run([*base, "stop", *place], check=False).returncode == 1
    assert subprocess.run([*base, "wipe", *place], check=False).returncode == 0
    assert not broker.data_dir.exists()


def test_pid_is_javas(broker):
    """The pid that is reported is the broker's own, so a kill of it is a kill of the broker."""
    assert b"kafka.Kafka" in Path(f"/proc/{broker.pid}/cmdline").read_bytes()


def test_a_jar_that_is_not_the_locked_one_is_refused(tmp_path, monkeypatch):
    """Jars are pinned by SHA-256: another content stops the start, and nothing is kept."""
    first = jars.LOCK.read_text().split("[[dependencies]]")[:2]
    wrong = tmp_path / "kafka.lock"
    wrong.write_text("[[dependencies]]".join(first).replace('sha256 = "', 'sha256 = "0'))
    monkeypatch.setattr(jars, "LOCK", wrong)
    with pytest.raises(SystemExit, match="is not the file"):
        jars.jars(tmp_path / "cache")
    assert not jars.ready(tmp_path / "cache")
