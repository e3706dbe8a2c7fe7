"""`usage-report report`: the report in the terminal, with the names and filters of the HTTP one.

Next: deploy.ask
"""

from typing import Annotated, Any

import typer
from rich.console import Console

from deploy import connection
from deploy.ask import ask
from deploy.commands.terminal import DataDir, Json, print_json, print_table
from schemas.reports import LABELS

# Left to right on the screen.
_SUBJECTS = ("hashed_user_id", "last_name", "first_name", "product_id", "team_id", "access")
_FIGURES = (
    "days_used",
    "launches",
    "tokens_used",
    "last_accessed",
    "users",
    "monthly_average",
    "frequency",
    "seat",
    "version",
    "tokens_monthly_average",
    "products",
    "activity",
    "recommendation",
)
# As far as the terminal is wide: who and what, how much, then the rest in the order above.
_FIRST = ("hashed_user_id", "product_id", "days_used", "launches", "tokens_used", "team_id")
_HASH_SHOWN = 10
_CELL_MARGIN = 2

Names = Annotated[list[str] | None, typer.Option(help="Repeatable.")]
Text = Annotated[str | None, typer.Option()]


def report(
    *,
    by: Annotated[str, typer.Option(help="user_product, user, product or team.")] = "user_product",
    team: Names = None,
    product: Names = None,
    user: Annotated[list[str] | None, typer.Option(help="Hashed ids while hidden.")] = None,
    version: Names = None,
    access: Annotated[list[str] | None, typer.Option(help="subscription, flex.")] = None,
    frequency: Annotated[list[str] | None, typer.Option(help="frequent, occasional, …")] = None,
    preset: Annotated[str | None, typer.Option(help="30d, 3m (default), 6m, 9m or 12m.")] = None,
    from_: Annotated[str | None, typer.Option("--from", help="First day, with --to.")] = None,
    to: Annotated[str | None, typer.Option(help="Last day, with --from.")] = None,
    as_of: Annotated[str | None, typer.Option(help="A moment or a date; default now.")] = None,
    sort: Annotated[str | None, typer.Option(help="For example -tokens_used,user.")] = None,
    columns: Annotated[str | None, typer.Option(help="These, separated by commas.")] = None,
    limit: Annotated[int | None, typer.Option(min=1, max=1000, help="Most rows.")] = None,
    cursor: Annotated[str | None, typer.Option(help="`next_cursor` of the page before.")] = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Who used what: days, launches and tokens, by user and product, user, product or team."""
    names = ("by", "team", "product", "user", "version", "access", "frequency", "preset", "from_")
    given = locals()
    parameters = {name: given[name] for name in (*names, "to", "as_of", "sort", "columns")}
    place = connection.find(data_dir)
    answer = ask(place, "/v1/report", **parameters, limit=limit, cursor=cursor)
    if as_json:
        print_json(answer)
    else:
        show(answer, columns.split(",") if columns else None)


def show(answer: dict[str, Any], wanted: list[str] | None) -> None:
    """The rows as a table as wide as the terminal, and below it what they add up to."""
    rows = answer["rows"]
    shown = wanted or fitting(rows, Console().width)
    title = f"{answer['range']['from']} to {answer['range']['to']}, by {answer['by']}"
    labels = [LABELS.get(name, name) for name in shown]
    print_table(title, labels, [[cell(row, name) for name in shown] for row in rows])
    totals = ", ".join(f"{value} {_plain(name)}" for name, value in answer["totals"].items())
    typer.echo(totals)
    typer.echo(f"complete up to {answer['complete_up_to'] or 'not known yet'}")
    if answer.get("next_cursor"):
        typer.echo("more rows follow: raise --limit, or go on with --cursor (--json names it)")


def _plain(name: str) -> str:
    return name.replace("_", " ")


def fitting(rows: list[dict[str, Any]], width: int) -> list[str]:
    """Of the columns that hold something, the most telling ones that fit side by side."""
    order = (*_SUBJECTS, *_FIGURES)
    by_worth = (*_FIRST, *(name for name in order if name not in _FIRST))
    chosen: list[str] = []
    left = width
    for name in by_worth:
        needed = width_of(rows, name) + _CELL_MARGIN
        if needed <= left and any(row.get(name) is not None for row in rows):
            chosen.append(name)
            left -= needed
    return [name for name in order if name in chosen] or ["days_used"]


def width_of(rows: list[dict[str, Any]], name: str) -> int:
    """The widest cell of a column, or word of its label."""
    texts = [str(cell(row, name)) for row in rows] + LABELS[name].split()
    return max(len(text) for text in texts)


def cell(row: dict[str, Any], name: str) -> Any:
    """A value as a person reads it: hashes short, times to the minute."""
    value = row.get(name)
    if value is None:
        return None
    if name == "hashed_user_id":
        return value[:_HASH_SHOWN]
    if name == "last_accessed":
        return value[:16].replace("T", " ")
    return value
