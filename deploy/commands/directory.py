"""`usage-report directory`: load files of entries, with a verdict for each bad line, and list them.

Next: deploy.directory_files
"""

import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import typer

from deploy import connection
from deploy.ask import Refused, ask
from deploy.batches import UnreadableFile, batches
from deploy.commands.progress import Bar, progress_bar
from deploy.commands.send import NO_KEY, count_lines
from deploy.commands.terminal import FOUND, USAGE, DataDir, Json, fail, print_json, print_table
from deploy.connection import Connection
from deploy.directory_files import STDIN, Source, lines_of, sources
from deploy.directory_load import BATCH_ENTRIES, Loader, Verdict
from deploy.send import DEFAULT_PATIENCE_SECONDS, GaveUp
from schemas.directory import ENTITIES

group = typer.Typer(
    no_args_is_help=True, help="Teams, users, products, seats, packs and prices: load and list."
)

_HASH_SHOWN = 10

Files = Annotated[
    list[Path],
    typer.Argument(help="NDJSON, CSV (.csv), or a directory of both; - for NDJSON on stdin."),
]


def _known(entity: str | None) -> str | None:
    if entity is not None and entity not in ENTITIES:
        raise typer.BadParameter(f"is one of {', '.join(ENTITIES)}")
    return entity


EntityOption = Annotated[
    str | None, typer.Option(callback=_known, help="Without it, by the file's name.")
]
Patience = Annotated[float, typer.Option(min=0, help="Give up on a batch after so many seconds.")]


@dataclass
class _Loaded:
    """What became of one file."""

    source: Source
    sent: int = 0
    verdicts: list[Verdict] = field(default_factory=list)

    @property
    def rejected(self) -> int:
        return len(self.verdicts)

    def counts(self) -> dict[str, Any]:
        """The file, and how many of its lines were taken."""
        accepted = self.sent - self.rejected
        name = str(self.source.path)
        return {
            "file": name,
            "entity": self.source.entity,
            "accepted": accepted,
            "rejected": self.rejected,
        }


@group.command()
def load(
    files: Files,
    *,
    entity: EntityOption = None,
    patience: Patience = DEFAULT_PATIENCE_SECONDS,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Lay entries over what is stored; loading a file again is harmless.

    A file's name says what it holds: users.csv, teams.ndjson. CSV has the fields in its header.

    An empty cell leaves a field as it is; in NDJSON null clears one. `deleted` true removes.

    Members of a collection are separated by semicolons. Exit status 1 if anything was rejected.
    """
    place = connection.find(data_dir)
    if not place.key:
        fail(NO_KEY, USAGE)
    try:
        found = sources(files, entity)
    except UnreadableFile as error:
        fail(str(error), USAGE)
    done: list[_Loaded] = []
    trouble = ""
    try:
        _load(place, found, done, patience)
    except UnreadableFile as error:
        trouble = f"{done[-1].source.path}: {error}"
    except (Refused, GaveUp, KeyboardInterrupt) as error:
        trouble = str(error) or "interrupted"
    _sum_up(done, trouble, as_json=as_json)
    if trouble:
        fail(trouble, FOUND)
    if any(each.rejected for each in done):
        raise typer.Exit(FOUND)


def _load(place: Connection, found: list[Source], done: list[_Loaded], patience: float) -> None:
    """Load one file after the other; `done` has what was answered, also after trouble."""
    countable = all(source.path != STDIN for source in found)
    total = sum(count_lines(source.path) for source in found) if countable else None
    with (
        progress_bar("loading", total, unit="entries") as bar,
        Loader(place, patience_seconds=patience, retried=_note(bar)) as loader,
    ):
        for source in found:
            done.append(_Loaded(source))
            _load_file(loader, done[-1], bar)


def _load_file(loader: Loader, loaded: _Loaded, bar: Bar) -> None:
    source = loaded.source
    cut = batches(lines_of(source, sys.stdin.buffer), BATCH_ENTRIES)
    for sent, verdicts in loader.load(source.entity, cut):
        loaded.sent += sent
        loaded.verdicts += verdicts
        bar.advance(sent)
        bar.note("")
        for verdict in verdicts:
            place = f"{source.path}:{verdict.line}"
            told = f"{verdict.field or '-'}: {verdict.reason}: {verdict.detail}"
            typer.echo(f"{place}: {told}", err=True)


def _note(bar: Bar) -> Any:
    return lambda trouble: bar.note(f"retrying: {trouble}")


def _sum_up(done: list[_Loaded], trouble: str, *, as_json: bool) -> None:
    counts = [each.counts() for each in done]
    if not as_json:
        names = ("file", "entity", "accepted", "rejected")
        print_table("Loaded", names, [[count[name] for name in names] for count in counts])
        return
    rejects = [
        {"file": str(each.source.path), **verdict._asdict()}
        for each in done
        for verdict in each.verdicts
    ]
    print_json(
        {
            "accepted": sum(count["accepted"] for count in counts),
            "rejected": len(rejects),
            "files": counts,
            "rejects": rejects,
            "error": trouble or None,
        }
    )


Names = Annotated[list[str] | None, typer.Option(help="Repeatable; where it has the field.")]


@group.command("list")
def list_entries(
    entity: Annotated[str, typer.Argument(callback=_known, help=", ".join(ENTITIES))],
    *,
    team: Names = None,
    user: Annotated[list[str] | None, typer.Option(help="Hashed ids while hidden.")] = None,
    product: Names = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Most entries; default: all.")] = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """The entries of ENTITY, as the directory has them; --json prints one a line."""
    place = connection.find(data_dir)
    entries = _pages(place, entity, limit, team=team, user=user, product=product)
    if as_json:
        for entry in entries:
            print_json(entry)
        return
    kept = list(entries)
    names = [name for name in kept[0] if any(e[name] is not None for e in kept)] if kept else []
    print_table(entity, names, [[_cell(entry[name], name) for name in names] for entry in kept])


def _pages(
    place: Connection, entity: str, limit: int | None, **filters: list[str] | None
) -> Iterator[dict[str, Any]]:
    """Entries, page by page, as many as wanted."""
    cursor, left = None, limit
    while left is None or left > 0:
        size = 1000 if left is None else min(left, 1000)
        answer = ask(place, f"/v1/directory/{entity}", **filters, limit=size, cursor=cursor)
        yield from answer[entity]
        cursor = answer["next_cursor"]
        left = left - size if left is not None else None
        if cursor is None:
            return


def _cell(value: Any, name: str) -> Any:
    """A value as a person reads it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return ", ".join(value)
    return value[:_HASH_SHOWN] if name == "hashed_user_id" and value else value
