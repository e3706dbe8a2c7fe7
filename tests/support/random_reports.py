"""Random questions about a random tenant, each with what the plain report must be asked.

Next: tests.support.plain_report
"""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

from query_service.ranges import preset_range
from tests.support.plain_report import written
from tests.support.plain_tenant import Asked, Tenant, hashed, is_shown
from tests.support.query_server import NOW
from tests.support.random_tenant import GROUPS, PRODUCTS, TEAMS, USERS, VERSIONS, RandomTenant

_SEATS = ["seats_total", "seats_assigned", "seats_free", "seats_over", "seats_active"]
SORTS = {
    "user_product": [
        *("user", "team", "product", "product_id", "version", "access", "activity", "frequency"),
        *("recommendation", "seat", "assignment", "group", "assigned_at", "unassigned_at", "via"),
    ],
    "user": ["user", "users", "products"],
    "product": ["product", "users", "products", "product_id", "seats_inactive", *_SEATS],
    "team": ["team", "users", "products", "team_id", *_SEATS],
}
_NAMES = ["user_id", "first_name", "last_name", "email"]
FIGURES = [
    *("days_used", "monthly_average", "launches", "tokens_used", "tokens_monthly_average"),
    *("last_accessed", "days_inactive"),
]
PARAMETERS = {
    "team_id": "team",
    "product_id": "product",
    "user_id": "user",
    "hashed_user_id": "user",
    **{name: name for name in ("group", "version", "access", "activity", "seat", "assignment")},
    "frequency": "frequency",
    "recommendation": "recommendation",
}
Pairs = list[tuple[str, Any]]


class RandomQuestions:
    """Draws questions about a tenant, asked with a key that is limited to `readable` teams."""

    def __init__(
        self,
        rng: random.Random,
        drawn: RandomTenant,
        tenant: Tenant,
        readable: frozenset[str],
        *,
        strict: bool = False,
    ) -> None:
        self._rng, self._drawn, self._tenant, self._readable = rng, drawn, tenant, readable
        self._strict = strict

    def draw(self) -> tuple[Pairs, Asked]:
        """The pairs of a query string, and what they ask for."""
        pairs: Pairs = []
        asked = self._range(pairs)
        teams = self._teams()
        shown = is_shown(self._tenant, teams or (), self._readable, strict=self._strict)
        chosen = self._filters(shown=shown)
        chosen |= {"team_id": teams} if teams is not None else {}
        pairs += [
            (PARAMETERS[name], value) for name, values in chosen.items() for value in sorted(values)
        ]
        asked = replace(asked, chosen=chosen, shown=shown, teams=self._readable)
        if shown and self._rng.random() < 0.15:
            asked = replace(asked, q=self._rng.choice(_SOUGHT))
            pairs.append(("q", asked.q))
        return pairs, replace(asked, **self._bounds(pairs))

    def sort(self, by: str, *, shown: bool) -> list[str]:
        """One to three columns of the grain, some descending."""
        names = [*FIGURES, *SORTS[by], *SORTS[by]]
        if by in {"user_product", "user"}:
            names += ["hashed_user_id", *(_NAMES * 2 if shown else [])]
        chosen = self._rng.sample(names, self._rng.randrange(1, 4))
        return [self._rng.choice(["", "-"]) + name for name in dict.fromkeys(chosen)]

    def _range(self, pairs: Pairs) -> Asked:
        rng, as_of = self._rng, NOW
        if rng.random() < 0.6:
            as_of = min(self._as_of(), NOW)
            pairs.append(("as_of", written(as_of)))
        if rng.random() < 0.4:
            preset = rng.choice(["30d", "3m", "6m", "9m", "12m"])
            when = preset_range(preset, as_of)
            pairs.append(("preset", preset))
            months = Fraction(1 if preset == "30d" else int(preset[:-1]))
            return Asked(when.start, when.end, as_of, months)
        days = [day for day in self._drawn.days if day <= as_of.date()] or [as_of.date()]
        start, end = sorted([rng.choice(days), rng.choice([as_of.date(), *days])])
        start += timedelta(days=rng.choice([0, 0, 1]) * (start < end))
        pairs += [("from", str(start)), ("to", str(end))]
        length = Fraction((end - start).days + 1)
        return Asked(start, end, as_of, max(Fraction(1), length / Fraction("30.4375")))

    def _as_of(self) -> Any:
        """Often at a change of a seat, or just as a seat has been held for 30 days."""
        rng = self._rng
        if not self._tenant.changes or rng.random() < 0.3:
            return self._drawn.moment()
        moment = rng.choice(self._tenant.changes).at + timedelta(days=rng.choice([0, 30]))
        return moment + timedelta(milliseconds=rng.choice([-1, 0, 1]))

    def _teams(self) -> set[str] | None:
        if self._rng.random() < 0.6:
            return None
        known = [*TEAMS, *TEAMS[:2], "", "*"] if self._rng.random() < 0.1 else TEAMS
        return set(self._rng.sample(known, self._rng.randrange(1, 4)))

    def _filters(self, *, shown: bool) -> dict[str, set[str]]:
        """Some filters: values that there are, and some that match nothing."""
        rng = self._rng
        ids, hashes = USERS, [hashed(self._tenant.secret, user) for user in USERS]
        right, wrong = (ids, hashes) if shown else (hashes, ids)
        values = {
            "product_id": [*PRODUCTS, "no such"],
            "user_id" if shown else "hashed_user_id": [*right, wrong[0], ""],
            "version": [*VERSIONS, "%"],
            "group": [*GROUPS, ""],
            "access": ["subscription", "flex"],
            "frequency": ["frequent", "occasional", "unused"],
            "activity": ["active", "inactive"],
            "seat": ["assigned", "unassigned"],
            "assignment": ["direct", "group", "default"],
            "recommendation": ["switch_to_subscription", "switch_to_flex", "unassign"],
        }
        return {
            name: set(rng.sample(known, rng.randrange(1, len(known))))
            for name, known in values.items()
            if rng.random() < (0.15 if name == "product_id" else 0.05)
        }

    def _bounds(self, pairs: Pairs) -> dict[str, Any]:
        """Bounds on the rows shown, or none."""
        rng = self._rng
        drawn = {
            "least_days": ("days_used_min", rng.randrange(1, 4)),
            "most_days": ("days_used_max", rng.randrange(0, 12)),
            "least_tokens": ("tokens_min", Decimal(rng.randrange(1, 90_000)) / 10_000),
            "most_tokens": ("tokens_max", Decimal(rng.randrange(0, 300_000)) / 10_000),
        }
        bounds = {name: pair for name, pair in drawn.items() if rng.random() < 0.08}
        pairs += bounds.values()
        return {name: value for name, (_, value) in bounds.items()}


_SOUGHT = ["ana", "ANA same", "STRASSE", "ß", "i̇", "@sample", "🦊", "يوس", "%", "_", "", "u1@"]
