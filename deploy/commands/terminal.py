"""How commands speak: JSON on standard output for machines, tables for people, one line on trouble.

Next: deploy.commands.report
"""

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated, Any, NoReturn

import orjson
import typer
from rich.console import Console
from rich.table import Table

DONE, FOUND, USAGE = 0, 1, 2

DataDir = Annotated[
    Path | None,
    typer.Option("--data-dir", help="Data directory of a running `up`.", show_default=False),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON, for machines.")]


def print_json(answer: Any) -> None:
    """One JSON document on one line."""
    sys.stdout.write(orjson.dumps(answer, default=str).decode() + "\n")


def print_table(title: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """A table that fits the terminal; numbers stand to the right, nothing is an empty cell."""
    kept = [list(row) for row in rows]
    table = Table(title=title, title_justify="left")
    for place, column in enumerate(columns):
        cells = [row[place] for row in kept if row[place] is not None]
        right = bool(cells) and all(isinstance(cell, int | float) for cell in cells)
        table.add_column(column, justify="right" if right else "left", overflow="fold")
    for row in kept:
        table.add_row(*("" if cell is None else str(cell) for cell in row))
    Console().print(table)


def complain(message: str) -> None:
    """Say in one line, on standard error, what is wrong and what to do."""
    Console(stderr=True, soft_wrap=True).print(f"usage-report: {message}", markup=False)


def fail(message: str, status: int = FOUND) -> NoReturn:
    """Complain, and end with `status`."""
    complain(message)
    raise typer.Exit(status)
