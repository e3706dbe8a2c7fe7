"""What many tests share: the ClickHouse engine, started once, with the newest tables.

Next: tests.support.clickhouse_process
"""

import os

import pytest

from sinks.clickhouse import connect
from sinks.migrate import migrate
from tests.support.clickhouse_process import ClickHouseProcess


@pytest.fixture(scope="session")
def clickhouse_dsn(tmp_path_factory):
    """A migrated store, of the server in CLICKHOUSE_DSN if there is one.

    Tests share it, so each works in tenants of its own.
    """
    given = os.environ.get("CLICKHOUSE_DSN")
    process = None if given else ClickHouseProcess(tmp_path_factory.mktemp("clickhouse")).start()
    dsn = given or process.dsn
    client = connect(dsn)
    migrate(client)
    client.close()
    yield dsn
    if process:
        process.stop()
