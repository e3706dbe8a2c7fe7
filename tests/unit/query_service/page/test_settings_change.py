"""What a form of settings would change: told as it is, for each meaning of the privacy scope."""

import pytest

from query_service.page import settings_change
from query_service.page.settings_page import SECTIONS

TEAMS = SECTIONS["teams"]
ON = {"team_id": "team-1", "name": "One", "personal_data": True}
OFF = {**ON, "personal_data": False}
GONE = {"team_id": "team-1", "deleted": True}


@pytest.mark.parametrize(
    ("before", "after", "scope", "told"),
    [
        (ON, OFF, "view", "hidden in every view with this team"),
        (ON, OFF, "tenant", "hidden in every view of every team"),
        (
            ON,
            {"team_id": "team-1", "deleted": True},
            "tenant",
            "hidden in every view of every team",
        ),
        (OFF, ON, "view", "shown in views of this team"),
        (OFF, ON, "tenant", "unless any other team hides them"),
        (None, ON, "view", "shown in views of this team"),
    ],
)
def test_what_becomes_of_names_is_told(before, after, scope, told):
    """As the service is set: one team hides its own views, or all of them."""
    assert told in settings_change.effect(TEAMS, before, after, scope)


@pytest.mark.parametrize("scope", ["view", "tenant"])
def test_what_hides_nothing_says_nothing(scope):
    """A new name, a team that stays off, and what is no team."""
    assert settings_change.effect(TEAMS, ON, {**ON, "name": "Two"}, scope) == ""
    assert settings_change.effect(TEAMS, None, OFF, scope) == ""
    assert settings_change.effect(SECTIONS["prices"], None, {}, scope) == ""


def test_a_form_saves_what_is_listed():
    """A switch that is off is named as well; what is removed needs only what identifies it."""
    changed = settings_change.changes(TEAMS, ON, OFF)
    seen = ("seen", settings_change.mark(ON))
    assert [(each.label, each.before, each.after) for each in changed] == [
        ("Personal data", "On", "Off"),
    ]
    assert settings_change.reviewed(TEAMS, ON, OFF, changed) == [
        *(("team_id", "team-1"), ("personal_data", ""), seen),
    ]
    listed = settings_change.changes(TEAMS, ON, GONE)
    assert settings_change.reviewed(TEAMS, ON, GONE, listed) == [
        *(("team_id", "team-1"), ("delete", "1"), seen),
    ]
    assert settings_change.mark(ON) != settings_change.mark(OFF) != settings_change.mark(None)
