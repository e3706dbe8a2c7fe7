"""A backup as files: a directory with a file for each table, a manifest, and checksums of them all.

It is written under another name and renamed at its end, so what has the name is whole. Only its
owner can read it: tenants' secrets are in it. A table is text, compressed: zstdcat shows it.
Next: deploy.backup
"""

import hashlib
import os
import shutil
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Literal, Self

import zstandard
from pydantic import BaseModel, ConfigDict, ValidationError

MANIFEST, SUMS = "manifest.json", "SHA256SUMS"
_PART = ".part"


class Damaged(Exception):  # noqa: N818 - named for what it is, as the style asks
    """A backup that is not what was written; the text names the file."""


class Folded(BaseModel):
    """How far a partition was folded: the place and append time of its last record."""

    model_config = ConfigDict(frozen=True)

    partition: int
    epoch: int
    offset: int
    appended_at: datetime


class TableFile(BaseModel):
    """A table: the statement that makes it, in whichever database, and the file of its rows."""

    model_config = ConfigDict(frozen=True)

    name: str
    create: str
    file: str
    rows: int


class Manifest(BaseModel):
    """What a backup is of; `migrations` are names with checksums, `topic_id` is the log's."""

    model_config = ConfigDict(frozen=True)

    format: Literal[1] = 1
    release: str
    taken_at: datetime
    migrations: dict[str, str]
    topic_id: str | None
    folded: list[Folded]
    tables: list[TableFile]


class Draft:
    """A backup that is being written; without `finish` nothing of it is left."""

    def __init__(self, place: Path) -> None:
        self._place = place
        self._directory = place.with_name(place.name + _PART)
        self._sums: dict[str, str] = {}

    def __enter__(self) -> Self:
        """Raises FileExistsError when there is something of this name."""
        if self._place.exists():
            raise FileExistsError(f"{self._place} is there already")
        shutil.rmtree(self._directory, ignore_errors=True)
        self._directory.mkdir(mode=0o700)
        return self

    def __exit__(self, *_: object) -> None:
        shutil.rmtree(self._directory, ignore_errors=True)

    def write(self, name: str, pieces: Iterable[bytes]) -> None:
        """A file, on the disk when this returns."""
        digest = hashlib.sha256()
        handle = os.open(self._directory / name, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        with os.fdopen(handle, "wb") as file:
            for piece in pieces:
                digest.update(piece)
                file.write(piece)
            file.flush()
            os.fsync(file.fileno())
        self._sums[name] = digest.hexdigest()

    def finish(self, manifest: Manifest) -> None:
        """Give the backup its name."""
        self.write(MANIFEST, [manifest.model_dump_json(indent=2).encode() + b"\n"])
        lines = (f"{digest}  {name}\n" for name, digest in sorted(self._sums.items()))
        self.write(SUMS, ["".join(lines).encode()])
        _sync(self._directory)
        self._directory.rename(self._place)
        _sync(self._place.parent)


def _sync(directory: Path) -> None:
    handle = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def compressed(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The same in zstd, with a checksum of its own."""
    packing = zstandard.ZstdCompressor(level=3, write_checksum=True).compressobj()
    for piece in pieces:
        yield packing.compress(piece)
    yield packing.flush()


def check(place: Path) -> Manifest:
    """Read all of a backup; its manifest. Raises Damaged unless every byte is as written."""
    try:
        lines = (place / SUMS).read_text(encoding="ascii").splitlines()
        sums = {name: digest for digest, _, name in (line.partition("  ") for line in lines)}
        for name, digest in sums.items():
            _check_sum(place / name, digest)
        manifest = Manifest.model_validate_json((place / MANIFEST).read_bytes())
    except (OSError, UnicodeDecodeError) as error:
        raise Damaged(f"{place} is no whole backup: {error}") from error
    except ValidationError as error:
        raise Damaged(f"{place / MANIFEST} can't be read: {error}") from error
    if lacking := ({table.file for table in manifest.tables} | {MANIFEST}) - set(sums):
        raise Damaged(f"{place / SUMS} has no checksum of {', '.join(sorted(lacking))}")
    return manifest


def _check_sum(path: Path, digest: str) -> None:
    with path.open("rb") as file:
        if hashlib.file_digest(file, "sha256").hexdigest() != digest:
            raise Damaged(f"{path} is not what was written: its checksum differs")


def blocks(place: Path, table: TableFile, *, block_bytes: int) -> Iterator[bytes]:
    """A table in blocks of whole rows, each with the head of names and types; none for no rows.

    `block_bytes` is more than the head has, and about what a block has.
    """
    head, held = b"", b""
    with (place / table.file).open("rb") as file:
        unpacking = zstandard.ZstdDecompressor().stream_reader(file)
        while piece := unpacking.read(block_bytes):
            held += piece
            if not head:
                end = held.index(b"\n", held.index(b"\n") + 1) + 1
                head, held = held[:end], held[end:]
            end = held.rfind(b"\n") + 1
            if end:
                yield head + held[:end]
                held = held[end:]
