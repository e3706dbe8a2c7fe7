"""A ClickHouse that hangs: questions fail while it hangs, and are answered when it goes on."""

import os
import signal
import time

import httpx
import pytest

from sinks.clickhouse import connect
from sinks.keys import create_key
from sinks.migrate import migrate
from tests.support.clickhouse_process import ClickHouseProcess
from tests.support.query_server import NOW, QueryServer

# Well below the four seconds that the smallest question would wait by itself.
PATIENCE_SECONDS = 3.5


@pytest.fixture
def hanging(tmp_path):
    """A store that may be stopped, and a query service over it with a client and a visitor."""
    store = ClickHouseProcess(tmp_path / "clickhouse").start()
    client = connect(store.dsn)
    migrate(client)
    _, key = create_key(client, tenant="sample", scopes=["admin"], teams=(), now=NOW)
    client.close()
    server = QueryServer(store.dsn, tmp_path / "state", now=NOW, silence_seconds=1).start()
    with httpx.Client(base_url=server.url) as visitor:
        assert visitor.post("/sign-in", data={"key": key}).status_code == 303
        yield store, server.client(key), visitor
    os.kill(store.process.pid, signal.SIGCONT)
    server.stop()
    store.kill()


def asked(client: httpx.Client, path: str) -> httpx.Response:
    """The answer, within the patience of a client that has little."""
    return client.get(path, timeout=PATIENCE_SECONDS)


def answers(client: httpx.Client) -> bool:
    """Whether a report is answered."""
    try:
        return asked(client, "/v1/report").status_code == 200
    except httpx.TransportError:
        return False


def test_questions_fail_while_it_hangs_and_not_after(hanging):
    """503 with a reason while it hangs, what asks nothing goes on; then answers as before."""
    store, client, visitor = hanging
    deadline = time.monotonic() + 30
    while not answers(client):
        assert time.monotonic() < deadline
    os.kill(store.process.pid, signal.SIGSTOP)
    for path in ("/v1/report", "/v1/ledger", "/health/ready"):
        answer = asked(client, path)
        assert answer.status_code == 503, path
        assert answer.json()["reason"] == "unavailable"
        assert answer.headers["Retry-After"]
    told = visitor.get("/", headers={"Accept": "text/html"}, timeout=PATIENCE_SECONDS)
    assert (told.status_code, told.headers["Content-Type"]) == (503, "text/html; charset=utf-8")
    assert "Try again" in told.text
    assert told.headers["Retry-After"]
    for path in ("/health/live", "/metrics"):
        assert asked(client, path).status_code == 200
    os.kill(store.process.pid, signal.SIGCONT)
    while not answers(client):
        assert time.monotonic() < deadline
