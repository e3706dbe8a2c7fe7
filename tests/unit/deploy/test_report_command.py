"""The report in the terminal: the columns that hold something and fit, in people's words."""

import pytest
import typer

from deploy.cli import app_for
from deploy.commands.export import OPTIONS
from deploy.commands.report_table import ORDER, cell, fitting, show, width_of
from query_service.columns import COLUMNS
from query_service.params import REPORT
from query_service.routes.exports import FORMATS
from schemas.reports import EXTENSIONS, LABELS, VALUES

ROW = {
    **dict.fromkeys(COLUMNS),
    "hashed_user_id": "ab" * 20,
    "product_id": "sample-product-cad",
    "product": "Sample CAD",
    "team_id": "sample-team-1",
    "team": "sample-team-1",
    "access": "subscription",
    "days_used": 12,
    "launches": 30,
    "tokens_used": "0",
    "last_accessed": "2026-03-01T10:11:12.000Z",
    "monthly_average": "4.0",
    "frequency": "occasional",
}


def test_every_column_has_a_label():
    """Each column of the report has one label, and no label is left over or used twice."""
    assert tuple(LABELS) == COLUMNS
    assert len(set(LABELS.values())) == len(LABELS)


def test_every_column_has_its_place_on_the_screen():
    """No column is forgotten in the order from left to right."""
    assert sorted(ORDER) == sorted(COLUMNS)


def test_every_value_has_a_label():
    """The values that a parameter allows are the ones that have words for people."""
    allowed = {each.name: each.allowed for each in REPORT}
    assert {name: tuple(words) for name, words in VALUES.items()} == {
        name: allowed[name] for name in VALUES
    }


def test_options_are_the_parameters():
    """Each command has an option for each parameter that HTTP takes, under its name."""
    group = typer.main.get_command(app_for(""))
    for command, parameters in (("report", REPORT), ("export", OPTIONS)):
        options = {flag for each in group.commands[command].params for flag in each.opts}
        assert {f"--{each.name.replace('_', '-')}" for each in parameters} <= options


def test_formats_are_named_once():
    """What the command knows as formats is what the service offers."""
    assert tuple(each.extension for each in FORMATS) == EXTENSIONS


@pytest.mark.parametrize("width", [60, 80, 100, 120, 200])
def test_what_is_shown_fits(width):
    """Who, what and how much come first; the rest only as far as the terminal is wide."""
    shown = fitting([ROW], width)
    assert shown[:2] == ["hashed_user_id", "product"]
    assert "days_used" in shown
    assert sum(width_of([ROW], name) + 2 for name in shown) <= width


def test_eighty_columns_are_enough_for_the_figures():
    """The usual terminal shows days, launches and tokens by user, product and team."""
    figures = {"days_used", "launches", "tokens_used", "team"}
    assert figures < set(fitting([ROW], 80))


def test_a_wider_terminal_shows_more():
    """Columns are added in order of what they tell; empty ones never are, nor ids twice."""
    narrow, wide = fitting([ROW], 100), fitting([ROW], 300)
    assert set(narrow) < set(wide)
    filled = {name for name, value in ROW.items() if value is not None}
    assert set(wide) == filled - {"team_id"}


def test_who_has_no_name_is_known_by_an_id():
    """Among named users, one without a directory entry makes ids appear."""
    named = {**ROW, "hashed_user_id": None, "user_id": "sample-1", "last_name": "木村"}
    assert "user_id" not in fitting([named], 60)
    assert "user_id" in fitting([named, {**named, "last_name": None}], 60)


def test_wide_letters_take_two_cells():
    """Widths are those of the terminal, not counts of letters."""
    assert width_of([{**ROW, "product": "設計ソフトウェア"}], "product") == 16


def test_no_rows_need_no_columns():
    """An empty report is shown, too."""
    assert fitting([], 80) == ["days_used"]


def test_cells_read_well():
    """Hashes are short, times end with the minute, values have words, what is absent is absent."""
    assert cell(ROW, "hashed_user_id") == "ababababab"
    assert cell(ROW, "last_accessed") == "2026-03-01 10:11"
    assert cell({"recommendation": "switch_to_flex"}, "recommendation") == "Switch to flex"
    assert cell(ROW, "seat") is None


def test_the_table_says_what_it_is(capsys, monkeypatch):
    """Range and privacy in its head, totals below, and what was left out; brackets are text."""
    monkeypatch.setenv("COLUMNS", "70")
    answer = {
        "range": {"from": "2026-03-01", "to": "2026-05-31", "preset": None, "months": "3.023"},
        "personal_data": "hashed",
        "hidden_by": ["sample-team-1"],
        "complete_up_to": None,
        "by": "user_product",
        "totals": {"rows": 1, "users": 1, "launches": 30, "tokens_used": "0"},
        "rows": [{**ROW, "product": "[bold]CAD"}],
        "next_cursor": "more",
    }
    show(answer, None)
    said = capsys.readouterr().out
    assert max(map(len, said.splitlines()[1:4])) <= 70
    words = (
        "2026-03-01 to 2026-05-31",
        "hidden by 1",
        "[bold]CAD",
        "30 launches",
        "Left out",
        "--all",
    )
    assert [word for word in words if word not in said] == []
