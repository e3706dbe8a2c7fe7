"""CSV as RFC 4180 has it, safe to open in a spreadsheet.

Next: query_service.export_json
"""

import codecs
import csv
import io
from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc

from query_service.columns import COLUMNS
from query_service.export import SCHEMA, Export
from query_service.export_text import plain, rows, steps

# A spreadsheet takes text that begins so for a formula.
_FORMULA = r"^([=+\-@\t\r])"


def write_csv(export: Export, *, bom: bool) -> Iterator[bytes]:
    """A line of machine names, then a line a row; nulls are empty.

    `bom`: begin with a byte order mark, by which old spreadsheets know UTF-8.
    """
    yield (codecs.BOM_UTF8 if bom else b"") + _lines(iter([COLUMNS]))
    for step in steps(export.blocks):
        columns = [
            _neutral(plain(field.name, column))
            if pa.types.is_string(field.type)
            else plain(field.name, column)
            for field, column in zip(SCHEMA, step.columns, strict=True)
        ]
        yield _lines(rows(pa.record_batch(columns, names=list(COLUMNS))))


def _neutral(column: pa.Array) -> pa.Array:
    """Text that would run as a formula gets a leading `'`; numbers are never text here."""
    return pc.replace_substring_regex(column, _FORMULA, r"'\1")


def _lines(found: Iterator[tuple[object, ...]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\r\n").writerows(found)
    return text.getvalue().encode()
