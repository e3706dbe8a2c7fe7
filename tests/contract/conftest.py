"""The gateway over real engines, and the query service, at a moment that stands still.

Next: tests.support.gateway_process, tests.support.query_server
"""

from datetime import UTC, datetime
from functools import partial

import httpx
import pytest

from schemas.topics import DEAD_LETTERS, EVENTS
from sinks.clickhouse import connect
from sinks.keys import create_key, tenant_secret
from tests.support.gateway_process import GatewayProcess, wait_until
from tests.support.query_server import NOW, QueryServer
from tests.support.topic_reader import TopicReader

GATEWAY_LIMITS = {"body_max_bytes": 1 << 20, "batch_max_events": 2_000}


@pytest.fixture(scope="session")
def store_client(clickhouse_dsn):
    """A client of the store."""
    client = connect(clickhouse_dsn)
    yield client
    client.close()


@pytest.fixture(scope="session")
def query_server(clickhouse_dsn, tmp_path_factory):
    """The query service, at NOW."""
    server = QueryServer(clickhouse_dsn, tmp_path_factory.mktemp("state"), now=NOW).start()
    yield server
    server.stop()


@pytest.fixture
def new_tenant(store_client, query_server, request):
    """Makes a tenant of this test: its name, a client with a key of it, and its secret."""

    def make(name="", *, scopes=("read",), teams=()):
        tenant = f"sample-{request.node.name}-{name}"
        _, key = create_key(store_client, tenant=tenant, scopes=scopes, teams=teams, now=NOW)
        query_server.refresh_keys()
        return tenant, query_server.client(key), tenant_secret(store_client, tenant)

    return make


@pytest.fixture(scope="module")
def gateway(clickhouse_dsn, kafka_bootstrap, tmp_path_factory):
    """A gateway with small limits."""
    process = GatewayProcess(
        tmp_path_factory.mktemp("gateway"),
        kafka=kafka_bootstrap,
        clickhouse_dsn=clickhouse_dsn,
        **GATEWAY_LIMITS,
    ).start()
    yield process
    assert process.stop() == 0


@pytest.fixture(scope="module")
def new_key(store_client, gateway):
    """Makes a key that the gateway knows: (key_id, key)."""

    def make(tenant="sample", scopes=("ingest",), teams=()):
        now = datetime.now(UTC)
        made = create_key(store_client, tenant=tenant, scopes=scopes, teams=teams, now=now)
        headers = {"X-API-Key": made[1]}
        ask = partial(httpx.post, f"{gateway.url}/v1/events", headers=headers)
        wait_until(lambda: ask().status_code != 401)
        return made

    return make


@pytest.fixture(scope="module")
def readers(kafka_bootstrap):
    """A reader of each topic."""
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
