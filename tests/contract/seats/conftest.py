"""Two query services over one store, whose clock the test sets, and a tenant with a team.

Next: tests.support.seats
"""

import pytest

from sinks.keys import create_key, tenant_secret
from tests.support.directory_rows import insert_entry
from tests.support.query_server import NOW, QueryServer
from tests.support.seats import Seats


@pytest.fixture(scope="session")
def two_servers(clickhouse_dsn, tmp_path_factory):
    """As if in two processes, but for the turns that they take."""
    servers = [
        QueryServer(clickhouse_dsn, tmp_path_factory.mktemp("state"), now=NOW).start()
        for _ in range(2)
    ]
    yield servers
    for server in servers:
        server.stop()


@pytest.fixture
def new_seats(two_servers, store_client, request):
    """Makes a key of this test's tenant, and what may be asked with it at both services."""
    for server in two_servers:
        server.now = NOW

    def make(*, name="", scopes=("manage",), teams=()):
        tenant = f"sample-{request.node.name}-{name}"
        _, key = create_key(store_client, tenant=tenant, scopes=scopes, teams=teams, now=NOW)
        for server in two_servers:
            server.refresh_keys()
        return Seats(
            tenant=tenant,
            secret=tenant_secret(store_client, tenant),
            servers=two_servers,
            https=[server.client(key) for server in two_servers],
            store=store_client,
        )

    return make


@pytest.fixture
def seats(new_seats):
    """A tenant whose one team shows names."""
    made = new_seats()
    insert_entry(made.store, made.tenant, "teams")
    return made
