"""A random tenant in which what is rare in life happens all the time, made from a seed.

Its moments lie on few days, many of them exactly on a border of a day, so that ranges, seats,
prices, subscriptions and packs begin and end at the same time.
Next: tests.support.plain_tenant
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from tests.support.plain_tenant import (
    Change,
    Directory,
    Event,
    Pack,
    Price,
    Product,
    Subscription,
    Team,
    Tenant,
    User,
)
from tests.support.query_server import NOW

TEAMS = ["team-1", "Straße", "STRASSE", 'it\'s \\ "odd"', "%"]
COLLECTIONS = ["suite", "Bundle", "gone"]
PRODUCTS = ["product-1", "Ärmel", "zeta", "Zeta", "продукт", *COLLECTIONS]
USERS = ["u1", "u2", "ü3", "user/4", "u5 ", "U6", "u7", "u8", "شخص", "ana@sample"]
VERSIONS = ["", "2025", "2026", "2026.1"]
GROUPS = ["design", "Gruppe ß", "ops"]
_NAMES = ["Ana", "ANA", "İpek", "straße", "STRASSE", "🦊", "يوسف", "Żaneta", "o'Neil", None]
_MILLISECOND = timedelta(milliseconds=1)


class RandomTenant:
    """Draws a tenant; `days` are the days on which most of it begins and ends."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        today = NOW.date()
        self.days = [today, *(today - timedelta(days=rng.randrange(200)) for _ in range(9))]

    def draw(self, secret: bytes, *, events: int = 250, changes: int = 120) -> Tenant:
        """The tenant."""
        return Tenant(
            secret=secret,
            events=[self._event() for _ in range(events)],
            changes=_distinct([self._change() for _ in range(changes)]),
            directory=Directory(
                teams=self._teams(),
                users=[self._user(user_id) for user_id in USERS[:-2]],
                products=self._products(),
                subscriptions=self._subscriptions(),
                packs=self._packs(),
                prices=self._prices(),
            ),
        )

    def stale(self, directory: Directory) -> Directory:
        """Older versions of the entries, which are not valid any more."""
        return Directory(
            teams=[replace(t, name="old", personal_data=True) for t in directory.teams],
            users=[replace(u, first_name="old", deleted=not u.deleted) for u in directory.users],
            products=[replace(p, name="old", kind="product") for p in directory.products],
            subscriptions=[replace(s, seats=99) for s in directory.subscriptions],
            packs=[replace(p, tokens=p.tokens + 7) for p in directory.packs],
            prices=[replace(p, annual_price=Decimal(77)) for p in directory.prices],
        )

    def moment(self) -> datetime:
        """A time, not after today, often within a millisecond of midnight."""
        rng = self._rng
        if rng.random() < 0.5:
            midnight = datetime.combine(rng.choice(self.days), time(), UTC)
            return midnight + rng.choice([-1, 0, 0, 1]) * _MILLISECOND
        return NOW - timedelta(milliseconds=int(200 * 86_400_000 * rng.random() ** 2))

    def _day(self) -> date:
        return self._rng.choice(self.days) + timedelta(days=self._rng.choice([-30, 0, 0, 1, 40]))

    def _event(self) -> Event:
        rng = self._rng
        moment = min(self.moment(), NOW) + timedelta(minutes=4) * (rng.random() < 0.1)
        flex = rng.random() < 0.4
        tokens = Decimal(rng.randrange(1, 99_999)) / 10_000 if flex and rng.random() < 0.8 else 0
        return Event(
            user_id=rng.choice(USERS),
            time=moment,
            team_id=rng.choice(TEAMS),
            product_id=rng.choice(PRODUCTS),
            access=rng.choice(["flex", "subscription"])
            if tokens
            else ["subscription", "flex"][flex],
            version=rng.choice(VERSIONS),
            tokens=Decimal(tokens),
        )

    def _change(self) -> Change:
        rng = self._rng
        assignment = rng.choice(["direct", "direct", "group", "default"])
        month_ago = self.moment() - timedelta(days=30)
        return Change(
            # Few seats, so that each has a long history.
            user_id=rng.choice(USERS[3:8]),
            product_id=rng.choice(["product-1", "zeta", "Ärmel", *COLLECTIONS]),
            team_id=rng.choice(TEAMS[:3]),
            access="flex" if rng.random() < 0.25 else "subscription",
            at=rng.choice([month_ago, self.moment(), self.moment()]),
            assignment=assignment,
            group=rng.choice(GROUPS) if assignment == "group" else "",
            assigned=rng.random() < 0.6,
            request_id=rng.choice(["", "", f"request-{rng.random()}"]),
            deleted=rng.random() < 0.05,
        )

    def _teams(self) -> list[Team]:
        names = {"team-1": "Atelier", "Straße": "Atelier", "STRASSE": None, "%": "🦊"}
        hidden = self._rng.choice([(), (), ("team-1",), ("STRASSE", "%")])
        teams = [Team(t, names.get(t), personal_data=t not in hidden) for t in TEAMS]
        if self._rng.random() < 0.4:
            # One that the directory does not know, and one that it has forgotten.
            teams = [*teams[:3], replace(teams[4], deleted=True)]
        return [*teams, Team("no rows", "Nobody", personal_data=self._rng.random() < 0.8)]

    def _user(self, user_id: str) -> User:
        rng = self._rng
        if user_id in {"u1", "u2"}:
            return User(user_id, "Ana", "Same", f"{user_id}@sample.test")
        email = rng.choice([None, f"{rng.choice(_NAMES)}@SAMPLE.test"])
        deleted = rng.random() < 0.1
        return User(user_id, rng.choice(_NAMES), rng.choice(_NAMES), email, deleted=deleted)

    def _products(self) -> list[Product]:
        rng = self._rng
        members = ["product-1", "zeta", "Zeta", "Ärmel", "unused"]
        return [
            Product("product-1", "Zeta"),
            Product("Ärmel", None),
            Product("zeta", "the zeta"),
            Product("Zeta", "forgotten", deleted=True),
            Product("suite", "Suite", "collection", tuple(rng.sample(members, 3))),
            Product("Bundle", None, "collection", tuple(rng.sample(members, 2))),
            Product("gone", "Gone", "collection", tuple(members), deleted=rng.random() < 0.7),
        ]

    def _subscriptions(self) -> list[Subscription]:
        rng = self._rng
        return [
            Subscription(
                subscription_id=f"subscription-{number}",
                team_id=rng.choice(TEAMS),
                product_id=rng.choice(PRODUCTS),
                seats=rng.randrange(0, 5),
                starts_on=first,
                ends_on=last,
                deleted=rng.random() < 0.1,
            )
            for number in range(14)
            for first, last in [self._period()]
        ]

    def _packs(self) -> list[Pack]:
        rng = self._rng
        return [
            Pack(
                pack_id=f"pack-{number}",
                team_id=rng.choice([None, None, *TEAMS[:3]]),
                tokens=Decimal(rng.randrange(1, 300_000)) / rng.choice([10_000, 10_000, 1_000]),
                purchased_on=rng.choice(self.days),
                starts_on=first,
                ends_on=last,
                deleted=rng.random() < 0.1,
            )
            for number in range(10)
            for first, last in [self._period()]
        ]

    def _period(self) -> tuple[date, date]:
        first, last = sorted([self._day(), self._day()])
        return first, last

    def _prices(self) -> list[Price]:
        rng = self._rng
        prices = {}
        for _ in range(12):
            product, day = rng.choice(PRODUCTS), self._day()
            per_day, price = Decimal(rng.randrange(1, 99)) / 10, Decimal(rng.choice(["3", "0.35"]))
            # Days a month to break even, often met exactly.
            months = rng.choice([0, 1, 1, 2, Decimal(2) / 3, Decimal("1.5"), 4])
            annual = (12 * per_day * price * months).quantize(Decimal("0.0001"))
            deleted = rng.random() < 0.1
            prices[product, day] = Price(product, day, annual, per_day, price, deleted=deleted)
        return list(prices.values())


def _distinct(changes: Sequence[Change]) -> list[Change]:
    """Of changes with the same identity the newest, in its place: it replaced the others."""
    newest: dict[tuple[Any, ...], Change] = {}
    for change in changes:
        identity = tuple(
            getattr(change, name)
            for name in (
                *("user_id", "product_id", "team_id", "access", "at", "assignment", "group"),
                "request_id",
            )
        )
        newest.pop(identity, None)
        newest[identity] = change
    return list(newest.values())
