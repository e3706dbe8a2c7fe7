"""What operators watch of the store: whether it answers, its room, and whether books balance."""

import shutil
import time
from datetime import UTC, datetime

import pytest
from prometheus_client import CollectorRegistry

from query_service.store import Store
from query_service.watch import Watch
from schemas.metrics import QueryMetrics
from sinks.clickhouse import connect
from sinks.migrate import migrate
from tests.support.clickhouse_process import ClickHouseProcess

_BOOKS = ("tenant", "received_day", "partition", "accepted", "stored", "duplicate", "dead")


@pytest.fixture
def watched(tmp_path):
    """A store of its own, a watch over it that looks when it is told to, and its figures."""
    process = ClickHouseProcess(tmp_path / "clickhouse").start()
    registry = CollectorRegistry()
    metrics = QueryMetrics(registry)
    limits = {"max_seconds": 10, "export_max_seconds": 10, "max_memory_bytes": 1 << 30}
    store = Store(process.dsn, metrics=metrics, **limits)
    client = connect(process.dsn)
    yield process, client, Watch(store, metrics), registry.get_sample_value
    client.close()
    store.close()
    process.kill()


def book(client, *rows):
    """Rows of the ledger: (tenant, partition, accepted, stored, duplicate, dead, counted)."""
    day = datetime.now(UTC).date()
    client.insert(
        "usage_ledger",
        [[tenant, day, *counts, 7, 1] for tenant, *counts in rows],
        column_names=[*_BOOKS, "counted", "position", "fold_version"],
    )


def test_books_and_room_are_told(watched):
    """The difference is 0 while books balance, and by partition, so that none hides another's."""
    process, client, watch, value = watched
    migrate(client)
    book(client, ("", 0, 0, 0, 0, 2, 12), ("a", 0, 7, 6, 1, 0, 0), ("b", 0, 3, 3, 0, 0, 0))
    watch.look()
    assert value("usage_books_difference_events") == 0
    assert value("usage_store_up") == 1
    size = shutil.disk_usage(process.data_dir).total
    assert value("usage_store_size_bytes", {"disk": "default"}) == pytest.approx(size, rel=0.01)
    assert 0 < value("usage_store_free_bytes", {"disk": "default"}) < size
    # One was lost of partition 1, one too many is in partition 2, and one was stored twice there.
    book(client, ("", 1, 0, 0, 0, 0, 5), ("a", 1, 4, 4, 0, 0, 0))
    book(client, ("", 2, 0, 0, 0, 0, 4), ("a", 2, 5, 6, 0, 0, 0))
    watch.look()
    assert value("usage_books_difference_events") == 3


def test_the_newest_backup_is_told(watched):
    """When it was begun; of a store that has none, when that was made."""
    _, client, watch, value = watched
    began = int(time.time())
    migrate(client)
    watch.look()
    assert began <= value("usage_backup_timestamp_seconds") <= time.time()
    columns = ["taken_at", "finished_at", "release"]
    for taken_at in (began + 200, began + 100):
        times = [datetime.fromtimestamp(at, UTC) for at in (taken_at, taken_at + 900)]
        client.insert("backups", [[*times, "1"]], column_names=columns)
    watch.look()
    assert value("usage_backup_timestamp_seconds") == began + 200


def test_a_store_that_is_away_is_told(watched):
    """Before its tables are there and while nobody answers it is not up, and it is when it is."""
    process, client, watch, value = watched
    watch.start()
    until(lambda: value("usage_query_seconds_count", {"query": "books_difference"}))
    assert value("usage_store_up") == 0
    migrate(client)
    watch.look()
    assert value("usage_store_up") == 1
    process.kill()
    until(lambda: value("usage_store_up") == 0)
    watch.stop()


def until(holds):
    """Wait until it does."""
    deadline = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.1)
