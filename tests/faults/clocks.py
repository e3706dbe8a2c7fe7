"""Clocks that can be set while a process runs, by libfaketime (Debian's package `faketime`).

Next: tests.faults.rows_events
"""

from pathlib import Path

LIBRARY = next(iter(sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))), None)


class Clock:
    """A file that says how far off a clock is; processes with its `environment` live by it."""

    def __init__(self, file: Path) -> None:
        assert LIBRARY is not None, "libfaketime is missing: apt-get install faketime"
        self._file = file
        file.parent.mkdir(parents=True, exist_ok=True)
        self.set("+0")

    @property
    def environment(self) -> dict[str, str]:
        """Only the wall clock is wrong: time-outs and waits go on as they should."""
        return {
            "LD_PRELOAD": str(LIBRARY),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "DONT_FAKE_MONOTONIC": "1",
        }

    def set(self, offset: str) -> None:
        """E.g. `+1d`, `-1d`, `+0`; without a unit it is seconds."""
        draft = self._file.with_suffix(".draft")
        draft.write_text(f"{offset}\n")
        draft.replace(self._file)
