"""The query service over the real engine, at a moment that stands still.

Next: tests.support.query_server
"""

import os
from contextlib import nullcontext

import pytest

from sinks.clickhouse import connect
from sinks.keys import create_key, tenant_secret
from tests.support.query_server import NOW, QueryServer
from tests.support.settling import Months, unmerged

# What a test reads that does not say it: `days`, or `months`, settled before each question.
READS = os.environ.get("USAGE_TEST_READS", "days")


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


@pytest.fixture(scope="session")
def months(clickhouse_dsn):
    """Settles months of the store."""
    settling = Months(clickhouse_dsn)
    yield settling
    settling.close()


@pytest.fixture
def new_tenant(store_client, query_server, months, request):
    """Makes a tenant of this test: its name, a client with a key of it, and its secret.

    Its parameter says what reports are read from, as READS does.
    """
    from_months = getattr(request, "param", READS) == "months"

    def make(name="", *, scopes=("read",), teams=()):
        tenant = f"sample-{request.node.name}-{name}"
        _, key = create_key(store_client, tenant=tenant, scopes=scopes, teams=teams, now=NOW)
        query_server.refresh_keys()
        http = query_server.client(key)
        if from_months:
            months.settle_before(http)
        return tenant, http, tenant_secret(store_client, tenant)

    with unmerged(store_client) if from_months else nullcontext():
        yield make
