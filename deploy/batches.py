"""What `send` reads: NDJSON or CSV, cut into batches that know the line each event came from.

An event without an id gets one from its place and text, so that sending a file again is harmless.

Next: deploy.send
"""

import csv
import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import orjson

# The columns of a CSV file's header. `user_id` becomes the CloudEvent's subject.
REQUIRED_COLUMNS = ("time", "type", "user_id", "team_id", "product_id")
ATTRIBUTE_COLUMNS = {"id": "id", "source": "source", "type": "type", "user_id": "subject"}
DATA_COLUMNS = (
    "team_id",
    "product_id",
    "access",
    "tokens",
    "product_version",
    "session_id",
    "feature_id",
    "cost_center",
)
COLUMNS = (*ATTRIBUTE_COLUMNS, "time", *DATA_COLUMNS)


class UnreadableFile(Exception):  # noqa: N818 - named for what happened, as the style asks
    """The file as a whole can't be sent; the text says why."""


@dataclass(frozen=True)
class Line:
    """One event as it will be sent, and the line of the file it came from, counted from 1."""

    number: int
    text: bytes


Batch = list[Line]


def batches(lines: Iterable[Line], size: int) -> Iterator[Batch]:
    """The lines in batches of `size`; the last may be shorter."""
    rest = iter(lines)
    while batch := list(islice(rest, size)):
        yield batch


def lines_of(path: Path, *, after: int = 0) -> Iterator[Line]:
    """The events of a file, without those up to line `after`. A name in .csv is read as CSV.

    Raises UnreadableFile when a CSV file's header is not as documented.
    """
    if path.suffix == ".csv":
        with path.open(encoding="utf-8-sig", newline="") as rows:
            yield from (line for line in read_csv(rows, path.name) if line.number > after)
    else:
        with path.open("rb") as raw:
            yield from (line for line in read_ndjson(raw) if line.number > after)


def read_ndjson(raw: Iterable[bytes]) -> Iterator[Line]:
    """Lines as they are, without empty ones; the gateway judges them."""
    for number, text in enumerate(raw, start=1):
        stripped = text.strip()
        if stripped:
            yield Line(number, stripped)


def read_csv(rows: Iterable[str], name: str) -> Iterator[Line]:
    """CSV rows as CloudEvents. `name` is the source of events without one.

    Raises UnreadableFile when the header lacks a column or has an unknown one.
    """
    reader = csv.DictReader(rows)
    _check_header(reader.fieldnames or ())
    for row in reader:
        yield Line(reader.line_num, orjson.dumps(_event(row, name, reader.line_num)))


def _check_header(header: Iterable[str]) -> None:
    missing = [column for column in REQUIRED_COLUMNS if column not in header]
    unknown = [column for column in header if column not in COLUMNS]
    wrong = [f"lacks {', '.join(missing)}"] if missing else []
    wrong += [f"has unknown {', '.join(unknown)}"] if unknown else []
    if wrong:
        raise UnreadableFile(f"the header {' and '.join(wrong)}; columns: {', '.join(COLUMNS)}")


def _event(row: dict[str | None, Any], name: str, number: int) -> dict[str, Any]:
    """An empty cell is an absent attribute."""
    given = {column: cell for column, cell in row.items() if column and cell}
    event = {ATTRIBUTE_COLUMNS[key]: given[key] for key in ATTRIBUTE_COLUMNS if key in given}
    event.setdefault("source", f"csv/{name}")
    event.setdefault("id", _id_of(row, number))
    if "time" in given:
        event["time"] = given["time"]
    data = {column: given[column] for column in DATA_COLUMNS if column in given}
    return {"specversion": "1.0", **event, "data": data}


def _id_of(row: dict[str | None, Any], number: int) -> str:
    return hashlib.sha256(orjson.dumps([number, list(row.values())])).hexdigest()[:32]
