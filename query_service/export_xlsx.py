"""A spreadsheet with typed cells and the words people know, made on disk and then sent.

Text longer than a cell can hold is cut, and ends in an ellipsis.
Next: query_service.routes.exports
"""

from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, cast

import pyarrow as pa
import xlsxwriter
from xlsxwriter.worksheet import Worksheet

from query_service.columns import COLUMNS
from query_service.export import SCHEMA, Export
from query_service.export_text import rows, steps
from query_service.problems import Problem
from schemas.reports import LABELS, VALUES

# A sheet has 1,048,576 rows, and the first holds the labels.
MAX_ROWS = 1_048_575
# In units of UTF-16, of which an emoji takes two.
CELL_MAX_UNITS = 32_767
PIECE_BYTES = 256 * 1024

_OPTIONS = {
    "constant_memory": True,
    "remove_timezone": True,
    "strings_to_formulas": False,
    "strings_to_numbers": False,
    "strings_to_urls": False,
}
_FORMATS = {
    "monthly_average": "0.0",
    "tokens_monthly_average": "0.00",
    **dict.fromkeys(("assigned_at", "unassigned_at", "last_accessed"), "yyyy-mm-dd hh:mm:ss.000"),
}
_WIDTHS = {
    **dict.fromkeys(("assigned_at", "unassigned_at", "last_accessed"), 23),
    **dict.fromkeys(("email", "recommendation"), 28),
    "hashed_user_id": 43,
}
_TEXT_WIDTH, _NUMBER_WIDTH = 18, 12

Write = Callable[[int, int, Any, Any], Any]


def write_xlsx(export: Export) -> Iterator[bytes]:
    """The whole file in pieces, once it is made; raises Problem when the rows do not fit."""
    if export.totals["rows"] > MAX_ROWS:
        raise Problem(
            400,
            "too_many_rows",
            f"{export.totals['rows']} rows; a sheet holds {MAX_ROWS}. Choose fewer, or CSV.",
        )
    directory = Path(export.keep.enter_context(TemporaryDirectory(prefix="usage-report-")))
    file = directory / "report.xlsx"
    with xlsxwriter.Workbook(str(file), {**_OPTIONS, "tmpdir": str(directory)}) as book:
        book.set_properties({"title": "Usage report"})
        _write_rows(book, export)
        _write_about(book, export.head)
    with file.open("rb") as made:
        yield from iter(lambda: made.read(PIECE_BYTES), b"")


def _write_rows(book: xlsxwriter.Workbook, export: Export) -> None:
    sheet = book.add_worksheet("Report")
    bold = book.add_format({"bold": True, "text_wrap": True, "valign": "top"})
    for place, name in enumerate(COLUMNS):
        sheet.set_column(place, place, _width(name))
    sheet.freeze_panes(1, 0)
    sheet.autofilter(0, 0, export.totals["rows"], len(COLUMNS) - 1)
    for place, name in enumerate(COLUMNS):
        sheet.write_string(0, place, LABELS[name], bold)
    columns = _columns(book, sheet)
    found = chain.from_iterable(map(rows, steps(export.blocks)))
    for number, row in enumerate(found, start=1):
        for place, (value, (write, look)) in enumerate(zip(row, columns, strict=True)):
            if value is not None:
                write(number, place, value, look)


def _width(name: str) -> int:
    usual = _TEXT_WIDTH if pa.types.is_string(SCHEMA.field(name).type) else _NUMBER_WIDTH
    return _WIDTHS.get(name, usual)


def _columns(book: xlsxwriter.Workbook, sheet: Worksheet) -> list[tuple[Write, Any]]:
    """How a value of each column is written, and the format of its cells."""
    looks = {text: book.add_format({"num_format": text}) for text in set(_FORMATS.values())}
    return [(_writer(sheet, name), looks.get(_FORMATS.get(name, ""))) for name in COLUMNS]


def _writer(sheet: Worksheet, name: str) -> Write:
    kind = SCHEMA.field(name).type
    if pa.types.is_timestamp(kind):
        return cast("Write", sheet.write_datetime)
    if not pa.types.is_string(kind):
        return cast("Write", sheet.write_number)
    words = VALUES.get(name, {})

    def write(row: int, place: int, value: str, look: Any) -> Any:
        return sheet.write_string(row, place, fitting(words.get(value, value)), look)

    return write


def fitting(text: str) -> str:
    """The text as a cell can hold it."""
    units = text.encode("utf-16-le")
    if len(units) <= 2 * CELL_MAX_UNITS:
        return text
    return units[: 2 * (CELL_MAX_UNITS - 1)].decode("utf-16-le", "ignore") + "…"


def _write_about(book: xlsxwriter.Workbook, head: dict[str, Any]) -> None:
    """A second sheet: what the report is of."""
    sheet = book.add_worksheet("About")
    bold = book.add_format({"bold": True})
    sheet.set_column(0, 0, 24)
    sheet.set_column(1, 1, 40)
    when, totals = head["range"], head["totals"]
    lines = {
        "Schema version": head["schema_version"],
        "From": when["from"],
        "To": when["to"],
        "Preset": when["preset"],
        "Months": when["months"],
        "Rows by": head["by"],
        "Personal data": head["personal_data"],
        "Complete up to": head["complete_up_to"],
        "Times": "UTC",
        **{f"Total {name.replace('_', ' ')}": value for name, value in totals.items()},
    }
    for number, (label, value) in enumerate(lines.items()):
        sheet.write_string(number, 0, label, bold)
        sheet.write_string(number, 1, "" if value is None else str(value))
