"""Lists of people: names where every team shows them, else hashes alone, and in their order."""

import base64

import pytest

from sinks.keys import hashed_user_id
from tests.support.directory import VALID, entry, listed, put

PEOPLE = ("users", "team_members", "assignments")
USERS = ("anna-id", "bert-id", "carl-id")
SECRETS = (*USERS, "Annette", "Bertram", "example.org")


@pytest.fixture
def tenant(new_tenant):
    """A client, the hash of each user, and three users that are members with a seat."""
    _, http, secret = new_tenant(scopes=["manage"])
    put(http, "teams", VALID["teams"])
    for name in PEOPLE:
        put(http, name, *(entry(name, user_id=user) for user in USERS))
    names = {"first_name": "Annette", "last_name": "Bertram"}
    put(http, "users", *({"user_id": user, **names} for user in USERS))
    return http, {user: hashed_user_id(secret, user) for user in USERS}


@pytest.mark.parametrize("name", PEOPLE)
def test_shown(tenant, name):
    """Ids and names, and no hash: the two together would undo a hiding elsewhere."""
    http, hashes = tenant
    rows = listed(http, name, limit=1)
    assert [row["user_id"] for row in rows] == sorted(USERS)
    assert {row["hashed_user_id"] for row in rows} == {None}
    assert http.get(f"/v1/directory/{name}").json()["personal_data"] == "shown"
    assert [row["user_id"] for row in listed(http, name, user="bert-id")] == ["bert-id"]
    assert listed(http, name, user=hashes["bert-id"]) == []


@pytest.mark.parametrize("name", PEOPLE)
def test_hidden_by_one_team(tenant, name):
    """One team off, even without people: hashes alone, by hash, in every page and cursor."""
    http, hashes = tenant
    put(http, "teams", {"team_id": "team-2"})
    answer = http.get(f"/v1/directory/{name}", params={"limit": 2})
    assert answer.json()["hidden_by"] == ["team-2"]
    assert answer.json()["personal_data"] == "hashed"
    cursor = answer.json()["next_cursor"]
    told = answer.text + str(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    rows = listed(http, name, limit=1)
    assert not any(secret in told + str(rows) for secret in SECRETS)
    assert [row["hashed_user_id"] for row in rows] == sorted(hashes.values())
    assert {row["user_id"] for row in rows} == {None}
    found = listed(http, name, user=hashes["carl-id"])
    assert [row["hashed_user_id"] for row in found] == [hashes["carl-id"]]
    assert listed(http, name, user="carl-id") == []


@pytest.mark.parametrize("team", [{"personal_data": False}, {"deleted": True}])
def test_a_change_holds_for_the_next_answer(tenant, team):
    """A team that is switched off or removed hides at once; a cursor of before fits no more."""
    http, hashes = tenant
    cursor = http.get("/v1/directory/users?limit=1").json()["next_cursor"]
    put(http, "teams", {"team_id": "team-1", **team})
    assert [row["hashed_user_id"] for row in listed(http, "users")] == sorted(hashes.values())
    answer = http.get("/v1/directory/users", params={"limit": 1, "cursor": cursor})
    assert (answer.status_code, answer.json()["reason"]) == (400, "invalid_parameters")
    put(http, "teams", VALID["teams"])
    assert [row["user_id"] for row in listed(http, "users")] == sorted(USERS)


def test_rejects_repeat_no_personal_data(tenant):
    """Whatever is wrong with a user, the answer says the field and the rule."""
    http, _ = tenant
    wrong = [
        {"user_id": "anna-id", "first_name": "Annette\n"},
        {"user_id": "anna-id", "email": ["example.org"]},
        {"user_id": ["anna-id"], "email": "x@example.org"},
        {"user_id": "anna-id", "last_name": "Bertram" * 100},
    ]
    answer = http.put("/v1/directory/users", json=wrong)
    assert len(answer.json()["rejected"]) == 4
    assert not any(secret in answer.text for secret in SECRETS)
