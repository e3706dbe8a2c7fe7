"""A key that is limited to teams: it writes and lists what is theirs, and nothing else."""

import pytest

from schemas.directory import ENTITIES
from tests.support.directory import VALID, entry, listed, put

OF_TEAMS = ("teams", "team_members", "subscriptions", "assignments", "token_packs")
OF_THE_TENANT = ("users", "products", "prices")


@pytest.fixture
def whole(new_tenant):
    """A client with a key for the whole tenant."""
    return new_tenant(scopes=["manage"])[1]


@pytest.fixture
def limited(whole, new_tenant):
    """A client of the same tenant with a key for team-1."""
    return new_tenant(scopes=["manage"], teams=["team-1"])[1]


def other(name):
    """An entry of team-2, with an id of its own."""
    own = {"subscriptions": {"subscription_id": "s-2"}, "token_packs": {"pack_id": "p-2"}}
    return entry(name, team_id="team-2", **own.get(name, {}))


def test_every_entity_is_tried():
    """No entity was forgotten above."""
    assert {*OF_TEAMS, *OF_THE_TENANT} == set(ENTITIES)


@pytest.mark.parametrize("name", OF_TEAMS)
def test_its_own_teams_alone(whole, limited, name):
    """An entry of another team is one reject, `forbidden`; 403 if all are."""
    answer = limited.put(f"/v1/directory/{name}", json=[VALID[name], other(name)])
    assert (answer.status_code, answer.json()["accepted"]) == (200, 1)
    (reject,) = answer.json()["rejected"]
    assert (reject["index"], reject["reason"], reject["field"]) == (1, "forbidden", "team_id")
    assert limited.put(f"/v1/directory/{name}", json=other(name)).status_code == 403
    put(whole, name, other(name))
    assert {row["team_id"] for row in listed(limited, name)} == {"team-1"}
    assert listed(limited, name, team="team-2") == []
    assert {row["team_id"] for row in listed(whole, name)} == {"team-1", "team-2"}
    gone = limited.put(f"/v1/directory/{name}", json=other(name) | {"deleted": True})
    assert gone.status_code == 403
    assert len(listed(whole, name)) == 2


@pytest.mark.parametrize("name", ["subscriptions", "token_packs"])
def test_no_entry_is_taken_over(whole, limited, name):
    """Neither from another team nor given to one, by the id that both know."""
    put(whole, name, other(name))
    ids = {field: other(name)[field] for field in ENTITIES[name].ids}
    for fields in (ids | {"team_id": "team-1"}, ids | {"ends_on": "2027-12-31"}):
        assert limited.put(f"/v1/directory/{name}", json=fields).status_code == 403
    put(limited, name, VALID[name])
    given = {field: VALID[name][field] for field in ENTITIES[name].ids} | {"team_id": "team-2"}
    assert limited.put(f"/v1/directory/{name}", json=given).status_code == 403
    assert {row["team_id"] for row in listed(whole, name)} == {"team-1", "team-2"}


@pytest.mark.parametrize("name", OF_THE_TENANT)
def test_what_is_the_tenants_is_not_written(whole, limited, name):
    """403 for users, products and prices; products and prices may be read."""
    put(whole, "teams", VALID["teams"])
    put(whole, name, VALID[name])
    answer = limited.put(f"/v1/directory/{name}", json=VALID[name])
    assert (answer.status_code, answer.json()["reason"]) == (403, "forbidden")
    assert len(listed(limited, name)) == (0 if name == "users" else 1)


def test_shared_packs_are_read_and_not_written(whole, limited):
    """A pack without a team is the tenant's."""
    shared = entry("token_packs", pack_id="shared", team_id=None)
    put(whole, "token_packs", shared)
    assert listed(limited, "token_packs") == [shared]
    for fields in ({}, {"deleted": True}, {"team_id": "team-1"}):
        answer = limited.put("/v1/directory/token_packs", json=shared | fields)
        assert answer.status_code == 403
    for made in (entry("token_packs", team_id=None), entry("token_packs")):
        answer = limited.put("/v1/directory/token_packs", json=made)
        assert answer.status_code == (200 if made["team_id"] else 403)
    cleared = {"pack_id": "pack-1", "team_id": None}
    assert limited.put("/v1/directory/token_packs", json=cleared).status_code == 403


def test_users_of_its_teams(whole, limited):
    """Members, and who was assigned something there."""
    put(whole, "teams", VALID["teams"])
    put(whole, "users", *({"user_id": f"user-{number}"} for number in range(1, 5)))
    put(
        whole,
        "team_members",
        VALID["team_members"],
        entry("team_members", team_id="team-2", user_id="user-2"),
    )
    put(whole, "assignments", entry("assignments", user_id="user-3"))
    assert [user["user_id"] for user in listed(limited, "users")] == ["user-1", "user-3"]
