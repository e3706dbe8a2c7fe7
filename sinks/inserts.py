"""What the worker writes: batches as Arrow, each acknowledged by ClickHouse before the next step.

Every insert may be repeated: the tables keep the copy with the highest version.

Next: query_service.store
"""

from collections.abc import Mapping
from typing import Any

import polars as pl
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError
from urllib3.exceptions import HTTPError

from schemas.rejects import Unavailable
from sinks.clickhouse import query, reraise, statement

# A batch must be stored when the insert is answered, and in one block wherever it can be.
# Any number of months at once: refused for ever, a batch of many would be tried for ever.
_SETTINGS = {
    "async_insert": 0,
    "max_insert_block_size": 1_000_000,
    "max_partitions_per_insert_block": 0,
}


class Inserts:
    """Writes of the worker, over a client of its own."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def insert(self, table: str, frame: pl.DataFrame) -> None:
        """Insert `frame`, whose columns are the table's by name; nothing to do when it is empty.

        Raises Unavailable when ClickHouse is away, or when its answer does not say that it wrote
        every row: an answer cut short or made up by something in between is no acknowledgement.
        """
        if frame.is_empty():
            return
        try:
            summary = self._client.insert_arrow(
                table, frame.to_arrow(compat_level=pl.CompatLevel.oldest()), settings=_SETTINGS
            )
        except (ClickHouseError, HTTPError, OSError) as error:
            reraise(error)
        if _written(summary) < frame.height:
            raise Unavailable("clickhouse", f"no confirmation of {frame.height} rows in {table}")

    def advance(self, frame: pl.DataFrame, known: Mapping[int, int]) -> dict[int, int]:
        """Move partitions' progress (rows of table `progress`), unless the store went back.

        `known` are positions that the writer knows to be stored. A partition of which the store
        knows less now is left as it is, and returned with the position it has (0: none). Raises
        Unavailable as `insert` does.
        """
        if frame.is_empty():
            return {}
        partitions = frame["partition"].to_list()
        parameters = {
            "partitions": partitions,
            "positions": frame["position"].to_list(),
            "appended_ms": frame["appended_at"].dt.epoch("ms").to_list(),
            "caught_up_ms": frame["caught_up_at"].dt.epoch("ms").to_list(),
            "known": [known.get(partition, 0) for partition in partitions],
            "fold_version": frame["fold_version"][0],
        }
        try:
            sql = statement("sinks.sql", "progress_advance")
            summary = self._client.command(sql, parameters=parameters, settings=_SETTINGS)
            if _written(summary) == frame.height:
                return {}
            rows = query(self._client, statement("sinks.sql", "progress")).result_rows
        except (ClickHouseError, HTTPError, OSError) as error:
            reraise(error)
        stored = {row[0]: row[1] for row in rows}
        behind = {p: stored.get(p, 0) for p in partitions if stored.get(p, 0) < known.get(p, 0)}
        if not behind:
            raise Unavailable("clickhouse", f"no confirmation of {frame.height} rows in progress")
        return behind


def _written(summary: Any) -> int:
    return int(summary.written_rows)
