"""Whether names are shown: decided here alone, and part of every answer.

Next: query_service.view
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from query_service.settled import all_months
from query_service.store import Store
from sinks.keys import Key
from sinks.settle import Settled

Scope = Literal["view", "tenant"]


@dataclass(frozen=True)
class Privacy:
    """The decision for one view; `hidden_by` are the teams in scope with personal data off.

    `on` are all teams with personal data on that the key may read.
    """

    shown: bool
    hidden_by: tuple[str, ...]
    on: frozenset[str] = frozenset()

    def shows_letter(self, team_id: str) -> bool:
        """Whether a refused event may be shown as it was sent; `team_id` is empty if it names none.

        It may be of a team that the directory does not hold, and such a team is off.
        """
        return self.shown and (team_id in self.on if team_id else bool(self.on))

    def describe(self) -> dict[str, object]:
        """Its part of the answer."""
        return {
            "personal_data": "shown" if self.shown else "hashed",
            "hidden_by": list(self.hidden_by),
        }


def decide(
    store: Store, key: Key, teams: Sequence[str], settled: Settled, *, scope: Scope
) -> Privacy:
    """The decision for a view of `teams`, or else of all teams that the key may read.

    Scope is what is asked, never the teams of the rows found: one team in it that is off, or that
    the directory does not know, hides every row. With `scope` "tenant" any team of the tenant does.
    A team that the key may not see is one that it does not know.
    """
    rows = store.ask(key, "team_privacy", all_months(settled))
    is_on = {row["team_id"]: row["personal_data"] for row in rows}
    readable = {team for team in is_on if key.sees_team(team)}
    asked = set(teams) or readable | key.teams
    off = {team for team in asked if team not in readable or not is_on[team]}
    anywhere = scope == "tenant" and not all(is_on.values())
    return Privacy(
        shown=not off and not anywhere,
        hidden_by=tuple(sorted(off)),
        on=frozenset(team for team in readable if is_on[team]),
    )
