"""An export that fails breaks; one that nobody reads ends. On a ClickHouse that may be killed."""

import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import httpx
import pytest

from query_service.store import EXPORT_CLIENTS
from schemas.reports import EXTENSIONS
from sinks.clickhouse import connect
from sinks.keys import create_key
from sinks.migrate import migrate
from tests.support.clickhouse_process import ClickHouseProcess
from tests.support.many_rows import insert_many
from tests.support.query_server import NOW, QueryServer

ROWS = 300_000
# What is made on disk before it is sent cannot break while it is sent.
STREAMED = [extension for extension in EXTENSIONS if extension != "xlsx"]
PATIENCE_SECONDS = 60
# Exports are marked; other statements have a mark with dashes, or none.
EXPORTS = "match(Settings['log_comment'], '^[0-9a-f]{32}$')"


class Place:
    """A store of its own with many rows, and a service over it."""

    def __init__(self, directory):
        self.clickhouse = ClickHouseProcess(directory / "clickhouse").start()
        client = connect(self.clickhouse.dsn)
        migrate(client)
        insert_many(client, "sample-many", ROWS)
        _, key = create_key(client, tenant="sample-many", scopes=["read"], teams=[], now=NOW)
        client.close()
        self.server = QueryServer(self.clickhouse.dsn, directory / "state", now=NOW).start()
        self.server.refresh_keys()
        self.http = self.server.client(key)
        self.http.timeout = PATIENCE_SECONDS

    def kill(self):
        """Kill -9 the store, and start it again."""
        self.clickhouse.kill()
        self.clickhouse.start()

    def running(self):
        """Exports that the store is working on."""
        client = connect(self.clickhouse.dsn)
        try:
            return client.query(f"SELECT count() FROM system.processes WHERE {EXPORTS}").first_row[
                0
            ]
        finally:
            client.close()

    def wait_for(self, running):
        """Come back when so many exports are under way."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while self.running() != running:
            assert time.monotonic() < deadline
            time.sleep(0.05)

    def stop(self):
        """Stop both."""
        self.server.stop()
        self.clickhouse.stop()


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """The store and the service, for the tests of this module."""
    made = Place(tmp_path_factory.mktemp("broken"))
    yield made
    made.stop()


@pytest.mark.parametrize("extension", STREAMED)
def test_a_transfer_whose_source_dies_breaks(place, extension):
    """ClickHouse killed in mid-answer: the client sees a broken transfer, not a short file."""
    with place.http.stream("GET", f"/v1/report.{extension}?sort=user") as answer:
        assert answer.status_code == 200
        pieces = answer.iter_raw()
        assert next(pieces)
        place.kill()
        with pytest.raises(httpx.RemoteProtocolError):
            list(pieces)


def test_a_spreadsheet_whose_source_dies_is_never_begun(place):
    """It is made before its first byte is sent, so what fails is an ordinary problem."""
    with ThreadPoolExecutor() as threads:
        asked = threads.submit(place.http.get, "/v1/report.xlsx")
        place.wait_for(running=1)
        place.kill()
        answer = asked.result()
    assert answer.status_code == 503
    assert answer.json()["reason"] == "unavailable"
    assert "Retry-After" in answer.headers


@pytest.mark.parametrize("extension", STREAMED)
def test_a_query_that_fails_midway_breaks_the_transfer(place, extension):
    """ClickHouse ends the query with an error after the first rows: the same."""
    with place.http.stream("GET", f"/v1/report.{extension}?sort=user") as answer:
        pieces = answer.iter_raw()
        assert next(pieces)
        client = connect(place.clickhouse.dsn)
        client.query(f"KILL QUERY WHERE {EXPORTS} ASYNC")
        client.close()
        with pytest.raises(httpx.RemoteProtocolError):
            list(pieces)


@pytest.mark.parametrize("extension", EXTENSIONS)
def test_a_client_that_leaves_early_ends_the_query(place, extension):
    """Before the first byte there is nothing to break: the query is ended by its mark."""
    with pytest.raises(httpx.ReadTimeout):
        place.http.get(f"/v1/report.{extension}?sort=user", timeout=0.5)
    place.wait_for(running=0)
    assert place.http.get(f"/v1/report.{extension}?user=nobody").status_code == 200


def test_clients_that_leave_midway_end_their_queries(place):
    """Again and again: every export client is free afterwards."""
    for number in range(EXPORT_CLIENTS + 1):
        extension = STREAMED[number % len(STREAMED)]
        with place.http.stream("GET", f"/v1/report.{extension}?sort=user") as answer:
            assert next(answer.iter_raw())
        place.wait_for(running=0)
    assert place.http.get("/v1/report.csv?user=nobody").status_code == 200


def test_too_many_exports_at_once_are_told_to_come_back(place):
    """Beyond the bound: 503 with Retry-After, and those under way go on."""
    with ExitStack() as stack:
        for _ in range(EXPORT_CLIENTS):
            answer = stack.enter_context(place.http.stream("GET", "/v1/report.csv?sort=user"))
            assert answer.status_code == 200
        refused = place.http.get("/v1/report.csv")
        assert (refused.status_code, refused.json()["reason"]) == (503, "unavailable")
        assert refused.headers["Retry-After"]
    place.wait_for(running=0)
    assert place.http.get("/v1/report.csv?user=nobody").status_code == 200


def test_the_command_leaves_no_part_of_a_broken_export(place, tmp_path):
    """Exit status 1, and neither the file nor a part of it."""
    file = tmp_path / "report.csv"
    key = place.http.headers["Authorization"].removeprefix("Bearer ")
    command = subprocess.Popen(
        [sys.executable, "-m", "deploy.cli", "export", str(file), "--sort=user"],
        env={**os.environ, "USAGE_QUERY_URL": place.server.url, "USAGE_KEY": key},
        stderr=subprocess.PIPE,
        text=True,
    )
    part = tmp_path / "report.csv.part"
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not part.exists():
        assert time.monotonic() < deadline
        time.sleep(0.01)
    place.kill()
    said = command.communicate(timeout=PATIENCE_SECONDS)[1]
    assert command.returncode == 1
    assert "broke off" in said
    assert list(tmp_path.iterdir()) == []
