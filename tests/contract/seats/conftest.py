"""Two query services over one store, whose clock the test sets, and a tenant with a team.

Next: tests.support.seats
"""

import time
from dataclasses import replace

import httpx
import pytest

from sinks.keys import create_key, tenant_secret
from tests.support.directory_rows import insert_entry
from tests.support.query_process import QueryProcess
from tests.support.query_server import NOW, QueryServer
from tests.support.seats import Seats

KEY_SECONDS = 20.0
# Ten thousand seats on a busy machine.
ANSWER_SECONDS = 120.0


@pytest.fixture(scope="package")
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
        https = [server.client(key) for server in two_servers]
        for http in https:
            http.timeout = ANSWER_SECONDS
        return Seats(
            tenant=tenant,
            secret=tenant_secret(store_client, tenant),
            servers=two_servers,
            https=https,
            store=store_client,
        )

    return make


@pytest.fixture
def seats(new_seats):
    """A tenant whose one team shows names."""
    made = new_seats()
    insert_entry(made.store, made.tenant, "teams")
    return made


@pytest.fixture(scope="module")
def two_processes(clickhouse_dsn, tmp_path_factory):
    """Two processes of the query service over the same store, by the real clock."""
    started = [
        QueryProcess(clickhouse_dsn, tmp_path_factory.mktemp("query")).start() for _ in range(2)
    ]
    yield started
    for process in started:
        process.stop()


@pytest.fixture
def at_processes(seats, two_processes):
    """The tenant with clients at each of the processes, which know its key."""
    headers = seats.https[0].headers
    https = [
        httpx.Client(
            base_url=f"http://127.0.0.1:{process.port}", headers=headers, timeout=ANSWER_SECONDS
        )
        for process in two_processes
    ]
    deadline = time.monotonic() + KEY_SECONDS
    while any(http.get("/v1/seat-changes").status_code == 401 for http in https):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    yield replace(seats, https=https)
    for http in https:
        http.close()
