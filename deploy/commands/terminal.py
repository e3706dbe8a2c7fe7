"""How commands speak: JSON on standard output for machines, tables for people, one line on trouble.

Next: deploy.commands.report
"""

import os
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, NoReturn

import orjson
import typer
from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

DONE, FOUND, USAGE = 0, 1, 2
# After maintenance.
GO_ON = "running workers go on by themselves; one that stopped for a person has to be started"

DataDir = Annotated[
    Path | None,
    typer.Option("--data-dir", help="Data directory of a running `up`.", show_default=False),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON, for machines.")]


def writable(file: Path | None) -> Path | None:
    """`file`, if it can be written: asked before any work is done for it. `-` always can."""
    if file is None or str(file) == "-":
        return file
    if file.is_dir() or not os.access(file if file.exists() else file.parent, os.W_OK):
        raise typer.BadParameter(f"{file} cannot be written")
    return file


def print_json(answer: Any) -> None:
    """One JSON document on one line."""
    sys.stdout.write(orjson.dumps(answer, default=str).decode() + "\n")


def print_table(title: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """A table that fits the terminal; numbers stand to the right, nothing is an empty cell."""
    console = Console()
    kept = [list(row) for row in rows]
    if not kept:
        console.print(f"{title}: nothing yet", markup=False)
        return
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=(0, 1, 0, 0))
    for place, column in enumerate(columns):
        cells = [row[place] for row in kept if row[place] is not None]
        right = bool(cells) and all(_is_number(cell) for cell in cells)
        # A long label over short cells takes two lines, rather than their place.
        if cell_len(column) > max((cell_len(str(cell)) for cell in cells), default=0):
            column = column.replace(" ", "\n")  # noqa: PLW2901 - the same column, as shown
        justify: Literal["left", "right"] = "right" if right else "left"
        # What a row is about is never broken; other cells may be.
        table.add_column(column, justify=justify, no_wrap=place == 0, overflow="fold")
    for row in kept:
        # As text, or a name in brackets would be taken for a style.
        table.add_row(*(Text("" if cell is None else str(cell)) for cell in row))
    console.print(title, markup=False)
    console.print(table)


def _is_number(cell: Any) -> bool:
    text = cell.replace(".", "", 1) if isinstance(cell, str) else ""
    return isinstance(cell, int | float) or text.isdecimal()


def complain(message: str) -> None:
    """Say in one line, on standard error, what is wrong and what to do."""
    Console(stderr=True, soft_wrap=True).print(f"usage-report: {message}", markup=False)


def tell(what: str) -> None:
    """A line about how a command that takes a while gets on, on standard error."""
    Console(stderr=True, soft_wrap=True).print(what, markup=False, highlight=False)


def fail(message: str, status: int = FOUND) -> NoReturn:
    """Complain, and end with `status`."""
    complain(message)
    raise typer.Exit(status)
