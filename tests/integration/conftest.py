"""A worker's surroundings: a store, and a log of its own for each test.

Next: tests.support.worker_world
"""

from contextlib import ExitStack

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


@pytest.fixture
def own_world(tmp_path):
    """A log and a store that is this test's own: it loses its data directory."""
    with ExitStack() as stack:
        store = ClickHouseProcess(tmp_path / "clickhouse").start()
        stack.callback(store.kill)
        migrated(store)
        made = WorkerWorld(tmp_path, store, stack.enter_context(KafkaProcess(tmp_path / "kafka")))
        stack.callback(made.close)
        yield made
