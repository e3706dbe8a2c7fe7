"""Load for the oracle: threads that post to a gateway, retry with the same ids, and send twice.

What is sent follows from the seed; when it is sent, and what fails on the way, does not.
"""

import json
import random
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import httpx

from tests.faults.oracle import EVENTS_PER_ROW, Event, Ledger, tokens_of

SOURCE = "sample-machine/fault-load"
REQUEST_SECONDS = 15.0
LONGEST_PAUSE_SECONDS = 1.0
ROWS_PER_USER = 3
USERS = 2_000
# Four days apart, all of them young enough for every gateway.
DAYS_PER_USER = 7
ACTIVE_ROWS = 60
MAX_BATCH = 60
# Shares of batches sent again as a whole, and of events repeated within a batch.
AGAIN_SHARE, REPEATED_SHARE = 0.08, 0.05


@dataclass(frozen=True)
class Place:
    """A row: the columns of `usage_daily` that its key has beside the tenant."""

    user_id: str
    product_id: str
    product_version: str
    team_id: str
    access: str
    day: str


def place_of(row: int, today: datetime) -> Place:
    """Three rows to a user: two share their user-day, the third lies on another day.

    When all users have theirs, it goes on with other days, and then with other products: a tenant's
    users are not endless, and a user-day that gets ever more events takes ever more memory.
    """
    number, turn = divmod(row, ROWS_PER_USER)
    series, user = divmod(number, USERS)
    products, days = divmod(series, DAYS_PER_USER)
    days_back = 4 * days + user % 3 + (turn == ROWS_PER_USER - 1)
    return Place(
        user_id=f"sample-user-{user:06d}",
        product_id=f"sample-product-{2 * products + turn % 2}",
        product_version="2026.1",
        team_id=f"sample-team-{user % 4}",
        access="flex",
        day=f"{today - timedelta(days=days_back):%Y-%m-%d}",
    )


def id_of(event: Event) -> str:
    """The event's id; its source is the same for all."""
    return f"row-{event[0]}-event-{event[1]}"


def event_of(name: str) -> Event:
    """The event of an id."""
    _, row, _, bit = name.split("-")
    return int(row), int(bit)


def encode(event: Event, today: datetime) -> bytes:
    """The event as a CloudEvent; its identity is its row and its number."""
    row, bit = event
    place = place_of(row, today)
    return json.dumps(
        {
            "specversion": "1.0",
            "id": id_of(event),
            "source": SOURCE,
            "type": "tokens.consumed",
            "subject": place.user_id,
            "time": f"{place.day}T00:00:{bit:02d}Z",
            "data": {
                "team_id": place.team_id,
                "product_id": place.product_id,
                "product_version": place.product_version,
                "tokens": tokens_of(event),
            },
        }
    ).encode()


class Plan:
    """What to send next, by seed; shared by the threads."""

    def __init__(self, seed: int) -> None:
        self._rng = random.Random(seed)
        self._lock = threading.Lock()
        self._next_row = 0
        self._active: list[list[int]] = []
        self._past: list[list[Event]] = []
        # Tokens of all events that were ever planned, in ten-thousandths.
        self.units = 0

    def batch(self) -> list[Event]:
        """New events of some rows, now and then an event twice, now and then all of it again."""
        with self._lock:
            rng = self._rng
            if self._past and rng.random() < AGAIN_SHARE:
                return rng.choice(self._past)
            events = [self._event() for _ in range(rng.randint(1, MAX_BATCH))]
            events += [event for event in events if rng.random() < REPEATED_SHARE]
            self._past = [*self._past[-500:], events]
            return events

    def closing(self) -> list[Event]:
        """One new event for each row that has room: what a worker holds of them must be right."""
        with self._lock:
            return [self._add_to(turn) for turn in range(len(self._active))]

    def _event(self) -> Event:
        while len(self._active) < ACTIVE_ROWS:
            self._active.append([self._next_row, 0])
            self._next_row += 1
        return self._add_to(self._rng.randrange(ACTIVE_ROWS))

    def _add_to(self, turn: int) -> Event:
        row, bit = self._active[turn]
        self.units += 1 << bit
        self._active[turn][1] += 1
        if bit + 1 == EVENTS_PER_ROW:
            self._active[turn] = [self._next_row, 0]
            self._next_row += 1
        return row, bit


