"""How people can be asked for: by the name that a view shows, and in no other way."""

import time

import pytest

from tests.support.leaks import found_in
from tests.support.private_tenant import EVERYTHING, FIRST, PEOPLE, STRANGER, address

IDS = (STRANGER, *(person.user_id for person in PEOPLE))
PEOPLE_SHOWN = (
    "/v1/report",
    "/v1/events",
    "/v1/dead-letters",
    "/v1/directory/users",
    "/v1/directory/team_members",
    "/v1/directory/assignments",
    "/v1/seat-changes",
)


@pytest.fixture(scope="module", autouse=True)
def told(settings):
    """The feed of seat changes tells them when they have been stored for a while."""
    http = settings["every team on"].http
    deadline = time.monotonic() + 60
    while not http.get("/v1/seat-changes").json()["changes"]:
        assert time.monotonic() < deadline
        time.sleep(0.2)


@pytest.mark.parametrize("path", PEOPLE_SHOWN)
def test_people_are_shown(path, settings):
    """With all teams on every route about people names them, and never by hash."""
    company, http = settings["every team on"].company, settings["every team on"].http
    answer = http.get(path, params={"limit": 100}).content
    known = {person.user_id for person in PEOPLE}
    assert found_in(answer, IDS) >= known
    assert found_in(answer, {company.hash_of(user) for user in IDS}) == set()


def test_hidden_people_are_asked_for_by_hash(settings):
    """A plain id finds what an unknown one does, in the same words; a hash finds its user."""
    setting = settings["one team of two off"]
    unknown = setting.http.get("/v1/users/nobody")
    assert unknown.status_code == 404
    for person in PEOPLE:
        plain = setting.http.get(f"/v1/users/{address(person.user_id)}")
        assert (plain.status_code, plain.content) == (404, unknown.content)
    hashed = setting.company.hash_of(PEOPLE[0].user_id)
    found = setting.http.get(f"/v1/users/{hashed}")
    assert (found.status_code, found.json()["user"]["hashed_user_id"]) == (200, hashed)
    assert found_in(found.content, EVERYTHING) == set()


def test_shown_people_are_asked_for_by_id(settings):
    """The hash is the other kind: unknown where names are shown."""
    setting = settings["every team on"]
    for person in PEOPLE:
        assert setting.http.get(f"/v1/users/{address(person.user_id)}").status_code == 200
    hashed = setting.http.get(f"/v1/users/{setting.company.hash_of(PEOPLE[0].user_id)}")
    assert hashed.status_code == 404
    assert hashed.content == setting.http.get("/v1/users/nobody").content


@pytest.mark.parametrize("path", ["/v1/report", "/v1/events", "/v1/directory/assignments"])
def test_the_other_kind_of_name_matches_nothing(path, settings):
    """`user` takes hashes of hidden people and ids of shown ones."""
    rows = path.rpartition("/")[2].replace("report", "rows")
    for name in ("one team of two off", "every team on"):
        setting = settings[name]
        named, misnamed = setting.named(PEOPLE[0]), setting.misnamed(PEOPLE[0])
        assert setting.http.get(path, params={"user": named}).json()[rows] != []
        assert setting.http.get(path, params={"user": misnamed}).json()[rows] == []


def test_a_team_that_is_on_shows_its_people_alone(settings):
    """A limited key sees the names of its team, by whatever route."""
    http = settings["key limited to the team that is on"].http
    others = {data for each in PEOPLE if FIRST not in each.teams for data in each.data}
    # Letters can't be told apart by team.
    for path in set(PEOPLE_SHOWN) - {"/v1/dead-letters"}:
        found = found_in(http.get(path, params={"limit": 100}).content, EVERYTHING)
        assert PEOPLE[0].user_id in found, path
        assert not found & others, path
