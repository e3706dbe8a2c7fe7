"""Token packs: which pack the tokens of each day are taken from, and what is left in it; no I/O.

Next: query_service.tokens
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_DOWN, Decimal
from itertools import groupby
from typing import NamedTuple

# Tokens used by (day, team); exact.
Usage = Mapping[tuple[date, str], Decimal]

AVERAGE_DAYS = 30
# As fine as tokens are counted.
_SMALLEST = Decimal("0.0001")


@dataclass(frozen=True)
class Pack:
    """Tokens bought for the days from `starts_on` to `ends_on`; without a team, for all teams."""

    pack_id: str
    team_id: str | None
    tokens: Decimal
    purchased_on: date
    starts_on: date
    ends_on: date

    def is_active(self, day: date) -> bool:
        """Whether tokens of `day` may be taken from it."""
        return self.starts_on <= day <= self.ends_on

    def state(self, day: date) -> str:
        """Its `state` as seen on `day`."""
        if day < self.starts_on:
            return "not_started"
        return "active" if day <= self.ends_on else "ended"


class Burn(NamedTuple):
    """Tokens of a team and day, and the pack they were taken from: None beyond all packs."""

    day: date
    team_id: str
    pack_id: str | None
    tokens: Decimal


def burn(packs: Iterable[Pack], usage: Usage) -> list[Burn]:
    """All of `usage` taken from the packs that are active on its day, day by day.

    A team's own packs come before shared ones; then the earliest end, the smallest quantity, the
    earliest purchase, the lowest id. Within a day the teams come by their ids.
    """
    ordered = sorted(packs, key=lambda p: (p.ends_on, p.tokens, p.purchased_on, p.pack_id))
    left = {pack.pack_id: pack.tokens for pack in ordered}
    burns: list[Burn] = []
    for day, used in groupby(sorted(usage), key=lambda place: place[0]):
        by_team: dict[str | None, list[Pack]] = defaultdict(list)
        for pack in ordered:
            if pack.is_active(day):
                by_team[pack.team_id].append(pack)
        for _, team_id in used:
            candidates = [*by_team.get(team_id, ()), *by_team.get(None, ())]
            wanted = usage[day, team_id]
            burns += (Burn(day, team_id, *taken) for taken in _take(wanted, candidates, left))
    return burns


def _take(
    wanted: Decimal, candidates: Iterable[Pack], left: dict[str, Decimal]
) -> Iterator[tuple[str | None, Decimal]]:
    """From which pack how many; what no pack had comes last."""
    for pack in candidates:
        taken = min(wanted, left[pack.pack_id])
        if taken > 0:
            left[pack.pack_id] -= taken
            wanted -= taken
            yield pack.pack_id, taken
    if wanted > 0:
        yield None, wanted


def used_by_pack(burns: Iterable[Burn]) -> dict[str | None, Decimal]:
    """Tokens taken from each pack; under None those beyond all packs."""
    used: dict[str | None, Decimal] = defaultdict(Decimal)
    for each in burns:
        used[each.pack_id] += each.tokens
    return used


def remaining(packs: Iterable[Pack], burns: Iterable[Burn], day: date) -> Decimal:
    """Tokens left at the end of `day` in the packs that are active on it."""
    return next(each for _, each in remaining_by_day(packs, burns, [day]))


def remaining_by_day(
    packs: Iterable[Pack], burns: Iterable[Burn], days: Iterable[date]
) -> Iterator[tuple[date, Decimal]]:
    """For each of `days`, which ascend, what is left at its end in the packs active on it."""
    left = {pack: pack.tokens for pack in packs}
    by_id = {pack.pack_id: pack for pack in left}
    # Latest first, so that the next one is taken off the end.
    ahead = sorted((each for each in burns if each.pack_id in by_id), reverse=True)
    for day in days:
        while ahead and ahead[-1].day <= day:
            each = ahead.pop()
            left[by_id[each.pack_id or ""]] -= each.tokens
        yield day, sum((left[pack] for pack in left if pack.is_active(day)), Decimal(0))


def last_days(usage: Usage, day: date) -> dict[str, Decimal]:
    """Tokens of each team in the last 30 days up to `day`: what averages are made of."""
    first = day - timedelta(days=AVERAGE_DAYS - 1)
    used: dict[str, Decimal] = defaultdict(Decimal)
    for (used_on, team_id), tokens in usage.items():
        if first <= used_on <= day:
            used[team_id] += tokens
    return used


def projected(usage: Usage, day: date, last: date) -> dict[tuple[date, str], Decimal]:
    """Each day after `day`, up to `last`, every team's average of the last 30 days.

    The fractions that a day cannot hold go to a later one, so that the sum stays right.
    """
    return {
        (day + timedelta(days=number), team_id): tokens
        for team_id, total in last_days(usage, day).items()
        for number in range(1, (last - day).days + 1)
        if (tokens := _share(total, number) - _share(total, number - 1))
    }


def _share(total: Decimal, days: int) -> Decimal:
    return (total * days / AVERAGE_DAYS).quantize(_SMALLEST, ROUND_DOWN)
