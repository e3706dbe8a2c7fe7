"""`usage-report export`: the report as a file, which is there only when it is whole.

Next: deploy.download
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import DownloadColumn, Progress, TextColumn, TransferSpeedColumn

from deploy import connection
from deploy.ask import Refused
from deploy.commands.report_options import Asked, with_options
from deploy.commands.terminal import DataDir, Json, print_json, writable
from deploy.download import Transfer, transfer
from query_service.params import BOM, IGNORED, REPORT
from schemas.reports import EXTENSIONS

OPTIONS = (*(each for each in REPORT if each.name not in IGNORED), BOM)

File = Annotated[Path, typer.Argument(callback=writable, help="Where to; - for standard output.")]
Format = Annotated[
    str | None,
    typer.Option("--format", help=f"{', '.join(EXTENSIONS)}; without it, FILE's extension."),
]


@with_options(OPTIONS)
def export(
    asked: Asked,
    file: File,
    *,
    extension: Format = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """All rows and columns of the report, as CSV, XLSX, JSON, NDJSON or Parquet.

    FILE is written beside itself as FILE.part, and takes its name only when it is whole. Exit
    status 1 if the transfer broke.
    """
    kind = extension or file.suffix.removeprefix(".").lower()
    if kind not in EXTENSIONS:
        raise Refused(f"format {kind!r} is none of {', '.join(EXTENSIONS)}: name one by --format")
    with transfer(connection.find(data_dir), f"/v1/report.{kind}", asked) as found:
        if str(file) == "-":
            sys.stdout.buffer.writelines(found.pieces())
            sys.stdout.buffer.flush()
            return
        size = save(file, _watched(found))
    summary = {"file": str(file), "bytes": size, **found.describe()}
    if as_json:
        print_json(summary)
    else:
        typer.echo(_sentence(summary))


def save(file: Path, pieces: Iterator[bytes]) -> int:
    """Write all pieces, or leave no file; the size in bytes."""
    part = file.with_name(f"{file.name}.part")
    try:
        with part.open("wb") as out:
            for piece in pieces:
                out.write(piece)
            size = out.tell()
        part.replace(file)
    finally:
        part.unlink(missing_ok=True)
    return size


def _watched(found: Transfer) -> Iterator[bytes]:
    """The pieces, while a person sees them come."""
    console = Console(stderr=True)
    columns = (TextColumn("exporting"), DownloadColumn(), TransferSpeedColumn())
    with Progress(
        *columns, console=console, transient=True, disable=not console.is_terminal
    ) as progress:
        task = progress.add_task("", total=None)
        for piece in found.pieces():
            yield piece
            progress.update(task, advance=len(piece))


def _sentence(summary: dict[str, Any]) -> str:
    return (
        f"{summary['rows']} rows, {summary['bytes']} bytes, personal data "
        f"{summary['personal_data']}, schema version {summary['schema_version']}: {summary['file']}"
    )
