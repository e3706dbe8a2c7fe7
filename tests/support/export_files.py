"""Exports read back, each by a library of its format, into the rows that the JSON answer has.

Next: tests.contract.exports.conftest
"""

from __future__ import annotations

import csv
import io
import json
from datetime import datetime
from decimal import Decimal
from typing import Any

import openpyxl
import pyarrow.parquet as pq
from openpyxl.utils.escape import unescape

from query_service import answers
from query_service.columns import COLUMNS
from query_service.export import SCHEMA
from schemas.reports import LABELS, VALUES

Rows = list[dict[str, Any]]

TEXTS = {field.name for field in SCHEMA if field.type == "string"}
COUNTS = {field.name for field in SCHEMA if field.type == "int64"}
TIMES = {"assigned_at", "unassigned_at", "last_accessed"}


def of_json(content: bytes) -> Rows:
    """The rows of the one document."""
    return json.loads(content)["rows"]


def of_ndjson(content: bytes) -> Rows:
    """A row a line."""
    return [json.loads(line) for line in content.splitlines()]


def of_csv(content: bytes) -> Rows:
    """The cells, without the `'` that keeps text from being run."""
    lines = csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""), strict=True)
    assert tuple(next(lines)) == COLUMNS
    return [
        {name: _from_csv(name, cell) for name, cell in zip(COLUMNS, line, strict=True)}
        for line in lines
    ]


def _from_csv(name: str, cell: str) -> Any:
    if not cell:
        return None
    if name in COUNTS:
        return int(cell)
    assert name not in TEXTS or cell[0] not in "=+-@\t\r", cell
    return cell[1:] if cell[0] == "'" and cell[1:2] in set("=+-@\t\r") else cell


def of_xlsx(content: bytes) -> Rows:
    """The cells of the first sheet, with people's words turned back."""
    sheet = openpyxl.load_workbook(io.BytesIO(content), read_only=True).worksheets[0]
    lines = sheet.iter_rows(values_only=True)
    assert next(lines) == tuple(LABELS.values())
    return [
        {name: from_cell(name, cell) for name, cell in zip(COLUMNS, line, strict=True)}
        for line in lines
    ]


def from_cell(name: str, cell: Any) -> Any:
    """A typed cell as JSON has it."""
    if cell is None or name in COUNTS:
        return cell
    if name in TIMES:
        assert isinstance(cell, datetime), cell
        return answers.plain(cell.replace(microsecond=round(cell.microsecond, -3)))
    if name in TEXTS:
        assert isinstance(cell, str), cell
        # What XML cannot hold is written _xHHHH_; openpyxl leaves it so.
        text = unescape(cell)
        return {word: value for value, word in VALUES.get(name, {}).items()}.get(text, text)
    assert isinstance(cell, int | float), cell
    if name == "tokens_used":
        return answers.tokens(Decimal(f"{cell:.4f}"))
    return f"{cell:.{1 if name == 'monthly_average' else 2}f}"


def of_parquet(content: bytes) -> Rows:
    """The typed values, written as JSON writes them."""
    table = pq.read_table(io.BytesIO(content))
    assert table.schema.equals(SCHEMA)
    return [_from_parquet(row) for row in table.to_pylist()]


def _from_parquet(row: dict[str, Any]) -> dict[str, Any]:
    plain = {name: answers.plain(value) for name, value in row.items()}
    return {**plain, "tokens_used": answers.tokens(row["tokens_used"])}


READERS = {
    "csv": of_csv,
    "xlsx": of_xlsx,
    "json": of_json,
    "ndjson": of_ndjson,
    "parquet": of_parquet,
}
