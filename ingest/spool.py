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
_PATIENCE_SECONDS = 1.0
_CLOSED = -1


@dataclass(frozen=True)
class Piece:
    """Lines of one file that were not sent yet: up to where the file was read."""

    file: Path
    end: int
    lines: list[bytes]


class Spool:
    """Takes lines from any thread; pieces are taken by one.

    `max_bytes` on disk and `max_age_seconds` bound what this process keeps, what it found included;
    beyond them the oldest files go, save the one that is written to.
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
        # It may be taken twice: by a signal handler, or a finalizer, that takes a line.
        self._writing = threading.RLock()
        self._done: dict[Path, int] = {}
        self._number = 0
        self._file, self._size, self._path = _CLOSED, 0, directory
        self._own, lock = _begin(directory)
        self._locks = {self._own: lock}
        try:
            self._turn_over()
        except OSError:
            self._release()
            raise

    def append(self, line: bytes) -> None:
        """Keep a line (without its end); raises OSError, on a full disk for one."""
        # Another thread may wait for its disk.
        if not self._writing.acquire(timeout=_PATIENCE_SECONDS):
            raise TimeoutError(errno.ETIMEDOUT, "the disk takes too long")
        try:
            if self._size >= _FILE_BYTES:
                self._turn_over()
                with suppress(OSError):
                    self._kept()
            written = os.write(self._file, line + b"\n")
            if written <= len(line):
                os.ftruncate(self._file, os.fstat(self._file).st_size - written)
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            self._size += written
        finally:
            self._writing.release()

    def next(self, *, max_lines: int, max_bytes: int) -> Piece | None:
        """The oldest lines that were not sent yet, of one file; None when there are none."""
        self._restore()
        self._adopt()
        for file in self._kept():
            sent = self._sent(file)
            try:
                with file.open("rb") as opened:
                    opened.seek(sent)
                    found = opened.read(max_bytes)
            except OSError:  # dropped by now, or it can't be read
                continue
            lines = found[: found.rfind(b"\n") + 1].splitlines(keepends=True)[:max_lines]
            if lines:
                end = sent + sum(map(len, lines))
                return Piece(file, end, [line.rstrip(b"\n") for line in lines])
            self._end(file, sent)
        return None

    def sent(self, piece: Piece) -> None:
        """These lines were answered: they are not asked for again."""
        self._done[piece.file] = piece.end
        with suppress(OSError):  # on a full disk it is known for as long as the process lives
            piece.file.with_suffix(_SENT).write_text(f"{piece.end:020d}")

    def take_dropped(self) -> int:
        """How many lines were dropped since it was asked last."""
        with self._writing:
            dropped, self._dropped = self._dropped, 0
        return dropped

    def close(self) -> None:
        """Leave what is not sent to another process."""
        with self._writing:
            # Its number may be a file of the product's a moment later.
            file, self._file = self._file, _CLOSED
        if file == _CLOSED:
            return
        os.close(file)
        if not self._size:
            self._path.unlink(missing_ok=True)
        self._release()

    def abandon(self) -> None:
        """In a child of the process: the files are its parent's."""
        for each in (self._file, *self._locks.values()):
            with suppress(OSError):
                os.close(each)

    def _release(self) -> None:
        for directory, lock in self._locks.items():
            if not any(directory.glob(f"*{_LINES}")):
                shutil.rmtree(directory, ignore_errors=True)
            os.close(lock)

    def _turn_over(self) -> None:
        """Go on in a new file; raises OSError, and then it goes on in the one it has."""
        number = self._number + 1
        path = self._own / f"{self._now():020.6f}-{number:08d}{_LINES}"
        before = self._file
        # Never a moment with the number of a closed file: a child may be forked in it.
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._number, self._path, self._size = number, path, 0
        if before != _CLOSED:
            os.close(before)

    def _end(self, file: Path, sent: int) -> None:
        """A file has nothing more to send: it goes, unless more was written to it meanwhile."""
        with self._writing, suppress(OSError):
            if file == self._path:
                if not sent or self._size > sent:
                    return
                self._turn_over()
            # What a process that is gone has left may end within a line; what this one has, never.
            if file.parent != self._own or file.stat().st_size <= sent:
                self._remove(file)

    def _restore(self) -> None:
        """Go on in a new directory, if somebody has removed this one and what was in it."""
        with self._writing:
            if not self._path.exists():
                self._own, lock = _begin(self._directory)
                self._locks[self._own] = lock
                self._turn_over()

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
        """The files, oldest first, without what is older or more than is to be kept."""
        with self._writing:
            found = [file for each in list(self._locks) for file in each.glob(f"*{_LINES}")]
            files = sorted(found, key=lambda file: file.name)
            size = sum(file.stat().st_size for file in files)
            for file in [each for each in files if each != self._path]:
                too_old = self._now() - _began_at(file) > self._max_age_seconds
                if not too_old and size <= self._max_bytes:
                    break
                size -= file.stat().st_size
                self._dropped += file.read_bytes()[self._sent(file) :].count(b"\n")
                self._remove(file)
                files.remove(file)
        return files

    def _sent(self, file: Path) -> int:
        """How far a file was sent; a note that can't be read is none, and all is sent again."""
        with suppress(OSError, ValueError):
            return self._done.get(file) or int(file.with_suffix(_SENT).read_text())
        return 0

    def _remove(self, file: Path) -> None:
        for each in (file, file.with_suffix(_SENT)):
            each.unlink(missing_ok=True)
        self._done.pop(file, None)


def _began_at(file: Path) -> float:
    """When a file was begun, in seconds since 1970, by its name if we gave it that."""
    with suppress(ValueError):
        return float(file.name.rpartition("-")[0])
    return file.stat().st_mtime


def _begin(directory: Path) -> tuple[Path, int]:
    """A new directory of this process, and its lock: held before others see the directory."""
    name = uuid.uuid4().hex
    hidden = directory / f".{name}"
    hidden.mkdir(mode=_OWNER_ALONE, parents=True)
    lock = _lock(hidden)
    if lock is None:
        shutil.rmtree(hidden, ignore_errors=True)
        raise BlockingIOError(errno.EAGAIN, "a directory can't be locked")
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
