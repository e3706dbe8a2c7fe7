"""Events that keep arriving while something else is done to the system.

Next: tests.support.worker_world
"""

import threading
from typing import Self

from tests.support.worker_world import WorkerWorld

CHUNK = 20
PAUSE_SECONDS = 0.1


class SteadyLoad:
    """Launches with rising ids, appended by a thread until the `with` block ends."""

    def __init__(self, world: WorkerWorld, *, first: int = 0) -> None:
        self._world = world
        self.sent = first
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._send, daemon=True)

    def _send(self) -> None:
        while not self._stopped.wait(PAUSE_SECONDS):
            self._world.send(range(self.sent, self.sent + CHUNK))
            self.sent += CHUNK

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._thread.join()
