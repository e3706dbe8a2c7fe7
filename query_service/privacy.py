"""Whether names are shown: decided here alone, and part of every answer.

Until there is a directory, no team has personal data on, so every view is hashed.
Next: query_service.report
"""

from collections.abc import Sequence
from dataclasses import dataclass

from query_service.store import Store
from sinks.keys import Key


@dataclass(frozen=True)
class Privacy:
    """The decision for one view; `hidden_by` are the teams in scope with personal data off."""

    shown: bool
    hidden_by: tuple[str, ...]

    def describe(self) -> dict[str, object]:
        """Its part of the answer."""
        return {
            "personal_data": "shown" if self.shown else "hashed",
            "hidden_by": list(self.hidden_by),
        }


def decide(store: Store, key: Key, teams: Sequence[str]) -> Privacy:
    """The decision for a view of `teams`, or else of all teams the key may read.

    Scope is what is asked, never the teams of the rows found.
    """
    asked = tuple(sorted({team for team in teams if key.sees_team(team)}))
    if teams:
        return Privacy(shown=False, hidden_by=asked)
    if key.teams:
        return Privacy(shown=False, hidden_by=tuple(sorted(key.teams)))
    known = (str(row["team_id"]) for row in store.ask(key, "teams", {}))
    return Privacy(shown=False, hidden_by=tuple(known))
