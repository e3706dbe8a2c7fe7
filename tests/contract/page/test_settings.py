"""Settings on the page: what was looked at is what is changed, and nothing beside it."""

from datetime import date

import pytest

from tests.support.directory_rows import insert_entry
from tests.support.page_session import hidden_fields

TEAM = {"team_id": "team-1", "name": "Team One", "personal_data": "on"}


@pytest.fixture
def team(visitor, store_client):
    """A visitor whose tenant has a team with personal data on."""
    insert_entry(store_client, visitor.tenant, "teams")
    return visitor


def stored_team(store, visitor):
    """Name and personal data of the team; None when there is none."""
    sql = (
        "SELECT name, personal_data FROM teams FINAL"
        " WHERE tenant = {tenant:String} AND team_id = 'team-1' AND NOT deleted"
    )
    rows = store.query(sql, parameters={"tenant": visitor.tenant}).result_rows
    return rows[0] if rows else None


def review(visitor, section="teams", **fields):
    """The fields that the form of the review sends."""
    answer = visitor.send(f"/settings/{section}", **fields)
    assert answer.status_code == 200, answer.text
    return hidden_fields(answer.text, f"/settings/{section}/save")


def save(visitor, fields, name="teams"):
    """The answer to the form of the review."""
    return visitor.send(f"/settings/{name}/save", *fields)


def test_what_is_saved_is_what_was_listed(team, store_client):
    """The form that saves names the entry and what changes of it, nothing else."""
    fields = review(team, **TEAM | {"name": "Renamed"})
    assert [name for name, _ in fields] == ["back", "team_id", "name", "seen"]
    assert save(team, fields).status_code == 303
    assert stored_team(store_client, team) == ("Renamed", True)


def test_what_another_changed_meanwhile_stays(team, store_client):
    """Personal data that was switched off since the review is not on again: nothing is saved."""
    fields = review(team, **TEAM | {"name": "Renamed"})
    insert_entry(store_client, team.tenant, "teams", personal_data=False)
    answer = save(team, fields)
    assert answer.status_code == 409
    assert "Somebody changed this team since you looked at it." in answer.text
    assert stored_team(store_client, team) == ("Team One", False)
    # Even were it not noticed, the form asks for no more than was listed.
    seen = dict(review(team, **TEAM | {"name": "Renamed"}))["seen"]
    given = [(name, value) for name, value in fields if name != "seen"]
    assert save(team, [*given, ("seen", seen)]).status_code == 303
    assert stored_team(store_client, team) == ("Renamed", False)


def test_a_form_without_a_look_changes_nothing(team, store_client):
    """Whoever leaves out the review leaves out what it says was seen."""
    given = [("team_id", "team-1"), ("name", "Renamed"), ("personal_data", "")]
    assert save(team, given).status_code == 409
    assert stored_team(store_client, team) == ("Team One", True)


@pytest.mark.parametrize("changed", [{"personal_data": ""}, {"name": ""}])
def test_what_is_taken_away_is_saved_as_well(team, store_client, changed):
    """A switch that is off, a field that is empty: both are named, not left out."""
    asked = {name: value for name, value in (TEAM | changed).items() if value}
    fields = review(team, **asked)
    assert save(team, fields).status_code == 303
    expected = ("Team One", False) if "personal_data" in changed else (None, True)
    assert stored_team(store_client, team) == expected


def test_a_form_that_is_sent_twice_is_done_once(team, store_client):
    """The second is no conflict with the first: also when an entry is removed, or new."""
    fields = review(team, **TEAM | {"name": "Renamed"})
    removal = review(team, team_id="team-1", delete="1")
    assert [save(team, fields).status_code for _ in range(2)] == [303, 303]
    # It was another entry that was to be removed.
    assert save(team, removal).status_code == 409
    removal = review(team, team_id="team-1", delete="1")
    assert [save(team, removal).status_code for _ in range(2)] == [303, 303]
    assert stored_team(store_client, team) is None
    new = review(team, **TEAM)
    assert [save(team, new).status_code for _ in range(2)] == [303, 303]
    assert stored_team(store_client, team) == ("Team One", True)


def test_an_entry_is_known_by_all_that_identifies_it(visitor, store_client):
    """A price of another day is another price, of another product as well."""
    for day, price in ((date(2026, 1, 1), 10), (date(2026, 2, 1), 20)):
        insert_entry(store_client, visitor.tenant, "prices", valid_from=day, annual_price=price)
    asked = {
        "product_id": "product-1",
        "valid_from": "2026-02-01",
        "annual_price": "20",
        "tokens_per_day": "10",
        "token_price": "4",
        "currency": "EUR",
    }
    fields = review(visitor, "prices", **asked)
    assert [name for name, _ in fields] == [
        "back",
        "product_id",
        "valid_from",
        "token_price",
        "seen",
    ]
    assert save(visitor, fields, "prices").status_code == 303
    told = visitor.send("/settings/prices", **asked | {"valid_from": "2026-03-01"}).text
    assert "Add this price?" in told


def test_another_team_is_neither_shown_nor_changed(new_visitor, store_client):
    """To a key that is limited to teams."""
    limited = new_visitor(scopes=["manage"], teams=["team-2"])
    insert_entry(store_client, limited.tenant, "teams")
    answer = limited.send("/settings/teams", **TEAM)
    assert answer.status_code == 400
    assert "Team One" not in answer.text
    assert save(limited, [("team_id", "team-1"), ("name", "Mine"), ("seen", "")]).status_code == 400
    assert stored_team(store_client, limited) == ("Team One", True)


def test_saved_is_said_to_who_saved(team, new_visitor):
    """A link of somebody else's making says nothing."""
    answer = save(team, review(team, **TEAM | {"name": "Renamed"}))
    there = answer.headers["location"]
    assert "Saved: team-1." in team.get(there).text
    assert "Saved:" not in team.get("/settings/teams?saved=anything").text
    assert "Saved:" not in team.get(there.replace("team-1", "team-2")).text
    assert "Saved:" not in new_visitor().get(there).text


def test_every_page_of_settings_says_how_far_numbers_are_complete(team):
    """As all pages of numbers do."""
    pages = [
        team.get("/settings"),
        *(team.get(f"/settings/{name}") for name in ("teams", "prices", "keys")),
        team.send("/settings/teams", **TEAM | {"name": "Renamed"}),
        team.send("/settings/teams", team_id=""),
        team.send("/settings/keys/revoke", key_id="0123"),
        save(team, [("team_id", "team-1"), ("name", "Renamed")]),
    ]
    assert [each.status_code for each in pages] == [200, 200, 200, 200, 200, 400, 200, 409]
    assert ["Complete up to" in each.text for each in pages] == [True] * len(pages)
