"""The report as a table as wide as the terminal, in the words people know.

Next: deploy.ask
"""

from typing import Any

import typer
from rich.cells import cell_len
from rich.console import Console

from deploy.commands.terminal import print_table
from schemas.reports import LABELS, VALUES

# Left to right on the screen.
ORDER = (
    *("last_name", "first_name", "email", "user_id", "hashed_user_id"),
    *("product", "product_id", "team", "team_id", "access", "version", "via"),
    *("days_used", "monthly_average", "frequency", "launches"),
    *("tokens_used", "tokens_monthly_average", "last_accessed", "days_inactive", "activity"),
    *("seat", "assignment", "group", "assigned_at", "unassigned_at", "recommendation"),
    *("users", "products"),
    *("seats_total", "seats_assigned", "seats_free", "seats_over"),
    *("seats_active", "seats_inactive"),
)
# As far as the terminal is wide: who and what, how much, then the rest in the order above.
_FIRST = (
    *("hashed_user_id", "last_name", "product", "days_used", "launches", "tokens_used", "team"),
    *("first_name", "seats_total", "seats_assigned", "seats_free", "recommendation", "seat"),
    *("frequency", "last_accessed", "access", "users", "monthly_average"),
)
_HASH_SHOWN = 10
_CELL_MARGIN = 2
_TIMES = ("assigned_at", "unassigned_at", "last_accessed")


def show(answer: dict[str, Any], wanted: list[str] | None) -> None:
    """The rows, and below them what they add up to and what of them is not shown."""
    rows = answer["rows"]
    shown = wanted or fitting(rows, Console().width)
    labels = [LABELS.get(name, name) for name in shown]
    print_table(_title(answer), labels, [[cell(row, name) for name in shown] for row in rows])
    totals = ", ".join(
        f"{value} {name.replace('_', ' ')}" for name, value in answer["totals"].items()
    )
    typer.echo(f"In total {totals}")
    typer.echo(f"Complete up to {answer['complete_up_to'] or 'a moment not known yet'}")
    left_out = [LABELS[name] for name in filled(rows) if name not in shown]
    if left_out and not wanted:
        typer.echo(f"Left out, for want of room: {', '.join(left_out)} (--columns chooses)")
    if answer.get("next_cursor"):
        typer.echo("More rows follow: --all shows them, --limit more of them")


def _title(answer: dict[str, Any]) -> str:
    when, hidden_by = answer["range"], answer["hidden_by"]
    title = f"{when['from']} to {when['to']} ({when['months']} months), by {answer['by']}; "
    if answer["personal_data"] == "shown":
        return title + "personal data shown"
    return title + f"personal data hidden by {len(hidden_by)} of the teams in view"


def filled(rows: list[dict[str, Any]]) -> list[str]:
    """The columns that hold something; an id only where it says more than its name."""
    named = {"team_id": "team", "product_id": "product"}
    return [
        name
        for name in ORDER
        if any(row.get(name) not in {None, row.get(named.get(name, ""))} for row in rows)
    ]


def fitting(rows: list[dict[str, Any]], width: int) -> list[str]:
    """Of the columns that hold something, the most telling ones that fit side by side."""
    known = filled(rows)
    chosen: list[str] = []
    left = width
    for name in sorted(known, key=lambda name: _worth(rows, name)):
        needed = width_of(rows, name) + _CELL_MARGIN
        if needed <= left:
            chosen.append(name)
            left -= needed
    return [name for name in ORDER if name in chosen] or ["days_used"]


def _worth(rows: list[dict[str, Any]], name: str) -> int:
    """Its rank. Whoever has no name is known by an id alone."""
    if name == "user_id" and any(row.get("last_name") is None for row in rows):
        return -1
    return _FIRST.index(name) if name in _FIRST else len(_FIRST) + ORDER.index(name)


def width_of(rows: list[dict[str, Any]], name: str) -> int:
    """The widest cell of a column, or word of its label, in cells of the terminal."""
    texts = [str(cell(row, name)) for row in rows if row.get(name) is not None]
    return max(cell_len(text) for text in [*texts, *LABELS[name].split()])


def cell(row: dict[str, Any], name: str) -> Any:
    """A value as a person reads it: hashes short, times to the minute, words for names."""
    value = row.get(name)
    if value is None:
        return None
    if name == "hashed_user_id":
        return value[:_HASH_SHOWN]
    if name in _TIMES:
        return value[:16].replace("T", " ")
    return VALUES.get(name, {}).get(value, value)
