"""How far a file is sent, in a small file beside it, so that an interrupted `send` goes on.

Going back a little is harmless (events have identities), so the mark need not be exact.

Next: deploy.send
"""

import json
import time
from pathlib import Path

_SAVE_SECONDS = 1.0


class Mark:
    """The last line up to which every line of `path` has been answered by `target`.

    Lines are answered out of order; the mark is the end of the answered beginning.
    A changed file, or another target, starts anew. `target` names a gateway and a key.
    """

    def __init__(self, path: Path, *, target: str) -> None:
        self._file = path.with_name(f"{path.name}.sent")
        stat = path.stat()
        self._identity = [stat.st_size, stat.st_mtime_ns, target]
        self._open: dict[int, int] = {}
        self._answered: set[int] = set()
        self._saved_at = 0.0
        self.line = self._load()

    def started(self, first: int, last: int) -> None:
        """Lines `first` to `last` are being sent; batches are started in order."""
        self._open[first] = last

    def answered(self, first: int) -> None:
        """The batch that began with line `first` is answered."""
        self._answered.add(first)
        while self._open and (oldest := next(iter(self._open))) in self._answered:
            self._answered.remove(oldest)
            self.line = self._open.pop(oldest)
        if time.monotonic() - self._saved_at > _SAVE_SECONDS:
            self.save()

    def save(self) -> None:
        """Keep the mark."""
        draft = self._file.with_suffix(".sent-draft")
        draft.write_text(json.dumps({"line": self.line, "identity": self._identity}))
        draft.replace(self._file)
        self._saved_at = time.monotonic()

    def remove(self) -> None:
        """All is sent: nothing to go on with."""
        self._file.unlink(missing_ok=True)

    def _load(self) -> int:
        try:
            kept = json.loads(self._file.read_text())
        except (OSError, ValueError):
            return 0
        same = isinstance(kept, dict) and kept.get("identity") == self._identity
        return int(kept["line"]) if same else 0
