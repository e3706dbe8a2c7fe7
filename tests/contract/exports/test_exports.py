"""What every export says of itself, what it refuses, and what the commands make of it."""

import io
import json

import pyarrow.parquet as pq
import pytest

from query_service import export_xlsx
from schemas.reports import EXTENSIONS
from tests.support.export_files import READERS

SHOWN = "team=team-a&team=team-b"


@pytest.mark.parametrize("extension", EXTENSIONS)
def test_an_export_says_what_it_is(extension, company):
    """Version, grain and range in its name, which names nobody; privacy and rows in headers."""
    answer = company.get(f"/v1/report.{extension}?{SHOWN}&by=user&from=2026-03-01&to=2026-05-31")
    assert answer.headers["Content-Disposition"] == (
        f'attachment; filename="usage-report_v1_user_2026-03-01_2026-05-31.{extension}"'
    )
    assert answer.headers["X-Schema-Version"] == "1"
    assert answer.headers["X-Personal-Data"] == "shown"
    assert "X-Complete-Up-To" in answer.headers
    assert answer.headers["X-Total-Rows"] == str(len(READERS[extension](answer.content)))


@pytest.mark.parametrize("extension", EXTENSIONS)
def test_what_thins_a_page_is_ignored(extension, company):
    """All rows and all columns, whatever `columns`, `limit` and `cursor` say."""
    whole = company.get(f"/v1/report.{extension}?{SHOWN}").content
    asked = company.get(f"/v1/report.{extension}?{SHOWN}&limit=1&cursor=x&columns=team,nonsense")
    assert READERS[extension](asked.content) == READERS[extension](whole)


@pytest.mark.parametrize("extension", EXTENSIONS)
def test_what_is_wrong_is_said_before_the_first_byte(extension, company):
    """One problem document with every wrong parameter, as for the page."""
    answer = company.get(f"/v1/report.{extension}?sort=email&preset=2m&bom=yes")
    assert answer.status_code == 400
    assert answer.headers["Content-Type"] == "application/problem+json"
    wrong = {error["parameter"]: error["reason"] for error in answer.json()["errors"]}
    assert (wrong.pop("sort"), wrong.pop("preset")) == ("personal_data_hidden", "invalid_value")
    assert wrong == {"bom": "invalid_value" if extension == "csv" else "unknown_parameter"}


def test_json_and_parquet_carry_the_head(company):
    """Range, privacy and totals of the page's answer, and the schema's version."""
    page = company.get(f"/v1/report?{SHOWN}").json()
    head = {name: page[name] for name in ("range", "personal_data", "hidden_by", "by", "totals")}
    document = company.get(f"/v1/report.json?{SHOWN}").json()
    parquet = company.get(f"/v1/report.parquet?{SHOWN}").content
    metadata = pq.read_schema(io.BytesIO(parquet)).metadata
    stored = json.loads(metadata[b"usage_report.head"])
    for found in (document, stored):
        assert {name: found[name] for name in head} == head
        assert found["schema_version"] == 1
    assert metadata[b"usage_report.schema_version"] == b"1"


def test_more_rows_than_a_sheet_holds_are_refused(company, monkeypatch):
    """400 `too_many_rows` before the first byte; other formats have no such bound."""
    monkeypatch.setattr(export_xlsx, "MAX_ROWS", 5)
    answer = company.get("/v1/report.xlsx")
    assert (answer.status_code, answer.json()["reason"]) == (400, "too_many_rows")
    assert company.get("/v1/report.csv").status_code == 200


def test_exported_rows_are_counted(company, query_server):
    """`usage_export_rows_total` grows by the rows of a format."""

    def counted():
        lines = company.get("/metrics").text.splitlines()
        found = [
            line for line in lines if line.startswith('usage_export_rows_total{format="ndjson"}')
        ]
        return float(found[0].split()[1]) if found else 0

    before = counted()
    rows = int(company.get("/v1/report.ndjson").headers["X-Total-Rows"])
    assert counted() - before == rows > 0


def test_the_command_shows_a_table(command):
    """Words for values, the range and privacy above, totals below."""
    shown = command("report", "--team", "team-a", "--sort", "last_name", "--limit", "200")
    assert "personal data shown" in shown.splitlines()[0]
    assert "In total" in shown
    assert "Last name" in shown or "Last\n" in shown or "Last " in shown
    assert "personal data hidden by 1" in command("report", "--by", "team")


def test_the_command_writes_files(command, company, tmp_path):
    """The format is the extension's or that of --format; - is standard output."""
    for extension, read in READERS.items():
        file = tmp_path / f"report.{extension}"
        said = json.loads(command("export", str(file), "--by=team", "--json"))
        assert (said["rows"], said["bytes"]) == (len(read(file.read_bytes())), file.stat().st_size)
    assert command("export", "-", "--format", "ndjson", "--by", "team").count("\n") == said["rows"]
    assert sorted(file.suffix for file in tmp_path.iterdir()) == sorted(f".{e}" for e in READERS)
    command("export", str(tmp_path / "report.doc"), status=2)
    command("export", str(tmp_path / "other.csv"), "--preset", "2m", status=2)
    assert not (tmp_path / "other.csv").exists()
