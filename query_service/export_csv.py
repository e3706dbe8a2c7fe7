"""CSV as RFC 4180 has it, safe to open in a spreadsheet.

Next: query_service.export_json
"""

import codecs
import csv
import io
from collections.abc import Iterable, Iterator

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv

from query_service.columns import COLUMNS
from query_service.export import SCHEMA, Export
from query_service.export_text import plain, rows, steps

# A spreadsheet takes text that begins so for a formula.
_FORMULA = r"^([=+\-@\t\r])"
_LINE_END = "\r\n"
_UNQUOTED = pa_csv.WriteOptions(include_header=False, eol=_LINE_END, quoting_style="none")


def write_csv(export: Export, *, bom: bool) -> Iterator[bytes]:
    """A line of machine names, then a line a row; nulls are empty.

    `bom`: begin with a byte order mark, by which old spreadsheets know UTF-8.
    """
    yield (codecs.BOM_UTF8 if bom else b"") + _quoted(iter([COLUMNS]))
    for step in steps(export.blocks):
        columns = [
            _neutral(plain(field.name, column))
            if pa.types.is_string(field.type)
            else plain(field.name, column)
            for field, column in zip(SCHEMA, step.columns, strict=True)
        ]
        yield lines(pa.record_batch(columns, names=list(COLUMNS)))


def _neutral(column: pa.Array) -> pa.Array:
    """Text that would run as a formula gets a leading `'`; numbers are never text here."""
    return pc.replace_substring_regex(column, _FORMULA, r"'\1")


def lines(block: pa.RecordBatch) -> bytes:
    """The rows of a block of plain columns; what needs quotes has them, and nothing else.

    Arrow writes ten times as fast as Python, but it quotes every text or none.
    """
    try:
        return _unquoted(block)
    except pa.ArrowInvalid:
        return _quoted(rows(block))


def _unquoted(block: pa.RecordBatch) -> bytes:
    """Raises ArrowInvalid when a text needs quotes."""
    out = io.BytesIO()
    pa_csv.write_csv(block, out, _UNQUOTED)
    return out.getvalue()


def _quoted(found: Iterable[tuple[object, ...]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator=_LINE_END).writerows(found)
    return text.getvalue().encode()
