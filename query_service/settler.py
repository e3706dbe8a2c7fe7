"""Settles months beside the answers, so that reports read them from fewer rows.

Next: query_service.app
"""

import threading
from collections.abc import Callable
from datetime import datetime

import structlog
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError

from schemas.rejects import Unavailable
from sinks.clickhouse import is_passing
from sinks.settle import Settler

log = structlog.get_logger()

_EVERY_SECONDS = 60.0


class Settling:
    """Works from a thread of its own; `make` gives a client, `now` tells the time in UTC."""

    def __init__(
        self, make: Callable[[], Client], settler: Settler, now: Callable[[], datetime]
    ) -> None:
        self._make = make
        self._settler = settler
        self._now = now
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="settler", daemon=True)

    def start(self) -> None:
        """Begin, with a first round in a minute."""
        self._thread.start()

    def stop(self) -> None:
        """End; a month that is under way is left behind, and does not count."""
        self._stopped.set()

    def _run(self) -> None:
        while not self._stopped.wait(_EVERY_SECONDS):
            try:
                self.round()
            except Unavailable:
                log.info("settling_waits")
            except (ClickHouseError, OSError) as error:
                if not is_passing(error):
                    # A right is missing, or memory. Reports go on with daily rows.
                    log.exception("settling_refused")

    def round(self) -> None:
        """Settle once. Raises Unavailable, and ClickHouse's other errors."""
        client = self._make()
        try:
            self._settler.round(client, self._now().date())
        finally:
            client.close()
