"""What one caller sees at one moment: how far the numbers are complete, and whether names show.

Looked at before any rows are read.
Next: query_service.queries
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from typing import Any

from query_service.answers import plain
from query_service.completeness import complete_up_to
from query_service.privacy import Privacy, decide
from query_service.store import Store
from query_service.wiring import Wiring
from sinks.keys import Key, hashed_user_id
from sinks.settle import Settled, settled_months


@dataclass(frozen=True)
class View:
    """The caller's `key`, what it may see, and the moment that it asks at (`now`, in UTC).

    `settled` are the months that its questions may read from monthly rows.
    `frequent` is the days a month from which use without prices is frequent; `secret` the
    tenant's, which hides users and seals cursors. `teams` is the scope that was asked for; empty
    for all teams that the key may read.
    """

    store: Store
    key: Key
    teams: tuple[str, ...]
    privacy: Privacy
    complete_up_to: datetime | None
    settled: Settled
    now: datetime
    frequent: Fraction
    secret: bytes

    @property
    def shown(self) -> bool:
        """Whether names, e-mails and user ids are shown."""
        return self.privacy.shown

    @property
    def bound_to(self) -> tuple[str, ...]:
        """What a cursor of this view is bound to, besides the query."""
        return (self.key.tenant, str(self.shown), *sorted(self.key.teams))

    def name(self, user_id: str) -> dict[str, str | None]:
        """How a user is named: by id where personal data is shown, else by hash; never by both."""
        if self.shown:
            return {"user_id": user_id, "hashed_user_id": None}
        return {"user_id": None, "hashed_user_id": hashed_user_id(self.secret, user_id)}

    def describe(self) -> dict[str, Any]:
        """Its part of the answer."""
        return {**self.privacy.describe(), "complete_up_to": plain(self.complete_up_to)}


def look(wired: Wiring, key: Key, teams: Iterable[str] = ()) -> View:
    """The view of `teams`, or else of all teams that the key may read."""
    store, scope = wired.store, tuple(teams)
    # Before the rows, or it would promise what they were read too early to hold: the settled
    # months too are as they were when they were looked at.
    complete = complete_up_to(store, partitions=wired.settings.partitions)
    with store.quick_client() as client:
        settled = settled_months(client)
    return View(
        store=store,
        key=key,
        teams=scope,
        complete_up_to=complete,
        settled=settled,
        privacy=decide(store, key, scope, settled, scope=wired.settings.privacy_scope),
        now=wired.now(),
        frequent=wired.frequent,
        secret=store.hasher(key),
    )


def asked_teams(items: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    """The teams that a query string asks for: the scope of its view."""
    return tuple(value for name, value in items if name == "team")
