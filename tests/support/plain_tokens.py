"""Token packs burned token by token, in plain Python, and the snapshot that shows them.

Next: tests.support.plain_report
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

from tests.support.plain_report import (
    chosen_rows,
    seats_of,
    valid_subscriptions,
    within_bounds,
    written,
)
from tests.support.plain_rows import decimals
from tests.support.plain_tenant import Asked, Pack, Tenant


class Burned:
    """Every pack, and what was left of it at the end of each day up to `last`.

    The whole tenant burns, whoever asks.
    """

    def __init__(self, tenant: Tenant, last: date) -> None:
        self.packs = [pack for pack in tenant.directory.packs if not pack.deleted]
        self.use: dict[tuple[date, str], Decimal] = defaultdict(Decimal)
        for event in tenant.events:
            if event.day <= last:
                self.use[event.day, event.team_id] += event.tokens
        self.left = {pack.pack_id: pack.tokens for pack in self.packs}
        self.overdrawn: dict[str, Decimal] = defaultdict(Decimal)
        # pack: [(day, left at its end)], ascending.
        self.history: dict[str, list[tuple[date, Decimal]]] = defaultdict(list)
        for (day, team_id), tokens in sorted(self.use.items()):
            self._burn(day, team_id, tokens)

    def _burn(self, day: date, team_id: str, tokens: Decimal) -> None:
        active = (pack for pack in self.packs if pack.starts_on <= day <= pack.ends_on)
        usable = [pack for pack in active if pack.team_id in {team_id, None}]
        for pack in sorted(usable, key=_burn_order):
            taken = min(tokens, self.left[pack.pack_id])
            self.left[pack.pack_id] -= taken
            self.history[pack.pack_id].append((day, self.left[pack.pack_id]))
            tokens -= taken
        self.overdrawn[team_id] += tokens

    def left_on(self, pack: Pack, day: date) -> Decimal:
        """What is left of a pack at the end of a day."""
        upto = [left for on, left in self.history[pack.pack_id] if on <= day]
        return upto[-1] if upto else pack.tokens


def _burn_order(pack: Pack) -> tuple[Any, ...]:
    return (pack.team_id is None, pack.ends_on, pack.tokens, pack.purchased_on, pack.pack_id)


def _in_view(burned: Burned, asked: Asked) -> list[Pack]:
    return [pack for pack in burned.packs if pack.team_id is None or asked.views(pack.team_id)]


def _active(packs: Iterable[Pack], day: date) -> list[Pack]:
    return [pack for pack in packs if pack.starts_on <= day <= pack.ends_on]


def plain_tokens(tenant: Tenant, asked: Asked) -> dict[str, Any]:
    """`packs` by id, `balance` and `burn_down`."""
    day = asked.as_of_day
    burned = Burned(tenant, day)
    packs = _in_view(burned, asked)
    days = (asked.start + timedelta(days=n) for n in range((asked.end - asked.start).days + 1))
    return {
        "packs": {pack.pack_id: _described(burned, pack, day) for pack in packs},
        "balance": balance(tenant, asked),
        "burn_down": [
            {
                "day": str(day),
                "remaining": _sum(burned.left_on(pack, day) for pack in _active(packs, day)),
            }
            for day in days
        ],
    }


def _described(burned: Burned, pack: Pack, day: date) -> dict[str, Any]:
    ahead = "not_started" if pack.starts_on > day else "active"
    return {
        "pack_id": pack.pack_id,
        "team_id": pack.team_id,
        "tokens": written(pack.tokens),
        "used": written(pack.tokens - burned.left[pack.pack_id]),
        "remaining": written(burned.left[pack.pack_id]),
        "purchased_on": str(pack.purchased_on),
        "starts_on": str(pack.starts_on),
        "ends_on": str(pack.ends_on),
        "state": "ended" if pack.ends_on < day else ahead,
    }


def balance(tenant: Tenant, asked: Asked) -> dict[str, Any]:
    """The balance at as_of of the packs in view."""
    day = asked.as_of_day
    burned = Burned(tenant, day)
    packs = _in_view(burned, asked)
    active = _active(packs, day)
    total = sum((pack.tokens for pack in active), Decimal(0))
    remaining = sum((burned.left[pack.pack_id] for pack in active), Decimal(0))
    month = day - timedelta(days=29)
    used_lately = sum(
        (used for (on, team), used in burned.use.items() if on >= month and asked.views(team)),
        Decimal(0),
    )
    return {
        "total": written(total),
        "used": written(total - remaining),
        "remaining": written(remaining),
        "not_started": _sum(pack.tokens for pack in packs if pack.starts_on > day),
        "overdrawn": _sum(beyond for team, beyond in burned.overdrawn.items() if asked.views(team)),
        "low": bool(active) and remaining * 5 <= total,
        "days_until_empty": math.floor(Fraction(remaining) / (Fraction(used_lately) / 30))
        if used_lately
        else None,
        "expiring": {
            pack.pack_id: {"tokens": written(left), "ends_on": str(pack.ends_on)}
            for pack in packs
            if (left := burned.left[pack.pack_id]) and 0 <= (pack.ends_on - day).days <= 90
        },
    }


def _sum(values: Iterable[Decimal]) -> str:
    return written(sum(values, Decimal(0)))


def plain_snapshot(tenant: Tenant, asked: Asked) -> dict[str, Any]:
    """The snapshot's numbers."""
    rows = within_bounds(chosen_rows(tenant, asked), asked)
    tokens = sum((row["tokens_used"] for row in rows), Decimal(0))
    return {
        "subscriptions": len(valid_subscriptions(tenant, asked)),
        "seats": seats_of(tenant, asked, rows),
        "flex": {
            "tokens_used": written(tokens),
            "monthly_average": str(decimals(Fraction(tokens) / asked.months, 2)),
            "users": len({row["user_id"] for row in rows if row["tokens_used"]}),
            "balance": balance(tenant, asked),
        },
        "users": len({row["user_id"] for row in rows}),
    }
