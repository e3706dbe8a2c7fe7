"""One process under the supervisor: started, watched, restarted with back-off, stopped.

It dies with the supervisor; one that was left over all the same is found by the lock it holds.

Next: deploy.local
"""

import fcntl
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from deploy import leash
from schemas.rejects import PersonNeeded

STEADY_SECONDS = 10.0  # one that lived so long starts again at once
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.1, 5.0
STOP_SECONDS = 30.0
LOG_BYTES = 16 << 20


@dataclass
class Child:
    """What to run, and how it goes. `ready` asks whether it does its work."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    log: Path
    lock: Path
    ready: Callable[[], bool]
    process: "subprocess.Popen[bytes] | None" = None
    needs_person: bool = False
    _started: float = field(default=0.0, repr=False)
    _due: float = field(default=0.0, repr=False)
    _quick_ends: int = field(default=0, repr=False)

    @property
    def pid(self) -> int | None:
        """The pid while it lives."""
        return self.process.pid if self.process and self.process.returncode is None else None

    def tend(self, now: float) -> int | None:
        """Start it when that is due. Returns the exit status when it has just ended."""
        if self.process is None and not self.needs_person and now >= self._due:
            self._start(now)
        status = self.process.poll() if self.process else None
        if status is not None:
            self._ended(status, now)
        return status

    def _start(self, now: float) -> None:
        for path in (self.log.parent, self.lock.parent):
            path.mkdir(parents=True, exist_ok=True)
        lock = os.open(self.lock, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            with self.log.open("ab") as log:
                self.process = subprocess.Popen(
                    [
                        *(sys.executable, "-I", "-S", leash.__file__),
                        *(str(os.getpid()), str(lock)),
                        *self.command,
                    ],
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    env=dict(self.environment),
                    pass_fds=[lock],
                    # Ctrl-C in a terminal is for the supervisor alone: it keeps the order.
                    start_new_session=True,
                )
        finally:
            os.close(lock)
        self._started = now

    def _ended(self, status: int, now: float) -> None:
        self.process = None
        quick = now - self._started < STEADY_SECONDS
        self._quick_ends = self._quick_ends + 1 if quick else 0
        pause = FIRST_PAUSE_SECONDS * 2 ** min(self._quick_ends, 10)
        self._due = now + min(pause, LONGEST_PAUSE_SECONDS)
        self.needs_person = status == PersonNeeded.EXIT_STATUS

    def stop(self) -> None:
        """SIGTERM, and after half a minute SIGKILL; it is not started again."""
        if self.process is None:
            return
        self.process.terminate()
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def bound_log(self) -> None:
        """Keep the log and one older part, each of at most 16 MiB."""
        if self.log.exists() and self.log.stat().st_size > LOG_BYTES:
            shutil.copyfile(self.log, self.log.with_suffix(".log.1"))
            os.truncate(self.log, 0)  # the child appends, so it goes on at the new end

    def last_lines(self, count: int = 5) -> list[str]:
        """The end of its log."""
        if not self.log.exists():
            return []
        with self.log.open("rb") as log:
            log.seek(max(0, self.log.stat().st_size - 8192))
            return log.read().decode(errors="replace").splitlines()[-count:]


def stop_leftover(lock: Path) -> int | None:
    """End the process that holds this lock, if one does, and return its pid.

    The pid in the file is the holder's by construction, so no stranger is ever hit.
    """
    pid = None
    deadline = time.monotonic() + STOP_SECONDS
    while lock.exists() and _held(lock):
        signed = lock.read_text()
        patient = time.monotonic() < deadline
        if signed and (pid is None or not patient):
            pid = int(signed)
            with suppress(ProcessLookupError):  # it ended this very moment
                os.kill(pid, signal.SIGTERM if patient else signal.SIGKILL)
        time.sleep(0.05)
    return pid


def _held(lock: Path) -> bool:
    with lock.open() as probe:
        try:
            fcntl.flock(probe, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False
