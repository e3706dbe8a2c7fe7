"""The ClickHouse that the contract is asked of: the one of CLICKHOUSE_DSN, or our own.

What kills or stops a server is always asked of our own.

Next: tests.support.clickhouse_process
"""

import os
import uuid

import pytest

from tests.support.clickhouse_client import EVENTS, connected
from tests.support.clickhouse_process import ClickHouseProcess


@pytest.fixture(scope="package")
def dsn(tmp_path_factory):
    """The server under test: the one of CLICKHOUSE_DSN, or our own on a free port."""
    given_dsn = os.environ.get("CLICKHOUSE_DSN")
    if given_dsn:
        yield given_dsn
        return
    server = ClickHouseProcess(tmp_path_factory.mktemp("clickhouse")).start()
    yield server.dsn
    assert server.stop() == 0


@pytest.fixture
def client(dsn):
    """A client that puts parameters into a form, as those of the project do."""
    with connected(dsn, form_encode_query_params=True) as client:
        yield client


@pytest.fixture
def table(client):
    """A table of sample events, gone after the test."""
    name = f"sample_{uuid.uuid4().hex}"
    client.command(EVENTS.format(table=name))
    yield name
    client.command(f"DROP TABLE {name}")


@pytest.fixture
def own(tmp_path):
    """A server of our own that a test may kill."""
    server = ClickHouseProcess(tmp_path / "clickhouse").start()
    yield server
    server.kill()
