"""A worker's surroundings: a store, and a log of its own for each test.

Next: tests.support.worker_world
"""

import pytest

from tests.support.clickhouse_process import ClickHouseProcess
from tests.support.kafka_process import KafkaProcess
from tests.support.worker_world import WorkerWorld, migrated


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """One store for the module; every test empties it."""
    process = ClickHouseProcess(tmp_path_factory.mktemp("store")).start()
    migrated(process)
    yield process
    process.kill()


@pytest.fixture
def world(tmp_path, store):
    """An empty store, and a broker without topics or a group's memory."""
    with KafkaProcess(tmp_path / "kafka") as kafka:
        made = WorkerWorld(tmp_path, store, kafka)
        yield made
        made.close()
