"""The query service over the real engine, at a moment that stands still.

Next: tests.support.query_server
"""

import pytest

from sinks.clickhouse import connect
from sinks.keys import create_key, tenant_secret
from tests.support.query_server import NOW, QueryServer


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
