"""How a worker ends for a person: work is over at once, the reason stays to be seen for a while.

Status 78, a line in the log, and `usage_stopped` on /metrics for longer than a scrape's interval.

Next: aggregators.linger
"""

import asyncio
import os
import signal
import sys
import tempfile
from contextlib import suppress
from typing import NoReturn

import structlog
from prometheus_client import CollectorRegistry, generate_latest

from aggregators import linger
from schemas.metrics import WorkerMetrics
from schemas.rejects import PersonNeeded
from schemas.settings import WorkerSettings

log = structlog.get_logger()


class Stop:
    """The end of this process when a person is needed.

    `told`: somebody asked the process to end anyway, so nothing is kept waiting for a scrape.
    """

    def __init__(
        self, settings: WorkerSettings, metrics: WorkerMetrics, registry: CollectorRegistry
    ) -> None:
        self._settings = settings
        self._metrics = metrics
        self._registry = registry
        self.told = asyncio.Event()

    def for_person(self, error: PersonNeeded) -> NoReturn:
        """End, and say why: nothing is folded, stored, committed or heartbeated any more."""
        self._metrics.stopped.labels(error.reason).set(1)
        self._metrics.stopped_info.labels(error.reason, error.remedy).set(1)
        log.critical("stopped", reason=error.reason, detail=error.detail, remedy=error.remedy)
        sys.stderr.flush()
        if self._settings.stop_linger_seconds and not self.told.is_set():
            with suppress(OSError):
                self._linger()
        os._exit(PersonNeeded.EXIT_STATUS)

    def _linger(self) -> None:
        """Become a process that does nothing but answer with the metrics as they are now.

        To stop the event loop would not do: the consumer's thread has a loop of its own, and
        would hold the partitions with its heartbeats.
        """
        signal.pthread_sigmask(signal.SIG_BLOCK, linger.SIGNALS)
        with tempfile.TemporaryFile() as text:
            text.write(generate_latest(self._registry))
            text.flush()
            text.seek(0)
            os.set_inheritable(text.fileno(), True)
            command = linger.command(
                host=self._settings.worker_host,
                port=self._settings.worker_port,
                seconds=self._settings.stop_linger_seconds,
                text=text.fileno(),
                status=PersonNeeded.EXIT_STATUS,
            )
            os.execv(command[0], command)  # noqa: S606 - no shell is what is wanted
