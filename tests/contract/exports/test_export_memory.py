"""Four or five times the rows need no more memory: an export holds a few blocks, never the report.

Next: tests.bench.export_memory
"""

import pytest

from sinks.keys import create_key
from tests.support.many_rows import insert_many
from tests.support.query_process import QueryProcess
from tests.support.query_server import NOW

QUERY = "from=2026-03-15&to=2026-05-31"
# JSON is made as CSV is; a spreadsheet takes ten times as long. All formats and a million rows:
# tests.bench.export_memory.
ROWS = {"csv": (50_000, 200_000), "parquet": (50_000, 200_000), "xlsx": (10_000, 50_000)}
# Measured: at most 10 MiB of the 50 to 300 that the rows themselves take as Python values.
MAY_GROW_BYTES = 32 * 1024 * 1024


@pytest.fixture(scope="module")
def keys(store_client):
    """A key of a tenant with few rows, and one of a tenant with many."""
    made = {}
    for rows in sorted({rows for pair in ROWS.values() for rows in pair}):
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


@pytest.mark.parametrize("extension", ROWS)
def test_memory_does_not_grow_with_the_rows(extension, process, keys):
    """The peak of an export of many rows is at most a bound above that of few."""
    peaks = {}
    few, many = ROWS[extension]
    for rows in (few, many):
        process.forget_peak()
        assert process.export(keys[rows], extension, QUERY)[0] == rows
        peaks[rows] = process.memory("VmHWM")
    assert peaks[many] - peaks[few] < MAY_GROW_BYTES