class LoadThreads:
    """Posts batches of `plan` until `stop`; each batch until it is answered.

    `gateway()` gives the URL and key to use now, as a restart may change them. A batch that is
    still without an answer `drain_seconds` after `stop` stays unknown in the ledger. Each request
    goes out one to `copies` times at once, to whatever gateways are named.
    """

    def __init__(
        self,
        plan: Plan,
        ledger: Ledger,
        gateway: Callable[[], tuple[str, str]],
        *,
        today: datetime,
        threads: int = 4,
        batches_per_second: float = 20.0,
        drain_seconds: float = 60.0,
        copies: int = 1,
    ) -> None:
        self._plan, self._ledger, self._gateway = plan, ledger, gateway
        self._today = today
        self._pause_seconds = threads / batches_per_second
        self._drain_seconds = drain_seconds
        self._copies = copies
        self._sending = ThreadPoolExecutor(threads * copies)
        self._deadline: float | None = None
        self.acked = 0
        self.retried = 0
        self.rejected = 0
        # (moment on the monotonic clock, seconds) of each request that was answered 2xx.
        self.answered: list[tuple[float, float]] = []
        self._counts = threading.Lock()
        self._threads = [threading.Thread(target=self._work, daemon=True) for _ in range(threads)]

    def start(self) -> None:
        """Begin."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Begin no more batches, and wait for the answers to those begun."""
        self._deadline = time.monotonic() + self._drain_seconds
        for thread in self._threads:
            thread.join()

    def abandon(self) -> None:
        """Stop without waiting for answers: what is under way stays unknown."""
        self._deadline = time.monotonic()
        for thread in self._threads:
            thread.join()

    def _work(self) -> None:
        with httpx.Client(timeout=REQUEST_SECONDS, trust_env=False) as client:
            while self._deadline is None:
                self._deliver(client, self._plan.batch())
                time.sleep(self._pause_seconds)

    def _deliver(self, client: httpx.Client, events: list[Event]) -> None:
        batch = self._ledger.attempted(events)
        body = b"\n".join(encode(event, self._today) for event in events)
        pause = 0.05
        while (answer := self._post(client, body)) is None:
            with self._counts:
                self.retried += 1
            if self._deadline is not None and time.monotonic() > self._deadline:
                return
            time.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)
        rejected = [events[reject["index"]] for reject in answer["rejected"]]
        self._ledger.answered(batch, rejected=rejected)
        with self._counts:
            self.acked += len(events) - len(rejected)
            self.rejected += len(rejected)

    def deliver(self, events: list[Event]) -> None:
        """Send these events now, until they are answered."""
        with httpx.Client(timeout=REQUEST_SECONDS, trust_env=False) as client:
            self._deliver(client, events)

    def _post(self, client: httpx.Client, body: bytes) -> dict | None:
        """The verdicts of a gateway; None when the batch has to be sent again."""
        if self._copies == 1:
            return self._post_once(client, body)
        copies = random.randint(1, self._copies)
        sent = [self._sending.submit(self._post_once, client, body) for _ in range(copies)]
        return next(filter(None, [each.result() for each in sent]), None)

    def _post_once(self, client: httpx.Client, body: bytes) -> dict | None:
        url, key = self._gateway()
        headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/x-ndjson"}
        began = time.monotonic()
        try:
            answer = client.post(f"{url}/v1/events", content=body, headers=headers)
        except httpx.TransportError:
            return None
        if answer.status_code == 202:
            self.answered.append((began, time.monotonic() - began))
        return answer.json() if answer.status_code in {202, 400} else None


def today_of(now: datetime | None = None) -> datetime:
    """The date that a run's events count back from; noon, so that none is in the future."""
    now = now or datetime.now(UTC)
    return now.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=1)
