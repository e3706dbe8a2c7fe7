"""Synthetic load as CloudEvents, one line of JSON each, in the order a gateway would get them.

The same `Load` always makes the same lines, and its shares are met exactly.

Next: deploy.send
"""

import random
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zlib import crc32

from deploy.population import FEATURES, PRODUCTS_PER_USER, seat
from schemas.events import CONSUMED, LAUNCHED, MAX_BACK, Access

_DAY_MS = 86_400_000
# Monday to Sunday.
WEEKDAY_WEIGHTS = (1.0, 1.05, 1.05, 1.0, 0.85, 0.15, 0.1)
# Office hours: most use lies in the middle of 06:00 to 20:00 UTC.
_OPEN_MS, _OFFICE_MS = 6 * 3_600_000, 14 * 3_600_000
# Of u in [0, 1) to the power of this: the first tenth of the users make almost half of the events.
_HEAVINESS = 3
LATE_MIN_DAYS, LATE_MAX_DAYS = 1, 30
_QUICK_RETRY_SHARE = 0.9

# What a gateway takes from a key without the scope `import`, with a day to spare.
ACCEPTED_DAYS = MAX_BACK.days - 1

# (arrival in ms after the first day's midnight, line)
_Arrival = tuple[int, str]


@dataclass(frozen=True)
class Load:
    """What to generate: `events` lines on the `days` UTC dates that end with `until`'s.

    `duplicates` is the share of lines that repeat an earlier one, `late` the share of lines
    that arrive behind later events, up to 30 days (never after `until`).
    """

    events: int
    users: int
    days: int
    until: datetime
    duplicates: float = 0.0
    late: float = 0.0
    seed: int = 0

    def __post_init__(self) -> None:
        if self.events < 0 or self.users < 1 or self.days < 1:
            raise ValueError("events must be at least 0, users and days at least 1")
        if not (0 <= self.duplicates < 1 and 0 <= self.late <= 1 - self.duplicates):
            raise ValueError("the shares of duplicates and late lines must leave room for others")

    @property
    def repeated_lines(self) -> int:
        """How many lines repeat an earlier one; the first has none that it could repeat."""
        return min(round(self.events * self.duplicates), max(0, self.events - 1))

    @property
    def distinct_events(self) -> int:
        """How many events a store counts."""
        return self.events - self.repeated_lines

    @property
    def late_events(self) -> int:
        """How many of the distinct events arrive behind later ones."""
        return min(round(self.events * self.late), self.distinct_events)

    @property
    def first_day(self) -> date:
        """The earliest UTC date."""
        return self.until.astimezone(UTC).date() - timedelta(days=self.days - 1)


def lines(load: Load) -> Iterator[str]:
    """The lines, without line ends, by arrival. Memory grows with one day, not with the load."""
    rng = random.Random(f"{load}")  # noqa: S311 - repeatable by seed; nothing here is a secret
    distinct = load.distinct_events
    late = set(rng.sample(range(distinct), load.late_events))
    copies = Counter(rng.choices(range(distinct), k=load.repeated_lines) if distinct else ())
    waiting: dict[int, list[_Arrival]] = defaultdict(list)
    first = 0
    for day, count in enumerate(_events_per_day(load)):
        events = _EventsOfDay(load, rng, day)
        for number in range(first, first + count):
            for arrival in events.arrivals(number, late=number in late, copies=copies[number]):
                waiting[arrival[0] // _DAY_MS].append(arrival)
        # Stable, so a copy never overtakes its original when both arrive in one millisecond.
        for _, line in sorted(waiting.pop(day, ()), key=_by_arrival):
            yield line
        first += count


def _by_arrival(arrival: _Arrival) -> int:
    return arrival[0]


def _events_per_day(load: Load) -> list[int]:
    days = [load.first_day + timedelta(days=number) for number in range(load.days)]
    weights = [WEEKDAY_WEIGHTS[day.weekday()] for day in days]
    cuts = [
        round(load.distinct_events * sum(weights[:number]) / sum(weights))
        for number in range(load.days + 1)
    ]
    return [after - before for before, after in pairwise(cuts)]


def _until_ms(load: Load) -> int:
    start = datetime(load.first_day.year, load.first_day.month, load.first_day.day, tzinfo=UTC)
    return (load.until - start) // timedelta(milliseconds=1)


class _EventsOfDay:
    """Makes the events that happen on one day; keeps what they share."""

    def __init__(self, load: Load, rng: random.Random, day: int) -> None:
        self._seed, self._users = load.seed, load.users
        self._rng, self._draw = rng, rng.random
        self._start_ms = day * _DAY_MS
        self._until_ms = _until_ms(load)
        self._end_ms = min(self._until_ms - self._start_ms, _DAY_MS - 1)
        self._date = f"{load.first_day + timedelta(days=day)}"
        # Another load never repeats these ids by chance.
        self._run = f"{crc32(f'{load}'.encode()):08x}"

    def arrivals(self, number: int, *, late: bool, copies: int) -> Iterator[_Arrival]:
        """Every arrival of event `number`, the original before its copies."""
        arrival_ms, line = self._event(number)
        if late:
            arrival_ms += int(self._rng.uniform(LATE_MIN_DAYS, LATE_MAX_DAYS) * _DAY_MS)
        yield min(arrival_ms, self._until_ms), line
        for _ in range(copies):
            arrival_ms += _retry_ms(self._rng)
            yield min(arrival_ms, self._until_ms), line

    def _event(self, number: int) -> _Arrival:
        """When it happened, and its line."""
        draw = self._draw
        user = 1 + int(self._users * draw() ** _HEAVINESS)
        place = seat(self._seed, user, int(draw() * PRODUCTS_PER_USER))
        at_ms = self._moment()
        second = at_ms // 1000
        clock = f"{second // 3600:02d}:{second // 60 % 60:02d}:{second % 60:02d}.{at_ms % 1000:03d}"
        kind, extra = self._use(place.access)
        session = f"{self._run}-{user}-{self._date}-{'am' if second < 43_200 else 'pm'}"
        line = (
            f'{{"specversion":"1.0","id":"{self._run}-{number}","source":"{place.source}",'
            f'"type":"{kind}","subject":"{place.subject}","time":"{self._date}T{clock}Z",'
            f'"data":{{{place.data},"session_id":"{session}"{extra}}}}}'
        )
        return self._start_ms + at_ms, line

    def _moment(self) -> int:
        """Milliseconds after midnight, not after `until`."""
        at_ms = _OPEN_MS + int(_OFFICE_MS * (self._draw() + self._draw()) / 2)
        return at_ms if at_ms <= self._end_ms else int(self._draw() * self._end_ms)

    def _use(self, access: Access) -> tuple[str, str]:
        if access is Access.SUBSCRIPTION:
            return LAUNCHED, ""
        if self._draw() < 0.4:  # launches come before the tokens they consume
            return LAUNCHED, ',"access":"flex"'
        tokens = 1 + int(self._draw() ** 4 * 400_000)
        feature = FEATURES[tokens % len(FEATURES)]
        amount = f"{tokens // 10_000}.{tokens % 10_000:04d}"
        return CONSUMED, f',"tokens":"{amount}","feature_id":"{feature}"'


def _retry_ms(rng: random.Random) -> int:
    """Most copies are retries within a minute; some come from a machine that was offline."""
    longest = 60_000 if rng.random() < _QUICK_RETRY_SHARE else 2 * _DAY_MS
    return int(rng.random() * longest)
