"""A small disk of its own, so that it can be full: a tmpfs, which takes root to mount.

Next: tests.faults.rows_kafka
"""

import subprocess
from contextlib import suppress
from pathlib import Path
from typing import Self

_CHUNK_BYTES = 1 << 20


class Disk:
    """Mounts on `place` within its `with` block."""

    def __init__(self, place: Path, *, megabytes: int) -> None:
        self._place = place
        self._megabytes = megabytes
        self._filler = place / "filler"

    def __enter__(self) -> Self:
        self._place.mkdir(parents=True, exist_ok=True)
        size = f"size={self._megabytes}m"
        subprocess.run(["mount", "-t", "tmpfs", "-o", size, "none", self._place], check=True)
        return self

    def __exit__(self, *_: object) -> None:
        # Lazily: a process that was just killed may hold it for a moment.
        subprocess.run(["umount", "--lazy", self._place], check=True)

    def fill(self) -> None:
        """Take all room, to the last byte."""
        with suppress(OSError), self._filler.open("ab", buffering=0) as filler:
            for size in (_CHUNK_BYTES, 4096):
                with suppress(OSError):
                    while filler.write(bytes(size)) == size:
                        pass

    def clear(self) -> None:
        """Give the room back."""
        self._filler.unlink(missing_ok=True)
