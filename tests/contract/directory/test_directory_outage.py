"""The directory while ClickHouse is away: nothing is said to be stored that is not."""

import pytest

from sinks.clickhouse import connect
from sinks.keys import create_key
from sinks.migrate import migrate
from tests.support.clickhouse_process import ClickHouseProcess
from tests.support.directory import listed, put
from tests.support.query_server import NOW, QueryServer


@pytest.fixture
def store(tmp_path):
    """A ClickHouse of this test, which may be killed."""
    process = ClickHouseProcess(tmp_path / "clickhouse").start()
    client = connect(process.dsn)
    migrate(client)
    client.close()
    yield process
    process.stop()


@pytest.fixture
def http(store, tmp_path):
    """A client of a query service over it."""
    client = connect(store.dsn)
    _, key = create_key(client, tenant="sample", scopes=["manage"], teams=[], now=NOW)
    client.close()
    server = QueryServer(store.dsn, tmp_path / "state", now=NOW).start()
    yield server.client(key)
    server.stop()


def test_an_outage(store, http):
    """503 with Retry-After to be sent again; what was answered 200 is there after a kill -9."""
    put(http, "teams", {"team_id": "before", "personal_data": True})
    store.kill()
    for answer in (
        http.put("/v1/directory/teams", json={"team_id": "x"}),
        http.get("/v1/directory/teams"),
    ):
        assert (answer.status_code, answer.json()["reason"]) == (503, "unavailable")
        assert answer.headers["Retry-After"]
    store.start()
    put(http, "teams", {"team_id": "after"})
    assert [team["team_id"] for team in listed(http, "teams")] == ["after", "before"]
