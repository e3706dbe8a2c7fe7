"""Three who look on: at the rows, at the query service, and at the offsets at the broker.

Next: tests.faults.checks
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from decimal import Decimal

import httpx
from clickhouse_connect.driver.exceptions import ClickHouseError
from urllib3.exceptions import HTTPError

from deploy.log_offsets import LogOffsets
from schemas.rejects import Unavailable
from sinks.clickhouse import connect
from tests.faults.readings import query_rows

READ_SECONDS = 0.2
ASK_SECONDS = 0.5
ANSWER_WITHIN_SECONDS = 1.0
GIVE_UP_SECONDS = 10.0


class Looks(threading.Thread):
    """Looks at every row five times a second: none may ever become less (M)."""

    def __init__(self, dsn: str, tenant: str, *, every_seconds: float = READ_SECONDS) -> None:
        super().__init__(daemon=True, name="looks")
        self._every_seconds = every_seconds
        self._dsn, self._tenant = dsn, tenant
        self._stopped = threading.Event()
        self._turn = threading.Lock()
        self._seen: dict[tuple, Decimal] = {}
        self.looks = 0
        self.falls = 0

    def run(self) -> None:
        """Look until stopped; a store that is away is no look."""
        while not self._stopped.wait(self._every_seconds):
            with self._turn, suppress(Unavailable, ClickHouseError, HTTPError, OSError):
                self._look()

    @contextmanager
    def blind(self) -> Iterator[None]:
        """Within it nobody looks, and what was seen before holds no more: the store is set back."""
        with self._turn:
            yield
            self._seen = {}

    def stop(self) -> None:
        """Look no more."""
        self._stopped.set()
        self.join()

    def _look(self) -> None:
        with closing(connect(self._dsn, timeout_seconds=5)) as client:
            rows = query_rows(client, self._tenant)
        self.falls += sum(rows.get(key, 0) < tokens for key, tokens in self._seen.items())
        self._seen = rows
        self.looks += 1


class Questions(threading.Thread):
    """Asks for a report twice a second: it answers or fails in time, and never wrongly (Q).

    `most()` gives the most tokens (in ten-thousandths) that may be counted now.
    """

    def __init__(self, url: str, key: str, most: Callable[[], int]) -> None:
        super().__init__(daemon=True, name="questions")
        self._url, self._key, self._most = url, key, most
        self._stopped = threading.Event()
        self._turn = threading.Lock()
        self._least = 0
        self.seconds: list[float] = []
        self.answered = 0
        self.failed = 0
        self.wrong = 0

    def run(self) -> None:
        """Ask until stopped."""
        headers = {"Authorization": f"Bearer {self._key}"}
        with httpx.Client(timeout=GIVE_UP_SECONDS, trust_env=False, headers=headers) as client:
            while not self._stopped.wait(ASK_SECONDS):
                with self._turn:
                    self._ask(client)

    @contextmanager
    def blind(self) -> Iterator[None]:
        """Within it nobody asks, and earlier answers bind no more: the store is set back."""
        with self._turn:
            yield
            self._least = 0

    def stop(self) -> None:
        """Ask no more."""
        self._stopped.set()
        self.join()

    @property
    def late(self) -> int:
        """Answers and failures that took longer than they may."""
        return sum(seconds > ANSWER_WITHIN_SECONDS for seconds in self.seconds)

    def _ask(self, client: httpx.Client) -> None:
        began = time.monotonic()
        total = None
        try:
            answer = client.get(f"{self._url}/v1/report", params={"by": "team", "preset": "30d"})
            if answer.status_code == 200:
                total = int(Decimal(answer.json()["totals"]["tokens_used"]) * 10_000)
        except httpx.TransportError:
            pass
        self.seconds.append(time.monotonic() - began)
        if total is None:
            self.failed += 1
            return
        self.answered += 1
        self.wrong += not self._least <= total <= self._most()
        self._least = max(total, self._least)


class Commits(threading.Thread):
    """Looks whether the committed offsets move at the broker itself (H)."""

    def __init__(self, read: Callable[[], LogOffsets]) -> None:
        super().__init__(daemon=True, name="commits")
        self._read = read
        self._stopped = threading.Event()
        self._before = 0
        self._moved_at = time.monotonic()
        self.longest_seconds = 0.0

    def run(self) -> None:
        """Look until stopped."""
        while not self._stopped.wait(ASK_SECONDS):
            with suppress(Unavailable):
                self._look()

    def forget(self) -> None:
        """What came before was no fault of the system."""
        self._moved_at = time.monotonic()
        self.longest_seconds = 0.0

    def stop(self) -> None:
        """Look no more."""
        self._stopped.set()
        self.join()

    def _look(self) -> None:
        offsets = self._read()
        committed, now = sum(offsets.committed.values()), time.monotonic()
        if committed != self._before or not sum(offsets.lag.values()):
            self._before, self._moved_at = committed, now
        self.longest_seconds = max(self.longest_seconds, now - self._moved_at)
