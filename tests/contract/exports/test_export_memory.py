"""Four times the rows need no more memory: an export holds a few blocks, never the report.

Next: tests.bench.export_memory
"""

import pytest

from schemas.reports import EXTENSIONS
from sinks.keys import create_key
from tests.support.many_rows import insert_many
from tests.support.query_process import QueryProcess
from tests.support.query_server import NOW

QUERY = "from=2026-03-15&to=2026-05-31"
FEW, MANY = 50_000, 200_000
# Measured: at most 10 MiB. The rows themselves, as Python values, would take more than 300.
MAY_GROW_BYTES = 48 * 1024 * 1024


@pytest.fixture(scope="module")
def keys(store_client):
    """A key of a tenant with few rows, and one of a tenant with many."""
    made = {}
    for rows in (FEW, MANY):
        insert_many(store_client, f"sample-memory-{rows}", rows)
        _, made[rows] = create_key(
            store_client, tenant=f"sample-memory-{rows}", scopes=["read"], teams=[], now=NOW
        )
    return made


@pytest.fixture(scope="module")
def process(clickhouse_dsn, keys, tmp_path_factory):
    """The query service, in a process of its own."""
    started = QueryProcess(clickhouse_dsn, tmp_path_factory.mktemp("query")).start()
    yield started
    started.stop()


@pytest.mark.parametrize("extension", EXTENSIONS)
def test_memory_does_not_grow_with_the_rows(extension, process, keys):
    """The peak of an export of 200,000 rows is at most a bound above that of 50,000."""
    peaks = {}
    for rows in (FEW, MANY):
        process.forget_peak()
        assert process.export(keys[rows], extension, QUERY)[0] == rows
        peaks[rows] = process.memory("VmHWM")
    assert peaks[MANY] - peaks[FEW] < MAY_GROW_BYTES
