"""What `directory load` reads: files of entries, NDJSON or CSV, each of one entity.

Next: deploy.directory_load
"""

import csv
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from deploy.batches import Line, UnreadableFile, read_ndjson
from schemas.directory import ENTITIES

SUFFIXES = (".csv", ".ndjson", ".jsonl")
STDIN = Path("-")
MEMBERS_SEPARATOR = ";"

_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True)
class Source:
    """A file of entries of one entity."""

    path: Path
    entity: str


def sources(paths: Iterable[Path], entity: str | None) -> list[Source]:
    """The files to load, in their order; those of a directory by entity: teams first.

    Raises UnreadableFile for one that is not there, or of which the entity is not known.
    """
    found: list[Source] = []
    for path in paths:
        if path != STDIN and not path.exists():
            raise UnreadableFile(f"there is no file {path}")
        found += _of_directory(path) if path.is_dir() else [Source(path, entity or _named(path))]
    return found


def _named(path: Path) -> str:
    if path.stem not in ENTITIES:
        raise UnreadableFile(
            f"{path.name} is not named for an entity: give --entity, one of {', '.join(ENTITIES)}"
        )
    return path.stem


def _of_directory(directory: Path) -> list[Source]:
    found = [
        Source(directory / f"{entity}{suffix}", entity)
        for entity in ENTITIES
        for suffix in SUFFIXES
        if (directory / f"{entity}{suffix}").is_file()
    ]
    known = {source.path for source in found}
    strange = [
        path.name
        for path in sorted(directory.iterdir())
        if path.suffix in SUFFIXES and path not in known
    ]
    if strange or not found:
        wrong = ", ".join(strange) or "everything in it"
        names = ", ".join(ENTITIES)
        raise UnreadableFile(f"{directory}: not named for an entity: {wrong} ({names})")
    return found


def lines_of(source: Source, stdin: Iterable[bytes]) -> Iterator[Line]:
    """The entries as they will be sent. A name in .csv is read as CSV; `-` is `stdin`.

    Raises UnreadableFile when a CSV file has unknown columns or is not in UTF-8.
    """
    if source.path == STDIN:
        yield from _ndjson(stdin)
    elif source.path.suffix == ".csv":
        with source.path.open(encoding="utf-8-sig", newline="") as rows:
            yield from _csv(source, rows)
    else:
        with source.path.open("rb") as raw:
            yield from _ndjson(raw)


def _ndjson(raw: Iterable[bytes]) -> Iterator[Line]:
    for line in read_ndjson(raw):
        yield Line(1, line.text.removeprefix(_BOM)) if line.number == 1 else line


def _csv(source: Source, rows: Iterable[str]) -> Iterator[Line]:
    fields = (*ENTITIES[source.entity].fields, "deleted")
    reader = csv.DictReader(rows, restkey="")
    try:
        unknown = [name for name in reader.fieldnames or () if name not in fields]
        if unknown or not reader.fieldnames:
            wrong = f"has unknown {', '.join(unknown)}" if unknown else "is missing"
            raise UnreadableFile(f"the header {wrong}; columns: {', '.join(fields)}")
        for row in reader:
            yield Line(reader.line_num, orjson.dumps(entry_of(row)))
    except (UnicodeDecodeError, csv.Error) as error:
        raise UnreadableFile(f"not CSV in UTF-8, after line {reader.line_num}") from error


def entry_of(row: dict[str, Any]) -> dict[str, Any]:
    """A row of CSV as an entry; an empty cell is an absent field, and so clears nothing.

    A cell too many is kept, under no name, for the service to refuse.
    """
    return {name: _CELLS.get(name, _as_it_is)(cell) for name, cell in row.items() if cell}


def _as_it_is(cell: Any) -> Any:
    return cell


def _boolean(cell: str) -> Any:
    return {"true": True, "false": False}.get(cell.lower(), cell)


def _whole(cell: str) -> Any:
    return int(cell) if cell.isdecimal() and len(cell) < 19 else cell


def _members(cell: str) -> Any:
    return [member.strip() for member in cell.split(MEMBERS_SEPARATOR) if member.strip()]


# What is no text in JSON; a cell that can't be read goes as it is, and is refused by its field.
_CELLS: dict[str, Callable[[Any], Any]] = {
    "personal_data": _boolean,
    "assigned": _boolean,
    "deleted": _boolean,
    "seats": _whole,
    "members": _members,
}
