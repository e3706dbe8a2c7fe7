"""The sample's directory as plain entries, one list an entity, for the crowd and the stories.

Dates follow the day it is loaded on; the same day gives the same entries.

Next: deploy.sample
"""

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from deploy.generate import Load
from deploy.population import PRODUCTS, PRODUCTS_PER_USER, TEAMS, seat, user_id
from deploy.sample_stories import (
    BIM,
    CAD,
    COLLECTION,
    DESIGN_GROUP,
    MEMBERS,
    RENDER,
    SITE_GROUP,
    STORIES,
    SURVEY,
    Path,
)
from schemas.events import Access

Entry = dict[str, Any]

NAMELESS_TEAM, HIDDEN_TEAM = "sample-team-7", "sample-team-8"
_UPPER_CASE = {"cad", "bim"}
# One user in so many has no entry, one in so many no seat.
_UNKNOWN_EVERY, _SEATLESS_EVERY = 50, 10
_CROWD_PATHS = (
    ("direct", None),
    ("direct", None),
    ("group", DESIGN_GROUP),
    ("direct", None),
    ("default", None),
    ("group", SITE_GROUP),
)


def sample_directory(load: Load) -> dict[str, list[Entry]]:
    """Every entry by entity, in the order they can be loaded in."""
    seats = [*_crowd_seats(load), *_story_seats()]
    return {
        "teams": _teams(),
        "users": _users(load),
        "team_members": _members(load),
        "products": _products(),
        "subscriptions": _subscriptions(load, seats),
        "token_packs": _packs(load),
        "prices": _prices(load),
        "assignments": [
            change for user, team, path in seats for change in _changes(load, user, team, path)
        ],
    }


def _teams() -> list[Entry]:
    return [
        {
            "team_id": team,
            "name": None if team == NAMELESS_TEAM else f"Sample Team {number}",
            "personal_data": team != HIDDEN_TEAM,
        }
        for number, team in enumerate(TEAMS, start=1)
    ]


def _users(load: Load) -> list[Entry]:
    crowd = {n: None for n in range(1, load.users + 1) if n % _UNKNOWN_EVERY}
    told = {story.number: story.last_name for story in STORIES if story.known}
    return [
        {
            "user_id": user_id(number),
            "first_name": "Sample",
            "last_name": last_name or f"User {number:06d}",
            "email": f"sample.user.{number:06d}@example.invalid",
        }
        for number, last_name in (crowd | told).items()
    ]


def _members(load: Load) -> list[Entry]:
    crowd = {
        (seat(load.seed, number, choice).team, user_id(number))
        for number in range(1, load.users + 1)
        for choice in range(PRODUCTS_PER_USER)
    }
    told = {(story.team, story.user_id) for story in STORIES}
    return [{"team_id": team, "user_id": user} for team, user in sorted(crowd | told)]


def _products() -> list[Entry]:
    single = [
        {"product_id": product, "name": _product_name(product), "kind": "product"}
        for product in PRODUCTS
        if product != SURVEY
    ]
    collection = {
        "product_id": COLLECTION,
        "name": "Sample Design Collection",
        "kind": "collection",
        "members": list(MEMBERS),
    }
    return [*single, collection]


def _product_name(product: str) -> str:
    word = product.removeprefix("sample-product-")
    return f"Sample {word.upper() if word in _UPPER_CASE else word.capitalize()}"


def _crowd_seats(load: Load) -> Iterator[tuple[str, str, Path]]:
    """Seats of those who use a subscription; one user in a few has none."""
    for number in range(1, load.users + 1):
        if number % _SEATLESS_EVERY == 0:
            continue
        assignment, group = _CROWD_PATHS[number % len(_CROWD_PATHS)]
        places = [seat(load.seed, number, choice) for choice in range(PRODUCTS_PER_USER)]
        held = {(p.team, p.product) for p in places if p.access is Access.SUBSCRIPTION}
        for team, product in sorted(held):
            path = Path(product, assignment, group, since=100 + number)
            yield user_id(number), team, path


def _story_seats() -> Iterator[tuple[str, str, Path]]:
    for story in STORIES:
        for path in story.paths:
            yield story.user_id, story.team, path


def _changes(load: Load, user: str, team: str, path: Path) -> Iterator[Entry]:
    for days, assigned in ((path.since, True), (path.until, False)):
        if days is not None:
            yield {
                "user_id": user,
                "product_id": path.product,
                "team_id": team,
                "access": path.access,
                "at": f"{load.until - timedelta(days=days):%Y-%m-%dT08:00:00.000Z}",
                "assignment": path.assignment,
                "group": path.group,
                "assigned": assigned,
            }


def _subscriptions(load: Load, seats: list[tuple[str, str, Path]]) -> list[Entry]:
    """Odd teams own a seat too few for what is assigned, even ones two too many."""
    held = {
        (team, path.product, user)
        for user, team, path in seats
        if path.access == "subscription" and path.until is None
    }
    counts = Counter((team, product) for team, product, _ in held)
    return [
        {
            "subscription_id": f"sample-subscription-{team}-{product}",
            "team_id": team,
            "product_id": product,
            "seats": count - 1 if TEAMS.index(team) % 2 == 0 else count + 2,
            "starts_on": _day(load, -200),
            "ends_on": _day(load, 165),
        }
        for (team, product), count in sorted(counts.items())
    ]


def _packs(load: Load) -> list[Entry]:
    """Burnt in the order of their ends: what is about to end holds more than a few days use up."""
    packs = (
        ("sample-pack-team-1", TEAMS[0], "8000", -200, 165),
        ("sample-pack-team-2", TEAMS[1], "500", -120, 245),
        ("sample-pack-shared", None, "80000", -110, 255),
        ("sample-pack-ending", None, "60000", -3, 20),
        ("sample-pack-next-year", None, "20000", 15, 380),
        ("sample-pack-ended", None, "3000", -300, -40),
    )
    return [
        {
            "pack_id": pack_id,
            "team_id": team,
            "tokens": tokens,
            "purchased_on": _day(load, min(first - 5, 0)),
            "starts_on": _day(load, first),
            "ends_on": _day(load, last),
        }
        for pack_id, team, tokens, first, last in packs
    ]


def _prices(load: Load) -> list[Entry]:
    """The first product became dearer two months ago."""
    prices = (
        (CAD, -400, "2400", "8"),
        (CAD, -60, "2985", "10"),
        (BIM, -400, "1800", "9"),
        (RENDER, -400, "720", "12"),
    )
    return [
        {
            "product_id": product,
            "valid_from": _day(load, first),
            "annual_price": annual,
            "tokens_per_day": tokens,
            "token_price": "3",
            "currency": "EUR",
        }
        for product, first, annual, tokens in prices
    ]


def _day(load: Load, days: int) -> str:
    """The date so many days after the load's last one."""
    return f"{load.until + timedelta(days=days):%Y-%m-%d}"
