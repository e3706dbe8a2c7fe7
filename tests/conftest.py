"""What many tests share: ClickHouse with the newest tables and Kafka with the log's topics.

Next: tests.support.clickhouse_process
"""

import os
from pathlib import Path

import pytest

from deploy import topics
from schemas.kafka_address import KafkaAddress
from schemas.topics import DEFAULT_PARTITIONS
from sinks.clickhouse import connect
from sinks.migrate import migrate
from tests.support.clickhouse_process import ClickHouseProcess
from tests.support.kafka_process import KafkaProcess

# What starts whole systems first, small files last: with them both workers end at the same time.
ORDER = ("faults", "e2e", "browser", "integration", "contract", "model", "project", "unit")
ROOT = Path(__file__).parent

# A broker that lives for seconds need not be compiled to its best: it starts in half of the time.
os.environ.setdefault("JDK_JAVA_OPTIONS", "-XX:TieredStopAtLevel=1")


def pytest_collection_modifyitems(items):
    """One directory after another: the systems that its files share end with the last of them."""

    def place(item):
        top, *_ = item.path.relative_to(ROOT).parts
        return ORDER.index(top) if top in ORDER else len(ORDER), item.path.parent

    items.sort(key=place)


@pytest.fixture(scope="session")
def clickhouse_dsn(tmp_path_factory):
    """A migrated store, of the server in CLICKHOUSE_DSN if there is one (of USAGE_CLUSTER's form).

    Tests share it, so each works in tenants of its own.
    """
    given = os.environ.get("CLICKHOUSE_DSN")
    process = None if given else ClickHouseProcess(tmp_path_factory.mktemp("clickhouse")).start()
    dsn = given or process.dsn
    client = connect(dsn)
    migrate(client, cluster=os.environ.get("USAGE_CLUSTER", ""))
    client.close()
    yield dsn
    if process:
        process.stop()


@pytest.fixture(scope="session")
def kafka_bootstrap(tmp_path_factory):
    """A broker with the log's topics, the one in KAFKA_BOOTSTRAP if there is one.

    Tests share it, and leave it running.
    """
    given = os.environ.get("KAFKA_BOOTSTRAP")
    process = None if given else KafkaProcess(tmp_path_factory.mktemp("kafka"))
    if process:
        process.start()
    bootstrap = given or process.bootstrap
    topics.ensure(KafkaAddress(bootstrap), partitions=DEFAULT_PARTITIONS, replication_factor=1)
    yield bootstrap
    if process:
        process.stop()
