"""`usage-report generate`: synthetic load to a file, to standard output, or to a gateway.

Next: deploy.generate
"""

from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from deploy import connection
from deploy.batches import Line, batches
from deploy.commands.progress import progress_bar
from deploy.commands.send import NO_KEY, deliver
from deploy.commands.terminal import USAGE, DataDir, Json, fail, print_json, writable
from deploy.connection import Connection
from deploy.generate import ACCEPTED_DAYS, Load, lines
from deploy.send import DEFAULT_BATCH, Sender

_BLOCK = 1_000


def share(text: str | float) -> float:
    """`5%` or `0.05`: a share of the lines. Raises typer.BadParameter for anything else."""
    text = str(text)
    try:
        number = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    except ValueError:
        number = -1
    if not 0 <= number < 1:
        raise typer.BadParameter("a share is written 0.05 or 5%, and is less than the whole")
    return number


def moment(text: str) -> datetime:
    """An RFC 3339 time with a zone. Raises typer.BadParameter for anything else."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise typer.BadParameter("a time is written 2026-03-01T12:00:00Z, with its zone")
    return found


Share = Annotated[float, typer.Option(parser=share, metavar="SHARE", help="As 10% or 0.1.")]
Moment = Annotated[datetime | None, typer.Option(parser=moment, metavar="TIME", help="Or now.")]


def generate(
    out: Annotated[
        Path, typer.Argument(callback=writable, help="File to write; - for standard output.")
    ] = Path("-"),
    *,
    events: Annotated[int, typer.Option(min=0, help="Lines, duplicates included.")] = 10_000,
    users: Annotated[int, typer.Option(min=1, help="Users to draw from.")] = 100,
    days: Annotated[int, typer.Option(min=1, help="UTC dates, the last one `--until`'s.")] = 30,
    duplicates: Share = 0.0,
    late: Share = 0.0,
    seed: Annotated[int, typer.Option(help="Another seed, another load.")] = 1,
    until: Moment = None,
    imported: Annotated[bool, typer.Option("--import", help="Any number of days.")] = False,
    send: Annotated[bool, typer.Option("--send", help="Send to the gateway instead.")] = False,
    rate: Annotated[
        float | None, typer.Option(min=0.1, help="With --send: events a second")
    ] = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Make sample CloudEvents, one a line, in the order a gateway would get them.

    The same options and `--until` make the same lines. `--duplicates` is the share of lines that
    repeat an earlier one, `--late` of those that arrive 1 to 30 days behind later ones. A gateway
    takes events of 34 days; for more give `--import`, and send with a key of scope import.
    """
    if days > ACCEPTED_DAYS and not imported:
        fail(f"over {ACCEPTED_DAYS} days back need a key with scope import: add --import", USAGE)
    now = datetime.now(UTC).replace(microsecond=0)
    try:
        load = Load(events, users, days, until or now, duplicates, late, seed)
    except ValueError as error:
        fail(str(error), USAGE)
    if send:
        _send(load, rate, connection.find(data_dir), as_json=as_json)
    else:
        write(load, out)
        if as_json and str(out) != "-":
            print_json({"events": events, "distinct": load.distinct_events, "file": str(out)})


def write(load: Load, out: Path) -> None:
    """Write the load's lines to a file, or to standard output for `-`."""
    to_file = str(out) != "-"
    with (
        out.open("w", encoding="ascii") if to_file else open(1, "w", closefd=False) as target,
        progress_bar("generating", load.events, shown=to_file) as bar,
    ):
        for number, line in enumerate(lines(load), start=1):
            target.write(line + "\n")
            if number % _BLOCK == 0:
                bar.advance(_BLOCK)
        bar.advance(load.events % _BLOCK)


def _send(load: Load, rate: float | None, place: Connection, *, as_json: bool) -> None:
    if not place.key:
        fail(NO_KEY, USAGE)
    make = partial(Sender, place.ingest_url, place.key, rate=rate)
    numbered = (Line(number, text.encode()) for number, text in enumerate(lines(load), start=1))
    deliver(make, batches(numbered, DEFAULT_BATCH), total=load.events, as_json=as_json)
