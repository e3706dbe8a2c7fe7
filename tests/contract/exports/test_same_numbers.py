"""One report is the same everywhere: JSON pages, every kind of file, command, daily series."""

import json
from decimal import Decimal
from urllib.parse import urlencode

import pytest

from tests.support.export_files import READERS, of_json

SHOWN = [("team", "team-a"), ("team", "team-b")]
REPORTS = {
    "shown": [*SHOWN, ("preset", "6m")],
    "shown, sorted by name": [*SHOWN, ("sort", "last_name,-tokens_used"), ("access", "flex")],
    "shown, searched": [*SHOWN, ("q", "sample"), ("seat", "assigned"), ("sort", "email")],
    "shown, by user": [*SHOWN, ("by", "user"), ("days_used_min", "2")],
    "hidden": [("sort", "product,-launches,user")],
    "hidden, by team": [("by", "team"), ("preset", "12m")],
    "hidden, by product": [("by", "product"), ("sort", "-tokens_used"), ("tokens_max", "400")],
    "hidden, what to do": [
        *(("frequency", "occasional"), ("frequency", "unused"), ("assignment", "direct")),
        *(("from", "2026-03-01"), ("to", "2026-05-31"), ("as_of", "2026-05-31T12:00:00Z")),
    ],
    "nothing": [("version", "*")],
}


def pages(http, asked):
    """All rows, page by page, and the totals."""
    rows, cursor = [], None
    while True:
        more = [("limit", 150), *([("cursor", cursor)] if cursor else [])]
        answer = http.get(f"/v1/report?{urlencode([*asked, *more])}")
        assert answer.status_code == 200, answer.text
        rows += answer.json()["rows"]
        cursor = answer.json()["next_cursor"]
        if cursor is None:
            return rows, answer.json()["totals"]


def flags(asked):
    """The parameters as options of a command."""
    return [f"--{name.replace('_', '-')}={value}" for name, value in asked]


@pytest.mark.parametrize("name", REPORTS)
def test_every_surface_has_the_same_rows(name, company, command, tmp_path):
    """Pages, files of all formats, `report --json` and `export` hold the same rows in one order."""
    asked = REPORTS[name]
    rows, totals = pages(company, asked)
    assert bool(rows) == (name != "nothing")
    assert totals["rows"] == len(rows)
    for extension, read in READERS.items():
        answer = company.get(f"/v1/report.{extension}?{urlencode(asked)}")
        assert answer.status_code == 200, answer.text
        assert read(answer.content) == rows, extension
        assert answer.headers["X-Total-Rows"] == str(len(rows))
    said = json.loads(command("report", "--json", "--all", *flags(asked)))
    assert (said["rows"], said["totals"]) == (rows, totals)
    file = tmp_path / "report.json"
    command("export", str(file), *flags(asked))
    assert of_json(file.read_bytes()) == rows
    assert json.loads(file.read_bytes())["totals"] == totals


@pytest.mark.parametrize("name", [name for name in REPORTS if "by" not in name.split()])
def test_a_file_adds_up_to_the_series(name, company):
    """The sum of /v1/daily is the sum over the file's rows."""
    asked = [pair for pair in REPORTS[name] if pair[0] not in {"by", "sort"}]
    rows = READERS["csv"](company.get(f"/v1/report.csv?{urlencode(asked)}").content)
    series = company.get(f"/v1/daily?{urlencode(asked)}").json()["series"]
    assert sum(day["launches"] for day in series) == sum(row["launches"] for row in rows)
    used = sum(Decimal(row["tokens_used"]) for row in rows)
    assert sum(Decimal(day["tokens_used"]) for day in series) == used


def test_personal_data_is_in_the_file_as_on_the_page(company):
    """Shown: ids and names, no hash. One team off: the hash alone, in every format."""
    for extension, read in READERS.items():
        shown = company.get(f"/v1/report.{extension}?{urlencode(SHOWN)}")
        hidden = company.get(f"/v1/report.{extension}")
        assert (shown.headers["X-Personal-Data"], hidden.headers["X-Personal-Data"]) == (
            "shown",
            "hashed",
        )
        for row in read(shown.content):
            assert (row["hashed_user_id"], bool(row["user_id"])) == (None, True)
        for row in read(hidden.content):
            assert bool(row["hashed_user_id"])
            assert not any(row[name] for name in ("user_id", "first_name", "last_name", "email"))
