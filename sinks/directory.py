"""What the query service writes: rows of the directory, one insert for a request.

Every insert may be repeated: the tables keep the row with the highest version.

Next: query_service.routes.directory
"""

from collections.abc import Mapping, Sequence
from typing import Any

from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError
from urllib3.exceptions import HTTPError

from schemas.rejects import Unavailable
from sinks.clickhouse import reraise

# Stored when the insert is answered, and all of a request in one block.
_SETTINGS = {"async_insert": 0, "max_insert_block_size": 1_000_000}


def insert_rows(client: Client, table: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert `rows`, which all have the same columns; nothing to do when there are none.

    Raises Unavailable when ClickHouse is away, or does not confirm every row.
    """
    if not rows:
        return
    columns = list(rows[0])
    values = [[row[column] for column in columns] for row in rows]
    try:
        summary = client.insert(table, values, column_names=columns, settings=_SETTINGS)
    except (ClickHouseError, HTTPError, OSError) as error:
        reraise(error)
    if int(summary.written_rows) < len(rows):
        raise Unavailable("clickhouse", f"no confirmation of {len(rows)} rows in {table}")
