"""A gateway before a real broker and a real store, keys that it knows, and what it writes.

Next: tests.support.gateway_process
"""

from datetime import UTC, datetime
from functools import partial

import httpx
import pytest

from schemas.topics import DEAD_LETTERS, EVENTS
from sinks.clickhouse import connect
from sinks.keys import create_key
from tests.support.gateway_process import SMALL_LIMITS, GatewayProcess, wait_until
from tests.support.topic_reader import TopicReader


@pytest.fixture(scope="package")
def store_client(clickhouse_dsn):
    """A client of the store."""
    client = connect(clickhouse_dsn)
    yield client
    client.close()


@pytest.fixture(scope="package")
def small_gateway(clickhouse_dsn, kafka_bootstrap, tmp_path_factory):
    """A gateway with small limits."""
    process = GatewayProcess(
        tmp_path_factory.mktemp("gateway"),
        kafka=kafka_bootstrap,
        clickhouse_dsn=clickhouse_dsn,
        **SMALL_LIMITS,
    ).start()
    yield process
    assert process.stop() == 0


@pytest.fixture(scope="package")
def new_key(store_client, small_gateway):
    """Makes a key that the gateway knows: (key_id, key)."""

    def make(tenant="sample", scopes=("ingest",), teams=()):
        now = datetime.now(UTC)
        made = create_key(store_client, tenant=tenant, scopes=scopes, teams=teams, now=now)
        ask = partial(httpx.post, f"{small_gateway.url}/v1/events", headers={"X-API-Key": made[1]})
        wait_until(lambda: ask().status_code != 401, seconds=30)
        return made

    return make


@pytest.fixture(scope="package")
def readers(kafka_bootstrap):
    """A reader of the log, and one of the dead letters."""
    with (
        TopicReader(kafka_bootstrap, EVENTS) as log,
        TopicReader(kafka_bootstrap, DEAD_LETTERS) as letters,
    ):
        yield log, letters


@pytest.fixture
def log(readers):
    """What comes to the log during the test."""
    readers[0].skip()
    return readers[0]


@pytest.fixture
def letters(readers):
    """What comes to the dead letters during the test."""
    readers[1].skip()
    return readers[1]


@pytest.fixture(scope="package")
def key(new_key):
    """A key that may send events."""
    return new_key()[1]


@pytest.fixture(scope="package")
def http(small_gateway, key):
    """A client with that key."""
    with httpx.Client(
        base_url=small_gateway.url, headers={"Authorization": f"Bearer {key}"}, timeout=30
    ) as client:
        yield client


@pytest.fixture
def arrived(letters):
    """Waits for dead letters: nobody else does."""

    def wait():
        found = []
        wait_until(lambda: found.extend(letters.records()) or found, seconds=30)
        return found

    return wait
