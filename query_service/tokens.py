"""Tokens bought and used: packs, balance, the burn-down so far and a forecast.

Next: query_service.routes.tokens
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from query_service import answers
from query_service.packs import (
    AVERAGE_DAYS,
    Burn,
    Pack,
    Usage,
    burn,
    last_days,
    projected,
    remaining_by_day,
    used_by_pack,
)
from query_service.ranges import MAX_DAYS, Range
from query_service.view import View

# A pack with tokens left that ends within so many days is `expiring`.
EXPIRING_DAYS = 90
# `low`: no more than a fifth is left.
_LOW = Decimal("0.2")


@dataclass(frozen=True)
class Holdings:
    """The tenant's packs and its use of tokens up to `day`; `packs` and `teams` are those in view.

    Packs are burned by the whole tenant, whatever is in view: a shared pack has one balance.
    """

    all_packs: tuple[Pack, ...]
    usage: Usage
    burns: tuple[Burn, ...]
    used: Mapping[str | None, Decimal]
    packs: tuple[Pack, ...]
    teams: frozenset[str]
    day: date

    def left(self, pack: Pack) -> Decimal:
        """Tokens that nobody took from `pack`, though it may have ended."""
        return pack.tokens - self.used.get(pack.pack_id, Decimal(0))


def holdings(view: View, asked: Sequence[str], day: date) -> Holdings:
    """What there is at the end of `day`, seen by the teams `asked` or all that the key may read.

    A team's pack is in view with the team; a shared one always is.
    """
    packs = tuple(Pack(**row) for row in view.store.ask(view.key, "token_packs", {}))
    rows = view.store.ask(view.key, "token_use", {"as_of_day": day})
    usage = {(row["day"], row["team_id"]): row["tokens"] for row in rows}
    burns = tuple(burn(packs, usage))
    teams = {team for _, team in usage} | {pack.team_id for pack in packs if pack.team_id}
    seen = {team for team in teams if view.key.sees_team(team) and (not asked or team in asked)}
    shown = (pack for pack in packs if pack.team_id is None or pack.team_id in seen)
    return Holdings(
        all_packs=packs,
        usage=usage,
        burns=burns,
        used=used_by_pack(burns),
        packs=tuple(sorted(shown, key=lambda pack: (pack.ends_on, pack.pack_id))),
        teams=frozenset(seen),
        day=day,
    )


def tokens(view: View, asked: Sequence[str], when: Range) -> dict[str, Any]:
    """`packs`, `balance`, `burn_down` over R, and `forecast` from the day after as_of."""
    held = holdings(view, asked, when.as_of_day)
    days = (when.start + timedelta(days=number) for number in range(when.days))
    return {
        "packs": [_described(held, pack) for pack in held.packs],
        "balance": balance(held),
        "burn_down": _series(remaining_by_day(held.packs, held.burns, days)),
        "forecast": _series(_forecast(held)),
    }


def balance(held: Holdings) -> dict[str, Any]:
    """What the packs in view that are active hold, and what its teams used beyond all packs."""
    active = [pack for pack in held.packs if pack.is_active(held.day)]
    total = _sum(pack.tokens for pack in active)
    left = _sum(held.left(pack) for pack in active)
    ahead = _sum(pack.tokens for pack in held.packs if pack.starts_on > held.day)
    beyond = _sum(b.tokens for b in held.burns if b.pack_id is None and b.team_id in held.teams)
    return {
        "total": answers.tokens(total),
        "used": answers.tokens(total - left),
        "remaining": answers.tokens(left),
        "not_started": answers.tokens(ahead),
        "overdrawn": answers.tokens(beyond),
        "low": bool(active) and left <= _LOW * total,
        "days_until_empty": _days_until_empty(held, left),
        "expiring": [
            {
                "pack_id": pack.pack_id,
                "tokens": answers.tokens(held.left(pack)),
                "ends_on": pack.ends_on.isoformat(),
            }
            for pack in held.packs
            if 0 <= (pack.ends_on - held.day).days <= EXPIRING_DAYS and held.left(pack) > 0
        ],
    }


def _days_until_empty(held: Holdings, left: Decimal) -> int | None:
    used = last_days(held.usage, held.day)
    lately = _sum(used[team] for team in held.teams if team in used)
    return int(left * AVERAGE_DAYS // lately) if lately else None


def _described(held: Holdings, pack: Pack) -> dict[str, Any]:
    return {
        "pack_id": pack.pack_id,
        "team_id": pack.team_id,
        "tokens": answers.tokens(pack.tokens),
        "used": answers.tokens(held.used.get(pack.pack_id, Decimal(0))),
        "remaining": answers.tokens(held.left(pack)),
        "purchased_on": pack.purchased_on.isoformat(),
        "starts_on": pack.starts_on.isoformat(),
        "ends_on": pack.ends_on.isoformat(),
        "state": pack.state(held.day),
    }


def _forecast(held: Holdings) -> Iterator[tuple[date, Decimal]]:
    """What will be left, if every team goes on as in the last 30 days.

    Until nothing is left or to come, or the last pack ends, or for a year.
    """
    last = max((pack.ends_on for pack in held.packs), default=held.day)
    last = min(last, held.day + timedelta(days=MAX_DAYS))
    usage = {**held.usage, **projected(held.usage, held.day, last)}
    starts = max((pack.starts_on for pack in held.packs), default=held.day)
    days = (held.day + timedelta(days=n + 1) for n in range((last - held.day).days))
    for day, left in remaining_by_day(held.packs, burn(held.all_packs, usage), days):
        yield day, left
        if not left and starts <= day:
            return


def _series(days: Iterable[tuple[date, Decimal]]) -> list[dict[str, Any]]:
    return [{"day": day.isoformat(), "remaining": answers.tokens(left)} for day, left in days]


def _sum(amounts: Iterable[Decimal]) -> Decimal:
    return sum(amounts, Decimal(0))
