"""Random events and random questions about them, each with what the plain report must be asked.

Next: tests.support.plain_report
"""

import random
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction

from query_service.ranges import preset_range
from tests.support.plain_report import Asked, Event, hashed, written
from tests.support.query_server import NOW

TEAMS = ["team-1", "Straße", "STRASSE", "équipe", 'it\'s \\ "odd"', "{t:String}", "%"]
PRODUCTS = ["product-1", "Ärmel", "zeta", "Zeta", "продукт"]
VERSIONS = ["", "2025", "2026", "2026.1"]
SORTS = {
    "user_product": "user team product version access activity frequency recommendation seat",
    "user": "user users products",
    "product": "product users products product_id",
    "team": "team users products team_id seats_total",
}
FIGURES = [
    "days_used",
    "monthly_average",
    "launches",
    "tokens_used",
    "tokens_monthly_average",
    "last_accessed",
    "days_inactive",
]


def random_event(rng: random.Random) -> Event:
    """A use on one of the last 200 days, a few of them minutes ahead of NOW."""
    moment = NOW + timedelta(minutes=4) - timedelta(minutes=int(200 * 1440 * rng.random() ** 2))
    flex = rng.random() < 0.4
    tokens = Decimal(rng.randrange(1, 99_999)) / 10_000 if flex and rng.random() < 0.8 else 0
    return Event(
        user_id=rng.choice(["u1", "u2", "ü3", "user/4", "u5 ", "U6", "u7", "u8", "u9"]),
        time=moment.replace(microsecond=rng.randrange(1000) * 1000),
        team_id=rng.choice(TEAMS),
        product_id=rng.choice(PRODUCTS),
        access="flex" if flex else "subscription",
        version=rng.choice(VERSIONS),
        tokens=Decimal(tokens),
    )


def random_query(rng, secret):
    """The pairs of a query string, and what they ask for."""
    pairs, as_of = [], NOW
    if rng.random() < 0.5:
        as_of = NOW - timedelta(minutes=rng.randrange(100 * 1440))
        pairs.append(("as_of", written(as_of)))
    if rng.random() < 0.5:
        preset = rng.choice(["30d", "3m", "6m", "9m", "12m"])
        when = preset_range(preset, as_of)
        pairs.append(("preset", preset))
        start, end = when.start, when.end
        months = Fraction(1 if preset == "30d" else int(preset[:-1]))
    else:
        end = as_of.date() - timedelta(days=rng.randrange(0, 60))
        start = end - timedelta(days=rng.randrange(0, 120))
        pairs += [("from", str(start)), ("to", str(end))]
        months = max(Fraction(1), Fraction((end - start).days + 1) / Fraction("30.4375"))
    chosen = random_filters(rng, secret)
    pairs += [(_PARAMETERS[name], value) for name, values in chosen.items() for value in values]
    bounds = random_bounds(rng, pairs)
    return pairs, Asked(start, end, as_of, months, chosen, **bounds)


_PARAMETERS = {
    "team_id": "team",
    "product_id": "product",
    "hashed_user_id": "user",
    "version": "version",
    "access": "access",
    "frequency": "frequency",
    "activity": "activity",
    "recommendation": "recommendation",
}


def random_filters(rng, secret):
    """Some filters: values that there are, and some that match nothing."""
    users = [hashed(secret, user) for user in ("u1", "ü3", "user/4", "U6", "u9")]
    values = {
        "team_id": [*TEAMS, "", "*"],
        "product_id": [*PRODUCTS, "no such"],
        "hashed_user_id": [*users, "u1"],
        "version": [*VERSIONS, "%"],
        "access": ["subscription", "flex"],
        "frequency": ["frequent", "occasional", "unused"],
        "activity": ["active", "inactive"],
        "recommendation": ["switch_to_subscription", "unassign"],
    }
    rare = {"frequency", "activity", "recommendation", "hashed_user_id", "access"}
    return {
        name: set(rng.sample(known, rng.randrange(1, len(known))))
        for name, known in values.items()
        if rng.random() < (0.12 if name in rare else 0.25)
    }


def random_bounds(rng, pairs):
    """Bounds on the rows shown, or none."""
    bounds = {}
    if rng.random() < 0.2:
        bounds["least_days"] = rng.randrange(1, 6)
        pairs.append(("days_used_min", bounds["least_days"]))
    if rng.random() < 0.2:
        bounds["most_days"] = rng.randrange(2, 30)
        pairs.append(("days_used_max", bounds["most_days"]))
    if rng.random() < 0.2:
        bounds["least_tokens"] = Decimal(rng.randrange(1, 200_000)) / 10_000
        pairs.append(("tokens_min", bounds["least_tokens"]))
    if rng.random() < 0.2:
        bounds["most_tokens"] = Decimal(rng.randrange(0, 900_000)) / 10_000
        pairs.append(("tokens_max", bounds["most_tokens"]))
    return bounds


def random_sort(rng, by):
    """One to three columns of the grain, some descending."""
    names = rng.sample([*FIGURES, *SORTS[by].split()], rng.randrange(1, 4))
    return [rng.choice(["", "-"]) + name for name in names]
