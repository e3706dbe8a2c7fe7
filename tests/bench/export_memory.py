"""`python -m tests.bench.export_memory`: memory of the query process while it exports many rows.

Next: tests.support.query_process
"""

import argparse
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from schemas.reports import EXTENSIONS
from sinks.clickhouse import connect
from sinks.keys import create_key
from sinks.migrate import migrate
from tests.support.clickhouse_process import ClickHouseProcess
from tests.support.many_rows import insert_many
from tests.support.query_process import QueryProcess
from tests.support.query_server import NOW

QUERY = "from=2026-03-15&to=2026-05-31"
MIB = 1024 * 1024


def main() -> None:
    """A line for each format: rows, size, time, and memory before and at its peak."""
    parser = argparse.ArgumentParser(prog="tests.bench.export_memory", description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--formats", nargs="*", default=EXTENSIONS, choices=EXTENSIONS)
    options = parser.parse_args()
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        clickhouse = ClickHouseProcess(directory / "clickhouse").start()
        stack.callback(clickhouse.stop)
        key = fill(clickhouse.dsn, options.rows)
        query = QueryProcess(clickhouse.dsn, directory).start()
        stack.callback(query.stop)
        for extension in options.formats:
            print(measured(query, key, extension), flush=True)


def fill(dsn: str, rows: int) -> str:
    """A tenant with so many report rows; a key of it."""
    client = connect(dsn, timeout_seconds=600)
    migrate(client)
    insert_many(client, "sample-many", rows)
    _, key = create_key(client, tenant="sample-many", scopes=["read"], teams=[], now=NOW)
    client.close()
    return key


def measured(query: QueryProcess, key: str, extension: str) -> str:
    """One export, after a small one that loads what the format needs."""
    query.export(key, extension, f"{QUERY}&user=nobody")
    query.forget_peak()
    before, begun = query.memory("VmRSS"), time.monotonic()
    rows, size = query.export(key, extension, QUERY)
    return (
        f"{extension}: {rows} rows, {size / MIB:.0f} MiB, {time.monotonic() - begun:.0f} s; "
        f"memory {before / MIB:.0f} MiB before, {query.memory('VmHWM') / MIB:.0f} MiB at its peak"
    )


if __name__ == "__main__":
    main()
