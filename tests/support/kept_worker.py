"""A worker that is started again whenever it ends to be, as a supervisor does it.

Next: tests.support.worker_world
"""

import threading
import time
from typing import Self

from tests.support.worker_world import WorkerProcess, WorkerWorld

AGAIN = 1


class KeptWorker:
    """`statuses` are those it ended with; after any but 1 it is left alone."""

    def __init__(self, world: WorkerWorld) -> None:
        self._world = world
        self._over = threading.Event()
        self.statuses: list[int] = []
        self.lives: list[WorkerProcess] = []
        self._thread = threading.Thread(target=self._keep)

    def _keep(self) -> None:
        while not self._over.is_set() and set(self.statuses) <= {AGAIN}:
            self.lives.append(self._world.worker())
            while (status := self.lives[-1].process.poll()) is None and not self._over.is_set():
                time.sleep(0.05)
            if status is not None:
                self.statuses.append(status)

    def entries(self, event: str) -> list[dict[str, str]]:
        """Lines of the log about an event, of all its lives."""
        return self.lives[0].entries(event) if self.lives else []

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
