"""`epoch bump` on a real topic: refused while anything moves, then exact at the ends."""

import time
from contextlib import closing
from datetime import UTC, datetime

import pytest
from kafka import KafkaProducer, OffsetAndMetadata, TopicPartition

from deploy.connection import Connection
from deploy.epochs import after_loss, bump, opened_already
from deploy.log_offsets import admin, read_offsets
from deploy.maintenance import NotNow, maintenance
from deploy.prepare import prepare
from schemas.kafka_address import KafkaAddress
from schemas.settings import StoreSettings
from schemas.topics import CONSUMER_GROUP, EVENTS, position
from sinks.clickhouse import connect
from sinks.loads import Epoch, Loads
from tests.support.clickhouse_process import ClickHouseProcess
from tests.support.kafka_process import KafkaProcess

PARTITIONS = 3
PATIENCE_SECONDS = 60
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


class Log:
    """A topic of three partitions with five records in the second, none of them folded."""

    def __init__(self, store, broker, connection: Connection) -> None:
        self.store, self.broker = store, broker
        self.dsn, self.bootstrap = connection.clickhouse_dsn, connection.kafka.bootstrap
        self.append(5)

    def append(self, records: int) -> None:
        """Append to the second partition, as a gateway would."""
        with closing(KafkaProducer(bootstrap_servers=self.bootstrap)) as producer:
            for _ in range(records):
                producer.send(EVENTS, b"{}", partition=1).get()

    def open(self) -> None:
        """What a first worker does: epoch 1 from offset 0."""
        topic_id = read_offsets(self.broker).topic_id
        rows = [[topic_id, partition, 0, PARTITIONS, 1, NOW] for partition in range(PARTITIONS)]
        self.store.insert("log_epochs", rows, column_names=[*Epoch._fields, "opened_at"])

    def commit(self, offset: int) -> None:
        """What a worker tells the broker."""
        place = TopicPartition(EVENTS, 1)
        commit = OffsetAndMetadata(offset, "", -1)
        # A broker that has just started answers, but may not keep offsets yet.
        deadline = time.monotonic() + PATIENCE_SECONDS
        while read_offsets(self.broker).committed.get(1) != offset:
            assert time.monotonic() < deadline, "the broker never took the commit"
            self.broker.alter_group_offsets(CONSUMER_GROUP, {place: commit})

    def fold(self, offset: int) -> None:
        """What a worker tells the store: `offset` is the next one to fold."""
        names = ["partition", "position", "appended_at", "caught_up_at", "fold_version"]
        row = [1, position(1, offset - 1), NOW, NOW, 1]
        self.store.insert("progress", [row], column_names=names)

    def bump(self, partitions: int, sleep=lambda _: None, entered=lambda: None) -> list[Epoch]:
        """Bump without the wait; `sleep` and `entered` may do what happens meanwhile."""

        def tell(what: str) -> None:
            if "no worker is at work" in what:
                entered()

        alone = maintenance(self.dsn, self.broker, "epoch bump", tell=tell)
        return bump(
            self.store,
            self.broker,
            alone,
            partitions=partitions,
            clock=lambda: NOW,
            sleep=sleep,
        )

    def after_loss(self) -> list[Epoch]:
        """Open the log's next life after a loss."""
        with maintenance(self.dsn, self.broker, "epoch bump", tell=lambda _: None) as lease:
            return after_loss(self.store, self.broker, lease, clock=lambda: NOW)


@pytest.fixture(scope="module")
def log(tmp_path_factory):
    """Real engines with the topic as above."""
    root = tmp_path_factory.mktemp("epochs")
    store = ClickHouseProcess(root / "clickhouse").start()
    with KafkaProcess(root / "kafka") as kafka:
        connection = Connection(clickhouse_dsn=store.dsn, kafka=KafkaAddress(kafka.bootstrap))
        prepare(connection, StoreSettings(partitions=PARTITIONS))
        with closing(connect(store.dsn)) as client, admin(KafkaAddress(kafka.bootstrap)) as broker:
            yield Log(client, broker, connection)
    store.kill()


def test_a_loss_before_the_first_epoch_leaves_nothing_to_open(log):
    """The first worker opens it, and folds the log from its start, whatever was committed."""
    log.commit(4)
    assert log.after_loss() == []
    assert Loads(log.store).epochs() == []
    assert read_offsets(log.broker).committed[1] == 0


def test_lag_is_what_the_broker_says(log):
    """Without a commit all records lag, with one those from it on."""
    assert read_offsets(log.broker).lag[1] == 5
    log.commit(2)
    assert read_offsets(log.broker).lag == {0: 0, 1: 3, 2: 0}


def test_bump_is_refused_until_everything_is_still_and_folded(log):
    """Each precondition is named; then the topic grows and the new epoch begins at the ends."""
    with pytest.raises(NotNow, match="no epoch yet"):
        log.bump(5)
    log.open()
    with pytest.raises(NotNow, match="3 records are not folded"):
        log.bump(5)
    log.commit(5)
    with pytest.raises(NotNow, match="lacks records of partition 1"):
        log.bump(5)
    log.fold(5)
    with pytest.raises(NotNow, match="only grow"):
        log.bump(2)
    with pytest.raises(NotNow, match="stop the gateways"):
        log.bump(5, sleep=lambda _: log.append(1))
    log.commit(6)
    log.fold(6)
    with pytest.raises(NotNow, match="stop the gateways"):
        log.bump(5, entered=lambda: log.append(1))
    log.commit(7)
    log.fold(7)
    assert opened_already(log.store, log.broker, 5) == []

    opened = log.bump(5)
    assert [epoch.first_offset for epoch in opened] == [0, 7, 0, 0, 0]
    assert {(epoch.epoch, epoch.partitions) for epoch in opened} == {(2, 5)}
    assert len(read_offsets(log.broker).ends) == 5
    assert [epoch for epoch in Loads(log.store).epochs() if epoch.epoch == 2] == opened
    assert opened_already(log.store, log.broker, 5) == opened
    assert opened_already(log.store, log.broker, 3) == []
    # Nothing has come since: what was folded in epoch 1 is still all there is.
    assert {epoch.epoch for epoch in log.bump(6)} == {3}
