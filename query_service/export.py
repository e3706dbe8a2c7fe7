"""A report as a file: one query, all columns, streamed; the writers of the formats share it.

Next: query_service.export_csv
"""

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pyarrow as pa
from prometheus_client import Counter

from query_service.columns import COLUMNS
from query_service.queries import ReportQuery
from query_service.report import hidden, report_parameters, report_sql, totals
from query_service.view import View
from schemas.rejects import Unavailable

SCHEMA_VERSION = 1

_TIME = pa.timestamp("ms", tz="UTC")
_TYPES = {
    "assigned_at": _TIME,
    "unassigned_at": _TIME,
    "last_accessed": _TIME,
    "monthly_average": pa.decimal128(18, 1),
    "tokens_used": pa.decimal128(38, 4),
    "tokens_monthly_average": pa.decimal128(38, 2),
    "days_used": pa.int64(),
    "launches": pa.int64(),
    "days_inactive": pa.int64(),
    **{name: pa.int64() for name in (*("users", "products"), *COLUMNS[-6:])},
}
SCHEMA = pa.schema([(name, _TYPES.get(name, pa.string())) for name in COLUMNS])


class Export:
    """What a writer of a format needs: the head of the report, and its rows in typed blocks.

    `blocks` raises Unavailable when they break off. `keep` is closed with the export, whether it
    ended or not: closing early ends the query.
    """

    def __init__(self, view: View, query: ReportQuery, *, rows: Counter, mark: str) -> None:
        """Ask, and wait for the first rows; raises Unavailable.

        `rows` counts what is written; by `mark` the store knows the query, to end it.
        """
        self.query = query
        self.rows_written = 0
        self._rows = rows
        self._hidden = hidden(shown=view.shown)
        with ExitStack() as stack:
            found = stack.enter_context(
                view.store.stream(
                    view.key,
                    "export",
                    report_parameters(view, query),
                    sql=report_sql(query, shown=view.shown, whole=True),
                    mark=mark,
                )
            )
            first = next((block for block in found if block.num_rows), None)
            self.keep = stack.pop_all()
        self.blocks = self._typed(first, found)
        self.totals = totals(_first_row(first))
        self.head: dict[str, Any] = {
            "schema_version": SCHEMA_VERSION,
            "range": query.range.describe(),
            **view.describe(),
            "by": query.grain.name,
            "totals": self.totals,
        }

    def close(self) -> None:
        """Give back what it holds."""
        self.keep.close()

    def _typed(
        self, first: pa.RecordBatch | None, others: Iterator[pa.RecordBatch]
    ) -> Iterator[pa.RecordBatch]:
        if first is not None:
            yield self._count(first)
        for block in others:
            yield self._count(block)
        if self.rows_written != self.totals["rows"]:
            raise Unavailable("clickhouse", "it did not send all rows")

    def _count(self, block: pa.RecordBatch) -> pa.RecordBatch:
        self.rows_written += block.num_rows
        self._rows.inc(block.num_rows)
        return typed(block, self._hidden)


def typed(block: pa.RecordBatch, without: set[str]) -> pa.RecordBatch:
    """The block with every column in its place and type, null where it has none or is hidden."""
    columns = [
        block.column(field.name).cast(field.type)
        if field.name in block.schema.names and field.name not in without
        else pa.nulls(block.num_rows, field.type)
        for field in SCHEMA
    ]
    return pa.record_batch(columns, schema=SCHEMA)


def file_name(query: ReportQuery, extension: str) -> str:
    """What was asked, in a name: version, grain and range; nothing that names a person."""
    parts = (f"v{SCHEMA_VERSION}", query.grain.name, query.range.start, query.range.end)
    return f"usage-report_{'_'.join(map(str, parts))}.{extension}"


def _first_row(block: pa.RecordBatch | None) -> dict[str, Any] | None:
    if block is None:
        return None
    names = ("total_rows", "total_users", "total_launches", "total_tokens")
    return {name: block.column(name)[0].as_py() for name in names}
