"""CSV and XLSX in a real spreadsheet: LibreOffice opens them, and nothing in them runs."""

import io
import shutil
import subprocess
from urllib.parse import urlencode

import openpyxl
import pytest
from openpyxl.utils.escape import unescape

from query_service.columns import COLUMNS
from query_service.export_xlsx import CELL_MAX_UNITS, fitting
from schemas.reports import LABELS
from tests.support.export_files import TEXTS, TIMES, from_cell, of_csv, of_ndjson

MISSING = (
    "LibreOffice is missing. Install it: "
    "apt-get install -y --no-install-recommends libreoffice-calc-nogui (or: make office)"
)
SHOWN = urlencode([("team", "team-a"), ("team", "team-b"), ("preset", "6m")])
# Comma, quote, UTF-8, from line 1; then a type for each column, and no guessing in quotes.
PLAIN = "44,34,76,1,,1033,false,false"
AS_TEXT = "/".join(f"{n}/{2 if name in TEXTS | TIMES else 1}" for n, name in enumerate(COLUMNS, 1))
TYPED = f"44,34,76,1,{AS_TEXT},1033,false,false"


@pytest.fixture
def opened(tmp_path):
    """Opens a file in LibreOffice, saves it there as XLSX, and gives its sheets."""
    program = shutil.which("soffice")
    assert program, MISSING

    def convert(content, extension, *, import_options=None):
        file = tmp_path / f"report.{extension}"
        file.write_bytes(content)
        saved = tmp_path / "saved"
        options = [f"--infilter=CSV:{import_options}"] if import_options else []
        home = f"-env:UserInstallation=file://{tmp_path}/office"
        command = [program, home, "--headless", *options, "--convert-to", "xlsx"]
        done = subprocess.run(
            [*command, "--outdir", str(saved), str(file)], capture_output=True, check=False
        )
        assert (saved / "report.xlsx").exists(), done
        return openpyxl.load_workbook(saved / "report.xlsx").worksheets

    return convert


def rows_of(sheet):
    """The rows as JSON has them; a line break in a cell is LF there."""
    lines = [[cell.value for cell in line] for line in sheet.iter_rows()][1:]
    return [
        {name: from_cell(name, cell) for name, cell in zip(COLUMNS, line, strict=True)}
        for line in lines
    ]


def one_line_break(rows):
    """Rows with LF for CR LF, which is what LibreOffice makes of it."""
    return [
        {n: v.replace("\r\n", "\n") if isinstance(v, str) else v for n, v in row.items()}
        for row in rows
    ]


def formulas(sheet):
    """Cells that would be computed."""
    return [cell.coordinate for line in sheet.iter_rows() for cell in line if cell.data_type == "f"]


def test_xlsx_reads_back_equal(company, opened):
    """Every cell comes back with its value and type, whatever its text begins with."""
    expected = of_ndjson(company.get(f"/v1/report.ndjson?{SHOWN}").content)
    report, about = opened(company.get(f"/v1/report.xlsx?{SHOWN}").content, "xlsx")
    assert [cell.value for cell in report[1]] == list(LABELS.values())
    assert one_line_break(rows_of(report)) == one_line_break(expected)
    assert formulas(report) == []
    assert {row["first_name"] for row in expected} >= {"=1+1", "@x", "שלום עולם", "two\r\nmore"}
    said = {line[0].value: line[1].value for line in about.iter_rows()}
    assert (said["Schema version"], said["Personal data"]) == ("1", "shown")


def test_xlsx_is_comfortable(company, opened):
    """The header stays on the screen, is bold and has filters; columns are wide enough to read."""
    content = company.get(f"/v1/report.xlsx?{SHOWN}").content
    # Without a window LibreOffice saves no view, so this is asked of the file itself.
    assert openpyxl.load_workbook(io.BytesIO(content)).worksheets[0].freeze_panes == "A2"
    report, _ = opened(content, "xlsx")
    assert report.auto_filter.ref == f"A1:AI{report.max_row}"
    assert all(cell.font.bold for cell in report[1])
    assert report.column_dimensions["F"].width > report.column_dimensions["S"].width > 8
    assert report["X2"].is_date


def test_csv_reads_back_equal(company, opened):
    """Opened with its text columns as text, all values are the file's, but for the `'`."""
    content = company.get(f"/v1/report.csv?{SHOWN}").content
    expected = of_ndjson(company.get(f"/v1/report.ndjson?{SHOWN}").content)
    assert of_csv(content) == expected
    [sheet] = opened(content, "csv", import_options=TYPED)
    lines = [[cell.value for cell in line] for line in sheet.iter_rows()]
    assert lines[0] == list(COLUMNS)
    assert [read_line(line) for line in lines[1:]] == one_line_break(expected)


def read_line(line):
    """A row of the opened CSV file as JSON has it."""
    row = dict(zip(COLUMNS, line, strict=True))
    for name, cell in row.items():
        if name not in TEXTS | TIMES:
            row[name] = from_cell(name, cell)
        elif isinstance(cell, str):
            text = unescape(cell)
            row[name] = text[1:] if text[0] == "'" and text[1:2] in set("=+-@\t\r") else text
    return row


def test_nothing_in_a_csv_file_runs(company, opened):
    """Opened as a double click does, no cell is a formula."""
    for query in (SHOWN, "", "by=team"):
        content = company.get(f"/v1/report.csv?{query}").content
        [sheet] = opened(content, "csv", import_options=PLAIN)
        assert formulas(sheet) == []
    assert b",'=1+1," in company.get(f"/v1/report.csv?{SHOWN}").content


def test_a_byte_order_mark_is_an_option(company):
    """`bom=true` begins with the mark; the rest is the same."""
    plain = company.get("/v1/report.csv").content
    assert company.get("/v1/report.csv?bom=true").content == b"\xef\xbb\xbf" + plain
    assert company.get("/v1/report.csv?bom=false").content == plain
    assert plain.count(b"\r\n") >= plain.count(b"\n") - plain.count(b'"')


@pytest.mark.parametrize("letter", ["x", "é", "🎉"])
def test_text_too_long_for_a_cell_is_cut(letter):
    """A cell holds 32,767 units of UTF-16; a longer text ends in an ellipsis."""
    units = len(letter.encode("utf-16-le")) // 2
    fits = letter * (CELL_MAX_UNITS // units)
    assert fitting(fits) == fits
    cut = fitting(fits + letter)
    assert cut.endswith("…")
    assert fits.startswith(cut[:-1])
    assert CELL_MAX_UNITS - 1 <= len(cut.encode("utf-16-le")) // 2 <= CELL_MAX_UNITS
