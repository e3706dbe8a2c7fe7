"""Lines on disk until they are sent: files that outlive their process, and are found by the next.

Each process writes into a directory of its own, which it holds locked; a directory that nobody
holds was left by a process that is gone, and is read by whoever finds it. A line is in the file
when `append` returns, so that a kill of the process loses none. What was sent is noted after it
was answered: after a kill the same lines may come again, under the same ids.

Next: ingest.routes
"""

import errno
import os
import shutil
import sys
import threading
import uuid
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

_FILE_BYTES = 1 << 20
_LINES, _SENT = ".ndjson", ".sent"
_OWNER_ALONE = 0o700


@dataclass(frozen=True)
class Piece:
    """Lines of one file that were not sent yet: up to where the file was read."""

    file: Path
    end: int
    lines: list[bytes]


class Spool:
    """Takes lines from any thread; pieces are taken by one.

    `max_bytes` on disk and `max_age_seconds` bound what is kept; beyond them the oldest files go.
    `now` tells the time in seconds since 1970.
    """

    def __init__(
        self,
        directory: Path,
        *,
        max_bytes: int,
        max_age_seconds: float,
        now: Callable[[], float],
    ) -> None:
        """Begin a directory of this process; raises OSError."""
        self._dropped = 0
        self._directory = directory
        self._max_bytes = max_bytes
        self._max_age_seconds = max_age_seconds
        self._now = now
        self._writing = threading.Lock()
        self._own, lock = _begin(directory)
        self._locks = {self._own: lock}
        self._number = 0
        self._open()

    def append(self, line: bytes) -> None:
        """Keep a line (without its end); raises OSError, on a full disk for one."""
        with self._writing:
            if self._size >= _FILE_BYTES:
                self._turn_over()
            written = os.write(self._file, line + b"\n")
            if written <= len(line):
                os.ftruncate(self._file, self._size)
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            self._size += written

    def next(self, *, max_lines: int, max_bytes: int) -> Piece | None:
        """The oldest lines that were not sent yet, of one file; None when there are none."""
        for file in self._kept():
            sent = _sent(file)
            with file.open("rb") as opened:
                opened.seek(sent)
                found = opened.read(max_bytes)
            lines = found[: found.rfind(b"\n") + 1].splitlines(keepends=True)[:max_lines]
            if lines:
                end = sent + sum(map(len, lines))
                return Piece(file, end, [line.rstrip(b"\n") for line in lines])
            self._end(file, sent)
        return None

    def sent(self, piece: Piece) -> None:
        """These lines were answered: they are not asked for again."""
        piece.file.with_suffix(_SENT).write_text(f"{piece.end:020d}")

    def take_dropped(self) -> int:
        """How many lines were dropped since it was asked last."""
        dropped, self._dropped = self._dropped, 0
        return dropped

    def close(self) -> None:
        """Leave what is not sent to another process."""
        with self._writing:
            os.close(self._file)
        for directory, lock in self._locks.items():
            if not any(directory.glob(f"*{_LINES}")):
                shutil.rmtree(directory, ignore_errors=True)
            os.close(lock)

    def abandon(self) -> None:
        """In a child of the process: the files are its parent's."""
        for each in (self._file, *self._locks.values()):
            os.close(each)

    def _open(self) -> None:
        self._number += 1
        self._path = self._own / f"{self._now():020.6f}-{self._number:08d}{_LINES}"
        self._file = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._size = 0

    def _turn_over(self) -> None:
        os.close(self._file)
        self._open()

    def _end(self, file: Path, sent: int) -> None:
        """A file has nothing more to send: it goes, unless this process may write to it again."""
        with self._writing:
            if file == self._path:
                if self._size > sent or not sent:
                    return
                self._turn_over()
        _remove(file)

    def _files(self) -> list[Path]:
        """All that this process may send, the oldest first."""
        self._adopt()
        found = [file for each in self._locks for file in each.glob(f"*{_LINES}")]
        return sorted(found, key=lambda file: file.name)

    def _adopt(self) -> None:
        """Hold what processes that are gone have left."""
        for directory in self._directory.glob("[!.]*"):
            if directory not in self._locks and (lock := _lock(directory)) is not None:
                self._locks[directory] = lock
        for directory in [each for each in self._locks if each != self._own]:
            if not any(directory.glob(f"*{_LINES}")):
                shutil.rmtree(directory, ignore_errors=True)
                os.close(self._locks.pop(directory))

    def _kept(self) -> list[Path]:
        """The files, without what is older or more than is to be kept and not being written to."""
        files = self._files()
        size = sum(file.stat().st_size for file in files)
        for file in [each for each in files if each != self._path]:
            too_old = self._now() - float(file.name.split("-")[0]) > self._max_age_seconds
            if not too_old and size <= self._max_bytes:
                break
            size -= file.stat().st_size
            self._dropped += file.read_bytes()[_sent(file) :].count(b"\n")
            _remove(file)
            files.remove(file)
        return files


def _begin(directory: Path) -> tuple[Path, int]:
    """A new directory of this process, and its lock: held before others see the directory."""
    name = uuid.uuid4().hex
    hidden = directory / f".{name}"
    hidden.mkdir(mode=_OWNER_ALONE, parents=True)
    lock = _lock(hidden)
    if lock is None:
        raise BlockingIOError(errno.EAGAIN, f"somebody holds {hidden}")
    return hidden.rename(directory / name), lock


def _lock(directory: Path) -> int | None:
    """An open file that holds the directory until it is closed; None when somebody else does."""
    try:
        file = os.open(directory / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError:  # gone by now
        return None
    try:
        if sys.platform == "win32":
            msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
        else:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(file)
        return None
    return file


def _sent(file: Path) -> int:
    """How far a file was sent; a note that can't be read is none, and all is sent again."""
    with suppress(OSError, ValueError):
        return int(file.with_suffix(_SENT).read_text())
    return 0


def _remove(file: Path) -> None:
    for each in (file, file.with_suffix(_SENT)):
        each.unlink(missing_ok=True)
