"""How far the workers are behind, as the ledger says it: from the broker, and never waited for."""

from contextlib import closing

import pytest
from kafka import KafkaAdminClient, KafkaProducer, TopicPartition
from kafka.structs import OffsetAndMetadata

from deploy import topics as log_topics
from query_service.lag import LagReader
from schemas.kafka_address import KafkaAddress
from schemas.topics import CONSUMER_GROUP, EVENTS
from tests.support.kafka_process import KafkaProcess


@pytest.fixture
def broker(tmp_path):
    """A broker with the events topic in two partitions."""
    with KafkaProcess(tmp_path / "kafka") as broker:
        log_topics.ensure(KafkaAddress(broker.bootstrap), partitions=2, replication_factor=1)
        yield broker


def produce(broker, *partitions):
    """One record to each of these partitions."""
    with closing(KafkaProducer(bootstrap_servers=broker.bootstrap, acks="all")) as producer:
        for partition in partitions:
            producer.send(EVENTS, b"sample", partition=partition).get(30)


def commit(broker, partition, offset):
    """What the workers' group has committed."""
    with closing(KafkaAdminClient(bootstrap_servers=broker.bootstrap)) as admin:
        place = TopicPartition(EVENTS, partition)
        admin.alter_group_offsets(CONSUMER_GROUP, {place: OffsetAndMetadata(offset, "", -1)})


def test_lag_is_what_is_not_committed(broker):
    """Without a commit all that the log holds; then the rest; unknown once nobody answers."""
    lag = LagReader(KafkaAddress(broker.bootstrap), partitions=2, wait_seconds=30)
    produce(broker, 0, 0, 1)
    assert lag.read() == 3
    commit(broker, 0, 1)
    assert lag.read() == 2
    commit(broker, 0, 2)
    commit(broker, 1, 1)
    assert lag.read() == 0
    broker.kill()
    assert lag.read() is None
