"""The directory over HTTP: entries are kept, cleared, removed and listed, each judged alone."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from query_service.body_limit import DIRECTORY_MAX_BYTES
from schemas.directory import ENTITIES
from tests.support.directory import VALID, entry, listed, put

NDJSON = {"Content-Type": "application/x-ndjson"}


@pytest.fixture
def http(new_tenant):
    """A client with a key that manages a new tenant."""
    return new_tenant(scopes=["manage"])[1]


@pytest.mark.parametrize("name", ENTITIES)
def test_what_is_put_is_listed(http, name):
    """Every field of every entity comes back as it went in, with the hash of nobody."""
    put(http, "teams", VALID["teams"])
    put(http, name, VALID[name])
    people = {"hashed_user_id": None} if "user_id" in VALID[name] else {}
    answer = http.get(f"/v1/directory/{name}").json()
    assert answer == {
        "personal_data": "shown",
        "hidden_by": [],
        name: [VALID[name] | people],
        "next_cursor": None,
    }


@pytest.mark.parametrize("name", [name for name in ENTITIES if name != "assignments"])
def test_deleted_is_gone_until_it_is_put_again(http, name):
    """With nothing but what identifies it; and then nothing of before is left."""
    entity = ENTITIES[name]
    put(http, name, VALID[name], entry(name) | {"deleted": False})
    gone = {field: VALID[name][field] for field in entity.ids} | {"deleted": True}
    put(http, name, gone, gone)
    assert listed(http, name) == []
    optional = {
        field for field in entity.fields if not entity.entry.model_fields[field].is_required()
    }
    put(http, name, {field: v for field, v in VALID[name].items() if field not in optional})
    (found,) = http.get(f"/v1/directory/{name}").json()[name]
    assert not any(found[field] for field in optional - {"kind"})


def test_absent_keeps_and_null_clears(http):
    """Over requests, and within one: a later entry sees what an earlier one said."""
    put(http, "teams", {"team_id": "t", "personal_data": True})
    put(http, "users", {"user_id": "u", "first_name": "A"}, {"user_id": "u", "email": "e"})
    put(http, "users", {"user_id": "u", "last_name": "B"})
    names = ("first_name", "last_name", "email")
    assert [listed(http, "users")[0][name] for name in names] == ["A", "B", "e"]
    put(http, "users", {"user_id": "u", "first_name": None})
    assert [listed(http, "users")[0][name] for name in names] == [None, "B", "e"]
    put(http, "users", {"user_id": "u", "deleted": True}, {"user_id": "u", "first_name": "C"})
    assert [listed(http, "users")[0][name] for name in names] == ["C", None, None]
    put(http, "teams", {"team_id": "t", "personal_data": None})
    assert listed(http, "teams") == [{"team_id": "t", "name": None, "personal_data": False}]


def test_what_is_stored_is_judged_with_what_is_sent(http):
    """A new end before the old start is refused, whichever of the two is sent."""
    put(http, "subscriptions", VALID["subscriptions"])
    late = {"subscription_id": "subscription-1", "ends_on": "2025-12-31"}
    answer = http.put("/v1/directory/subscriptions", json=late)
    assert (answer.status_code, answer.json()["rejected"][0]["field"]) == (400, "ends_on")
    assert listed(http, "subscriptions") == [VALID["subscriptions"]]


def test_a_bad_entry_spoils_no_other(http):
    """Verdicts by the place in the request, in order; 400 when nothing was accepted."""
    entries = [{"team_id": "a"}, 1, {"team_id": "b", "nam": "B"}, {"name": "C"}, {"team_id": "d"}]
    answer = http.put("/v1/directory/teams", json=entries)
    assert (answer.status_code, answer.json()["accepted"]) == (200, 2)
    rejects = [(r["index"], r["reason"], r["field"]) for r in answer.json()["rejected"]]
    assert rejects == [
        (1, "invalid_field", None),
        (2, "invalid_field", "nam"),
        (3, "missing_field", "team_id"),
    ]
    assert all(reject["detail"] for reject in answer.json()["rejected"])
    assert [team["team_id"] for team in listed(http, "teams")] == ["a", "d"]
    for nothing, count in (([1, {}], 2), ([], 0), ({}, 1)):
        answer = http.put("/v1/directory/teams", json=nothing)
        assert (answer.status_code, answer.json()["accepted"]) == (400, 0)
        assert len(answer.json()["rejected"]) == count


def test_lines(http):
    """A bad line of NDJSON is one reject; blank ones are no entries; one object needs no array."""
    lines = b'{"team_id": "a"}\n\n{"team_id": \r\n{"team_id": "b"}\n\xff\n{"team_id": "\\ud800"}'
    answer = http.put("/v1/directory/teams", content=lines, headers=NDJSON)
    rejects = [(r["index"], r["reason"]) for r in answer.json()["rejected"]]
    assert (answer.status_code, answer.json()["accepted"]) == (200, 2)
    assert rejects == [(1, "malformed_json"), (3, "malformed_json"), (4, "invalid_field")]
    assert http.put("/v1/directory/teams", json={"team_id": "c"}).json()["accepted"] == 1
    broken = http.put(
        "/v1/directory/teams", content=b"[", headers={"Content-Type": "application/json"}
    )
    assert (broken.status_code, broken.json()["rejected"][0]["reason"]) == (400, "malformed_json")


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Content-Type": "text/csv"},
        {"Content-Type": "application/json; charset=latin-1"},
        {"Content-Type": "application/json", "Content-Encoding": "gzip"},
    ],
)
def test_other_forms_are_refused(http, headers):
    """415 for a body that is neither JSON nor NDJSON in UTF-8."""
    answer = http.put("/v1/directory/teams", content=b"[]", headers=headers)
    assert (answer.status_code, answer.json()["reason"]) == (415, "unsupported_media_type")


def test_what_is_too_large(http):
    """413 above 10,000 entries or 8 MiB; a body of 8 MiB is read."""
    answer = http.put("/v1/directory/teams", content=b"{}\n" * 10_001, headers=NDJSON)
    assert (answer.status_code, answer.json()["reason"]) == (413, "batch_too_large")
    full = b'{"team_id": "a"}'.ljust(DIRECTORY_MAX_BYTES)
    assert http.put("/v1/directory/teams", content=full, headers=NDJSON).status_code == 200
    answer = http.put("/v1/directory/teams", content=full + b" ", headers=NDJSON)
    assert (answer.status_code, answer.json()["reason"]) == (413, "body_too_large")


def test_unknown_things_are_refused(http):
    """Another entity is 404, another parameter 400 with those that there are."""
    for answer in (http.get("/v1/directory/licences"), http.put("/v1/directory/licences", json=[])):
        assert (answer.status_code, answer.json()["reason"]) == (404, "not_found")
    wrong = http.get("/v1/directory/teams?user=u&limit=0")
    assert wrong.status_code == 400
    (user, limit) = wrong.json()["errors"]
    assert (user["reason"], user["allowed"]) == ("unknown_parameter", ["team", "limit", "cursor"])
    assert limit["parameter"] == "limit"
    assert http.put("/v1/directory/teams?dry_run=true", json=[]).status_code == 400


@pytest.mark.parametrize("scope", ["ingest", "read", "manage", "admin"])
def test_scopes(new_tenant, scope):
    """The directory asks for manage, to be read and to be written."""
    _, http, _ = new_tenant(scopes=[scope])
    wanted = 200 if scope in {"manage", "admin"} else 403
    assert http.put("/v1/directory/teams", json={"team_id": "t"}).status_code == wanted
    assert http.get("/v1/directory/teams").status_code == wanted


def test_tenants_do_not_see_each_other(new_tenant, http):
    """The same ids in two tenants are two entries; removing one leaves the other."""
    _, other, _ = new_tenant("other", scopes=["manage"])
    for name, client in (("ours", http), ("theirs", other)):
        put(client, "teams", {"team_id": "t", "name": name})
    put(other, "teams", {"team_id": "t", "personal_data": True})
    assert [team["name"] for team in listed(http, "teams")] == ["ours"]
    put(http, "teams", {"team_id": "t", "deleted": True})
    assert [(t["name"], t["personal_data"]) for t in listed(other, "teams")] == [("theirs", True)]


def test_filters(http):
    """By the ids that an entity has; one that names nothing finds nothing."""
    put(http, "teams", VALID["teams"])
    packs = [entry("token_packs", pack_id=f"p-{team}", team_id=team) for team in ("a", "b", None)]
    put(http, "token_packs", *packs)
    found = {
        query: [
            pack["pack_id"]
            for pack in http.get(f"/v1/directory/token_packs{query}").json()["token_packs"]
        ]
        for query in ("", "?team=a", "?team=a&team=b", "?team=", "?team=c")
    }
    assert list(found.values()) == [["p-None", "p-a", "p-b"], ["p-a"], ["p-a", "p-b"], [], []]
    prices = [entry("prices", valid_from=f"202{n}-01-01") for n in (7, 5, 6)]
    put(http, "prices", *prices, entry("prices", product_id="product-2"))
    found = listed(http, "prices", product="product-1", limit=1)
    assert [price["valid_from"] for price in found] == ["2025-01-01", "2026-01-01", "2027-01-01"]


def test_ten_thousand_at_once(http):
    """One request of 10,000 users, listed again in pages, each exactly once; and changed again."""
    put(http, "teams", VALID["teams"])
    ids = [f"user-{n}'\\" for n in range(10_000)]
    put(http, "users", *({"user_id": user, "first_name": "Ä"} for user in ids))
    put(http, "users", *({"user_id": user, "last_name": "𝄞"} for user in ids))
    found = listed(http, "users", limit=1000)
    assert [user["user_id"] for user in found] == sorted(ids)
    assert {(user["first_name"], user["last_name"]) for user in found} == {("Ä", "𝄞")}


def test_changes_at_once_lose_nothing(http):
    """Each of three fields changed by a hundred requests at once: the last of each is there."""
    put(http, "teams", VALID["teams"])
    fields = ("first_name", "last_name", "email")

    def write(field):
        for number in range(34):
            put(http, "users", {"user_id": "u", field: f"{field}-{number}"})

    with ThreadPoolExecutor(3) as threads:
        list(threads.map(write, fields))
    (user,) = listed(http, "users")
    assert [user[field] for field in fields] == [f"{field}-33" for field in fields]


def test_numbers_keep_every_digit(http):
    """An amount sent as a number is not rounded on its way."""
    body = json.dumps(entry("token_packs")).replace('"500.5"', "12345678901234.5678")
    answer = http.put("/v1/directory/token_packs", content=body, headers=NDJSON)
    assert answer.json()["accepted"] == 1
    assert listed(http, "token_packs")[0]["tokens"] == "12345678901234.5678"


def test_a_cursor_fits_its_own_list(http):
    """Not another entity's, not other filters', and none that is made up."""
    put(http, "teams", VALID["teams"], {"team_id": "team-2"})
    cursor = http.get("/v1/directory/teams?limit=1").json()["next_cursor"]
    for path in ("products?", "teams?team=team-1&"):
        answer = http.get(f"/v1/directory/{path}cursor={cursor}")
        assert answer.json()["errors"][0]["reason"] == "invalid_cursor"
    assert http.get("/v1/directory/teams?cursor=x").status_code == 400


def test_openapi(http):
    """The document names the entities, the filters, and the fields of each entry."""
    path = http.get("/openapi.json").json()["paths"]["/v1/directory/{entity}"]
    assert path["put"]["parameters"][0]["schema"]["enum"] == list(ENTITIES)
    named = {parameter["name"] for parameter in path["get"]["parameters"]}
    assert named == {"entity", "team", "user", "product", "limit", "cursor"}
    content = path["put"]["requestBody"]["content"]
    entries = content["application/json"]["schema"]["items"]["oneOf"]
    fields = [[*entity.fields, "deleted"] for entity in ENTITIES.values()]
    assert [sorted(schema["properties"]) for schema in entries] == [
        sorted(names) for names in fields
    ]
