"""A tenant's raw data as plain Python: events, seat changes, directory; and who sees names in it.

Next: tests.support.plain_seats
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction


@dataclass(frozen=True)
class Event:
    """A counted event."""

    user_id: str
    time: datetime
    team_id: str
    product_id: str
    access: str
    version: str
    tokens: Decimal

    @property
    def day(self) -> date:
        """Its UTC day."""
        return self.time.date()

    @property
    def launches(self) -> int:
        """1 for a launch."""
        return 0 if self.tokens else 1


@dataclass(frozen=True)
class Change:
    """Somebody was assigned or unassigned by a path, which is (`assignment`, `group`).

    Changes of the same moment come in the order of the tenant's list.
    """

    user_id: str
    product_id: str
    team_id: str
    access: str
    at: datetime
    assignment: str
    group: str
    assigned: bool
    request_id: str = ""
    deleted: bool = False


@dataclass(frozen=True)
class Team:
    """A team of the directory."""

    team_id: str
    name: str | None = None
    personal_data: bool = False
    deleted: bool = False


@dataclass(frozen=True)
class User:
    """A user of the directory."""

    user_id: str
    first_name: str | None = None
    last_name: str | None = None
    email: str | None = None
    deleted: bool = False


@dataclass(frozen=True)
class Product:
    """A product of the directory, or a collection."""

    product_id: str
    name: str | None = None
    kind: str = "product"
    members: tuple[str, ...] = ()
    deleted: bool = False


@dataclass(frozen=True)
class Subscription:
    """Seats bought."""

    subscription_id: str
    team_id: str
    product_id: str
    seats: int
    starts_on: date
    ends_on: date
    deleted: bool = False


@dataclass(frozen=True)
class Pack:
    """Tokens bought, by a team or by the tenant."""

    pack_id: str
    team_id: str | None
    tokens: Decimal
    purchased_on: date
    starts_on: date
    ends_on: date
    deleted: bool = False


@dataclass(frozen=True)
class Price:
    """Prices of a product from a day on."""

    product_id: str
    valid_from: date
    annual_price: Decimal
    tokens_per_day: Decimal
    token_price: Decimal
    currency: str = "EUR"
    deleted: bool = False


@dataclass(frozen=True)
class Directory:
    """All entries of a tenant's directory but the assignments; deleted ones are marked."""

    teams: list[Team] = field(default_factory=list)
    users: list[User] = field(default_factory=list)
    products: list[Product] = field(default_factory=list)
    subscriptions: list[Subscription] = field(default_factory=list)
    packs: list[Pack] = field(default_factory=list)
    prices: list[Price] = field(default_factory=list)


@dataclass(frozen=True)
class Tenant:
    """What a tenant sent, and the secret that its users are hashed with."""

    secret: bytes
    events: list[Event] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    directory: Directory = field(default_factory=Directory)


@dataclass(frozen=True)
class Asked:
    """R, as_of, the filters (column: values) and the bounds on the rows shown.

    `teams`: those that the key is limited to; empty for all. `shown`: whether names are.
    """

    start: date
    end: date
    as_of: datetime
    months: Fraction
    chosen: dict[str, set[str]] = field(default_factory=dict)
    q: str | None = None
    least_days: int = 0
    most_days: int = 10**9
    least_tokens: Decimal = Decimal(0)
    most_tokens: Decimal = Decimal(10**12)
    frequent: Fraction = Fraction(7)
    teams: frozenset[str] = frozenset()
    shown: bool = False

    @property
    def as_of_day(self) -> date:
        """D(as_of)."""
        return self.as_of.date()

    def sees(self, team_id: str) -> bool:
        """Whether the key may."""
        return not self.teams or team_id in self.teams

    def views(self, team_id: str, product_id: str | None = None) -> bool:
        """Whether the team, and the product if there is one, are in view."""
        teams, products = self.chosen.get("team_id"), self.chosen.get("product_id")
        return (
            self.sees(team_id)
            and (teams is None or team_id in teams)
            and (products is None or product_id is None or product_id in products)
        )


def hashed(secret: bytes, user_id: str) -> str:
    """The hash that stands for a user."""
    return hmac.new(secret, user_id.encode(), hashlib.sha256).hexdigest()[:40]


def hidden_by(tenant: Tenant, asked: Iterable[str], readable: frozenset[str]) -> list[str]:
    """The teams that hide a view of the `asked` teams, or else of all that may be read.

    A team that the directory does not know is off.
    """
    scope = set(asked) or set(readable) or known_teams(tenant)
    on = {
        team.team_id
        for team in tenant.directory.teams
        if team.personal_data and not team.deleted and (not readable or team.team_id in readable)
    }
    return sorted(scope - on)


def is_shown(
    tenant: Tenant, asked: Iterable[str], readable: frozenset[str], *, strict: bool
) -> bool:
    """Whether the view shows names; in a `strict` one, whether the view of all teams does too."""
    everywhere = not hidden_by(tenant, (), frozenset())
    return not hidden_by(tenant, asked, readable) and (everywhere or not strict)


def known_teams(tenant: Tenant) -> set[str]:
    """Every team that the tenant's directory, seats or usage tell of."""
    directory = tenant.directory
    entries = (*directory.teams, *directory.subscriptions, *directory.packs)
    named = {entry.team_id for entry in entries if not entry.deleted and entry.team_id is not None}
    seats = {change.team_id for change in tenant.changes if not change.deleted}
    return named | seats | {event.team_id for event in tenant.events}
