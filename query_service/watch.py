"""What operators watch of the store, as metrics: does it answer, is there room, do books balance.

Next: query_service.app
"""

import threading

import structlog
from clickhouse_connect.driver.exceptions import ClickHouseError

from query_service.store import Store
from schemas.metrics import QueryMetrics
from schemas.rejects import Unavailable

log = structlog.get_logger()

_EVERY_SECONDS = 10.0


class Watch:
    """Looks from a thread of its own; while the store is away its last figures stay."""

    def __init__(self, store: Store, metrics: QueryMetrics) -> None:
        self._store = store
        self._metrics = metrics
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watch", daemon=True)

    def start(self) -> None:
        """Begin, with a first look at once."""
        self._thread.start()

    def stop(self) -> None:
        """End; a look that is under way is left behind."""
        self._stopped.set()

    def _run(self) -> None:
        while not self._stopped.is_set():
            try:
                self.look()
            except Unavailable:
                self._metrics.store_up.set(0)
            except ClickHouseError:
                # It answers, and refuses: a right is missing. Reports go on without these figures.
                log.exception("watch_refused")
            self._stopped.wait(_EVERY_SECONDS)

    def look(self) -> None:
        """Ask once. Raises Unavailable."""
        (books,) = self._store.ask_all("books_difference")
        disks = self._store.ask_all("disks")
        (backup,) = self._store.ask_all("last_backup")
        self._metrics.books_difference.set(books["difference"])
        self._metrics.backup_timestamp.set(backup["taken_at"])
        for disk in disks:
            self._metrics.store_free_bytes.labels(disk["name"]).set(disk["free"])
            self._metrics.store_size_bytes.labels(disk["name"]).set(disk["size"])
        self._metrics.store_up.set(1)
