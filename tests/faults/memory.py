"""Watches a process's memory while something is away: it must stay bounded.

Next: tests.faults.rows_kafka
"""

import os
from pathlib import Path
from typing import Self

from tests.faults.run import Run

MEGABYTE = 1 << 20
# Bodies and records that wait (64 MiB by default), and what they cost beside their bytes.
GROWTH_BYTES = 256 * MEGABYTE


class Memory:
    """Compares the memory of a service before and after its `with` block."""

    def __init__(self, run: Run, name: str) -> None:
        self._run, self._name = run, name
        self._before = 0

    def __enter__(self) -> Self:
        self._before = own_bytes(self._run.system.pid(self._name))
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        after = own_bytes(self._run.system.pid(self._name))
        megabytes = [self._before // MEGABYTE, after // MEGABYTE]
        self._run.outcome.figures[f"{self._name}_memory_mib"] = megabytes
        if kind is None and self._before and after:
            grown = after - self._before
            self._run.expect(grown < GROWTH_BYTES, f"{self._name} grew by {grown} bytes")


def own_bytes(pid: int | None) -> int:
    """Resident memory without pages of files, which are code; 0 when there is no such process."""
    try:
        _, resident, of_files, *_ = Path(f"/proc/{pid}/statm").read_text().split()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return (int(resident) - int(of_files)) * os.sysconf("SC_PAGE_SIZE")


def descriptors(pid: int | None) -> int:
    """Open files and sockets; 0 when there is no such process."""
    try:
        return sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir())
    except FileNotFoundError:
        return 0
