"""Who may ask the query service what: keys, scopes and teams, over HTTP."""

import pytest

from query_service.body_limit import BODY_MAX_BYTES
from sinks.keys import hashed_user_id
from tests.support.usage import event, insert_usage

GETS = {
    "/v1/report": "read",
    "/v1/daily": "read",
    "/v1/events": "admin",
    "/v1/events/trace?source=sample&id=none": "admin",
    "/v1/ledger": "admin",
    "/v1/verify": "admin",
    "/v1/keys": "admin",
}


@pytest.mark.parametrize("scope", ["ingest", "import", "read", "manage", "admin"])
def test_scopes(new_tenant, scope):
    """Read is part of manage, and manage of admin; sending events opens nothing here."""
    _, http, _ = new_tenant(scopes=[scope])
    opens = {"read": {"read"}, "manage": {"read"}, "admin": {"read", "admin"}}.get(scope, set())
    for path, needed in GETS.items():
        status = http.get(path).status_code
        assert status == (200 if needed in opens else 403), path


def test_without_a_good_key(query_server):
    """401 with a reason, whatever is asked; health asks for no key."""
    for key in ("", "ur_nobody_secret", "not a key"):
        http = query_server.client(key)
        for path in GETS:
            answer = http.get(path)
            assert (answer.status_code, answer.json()["reason"]) == (401, "unauthorized")
        assert http.get("/health/live").status_code == 200
        assert http.get("/health/ready").status_code == 200


def test_a_key_in_its_own_header(new_tenant, query_server):
    """X-API-Key is as good as Authorization."""
    _, http, _ = new_tenant()
    token = http.headers["Authorization"].removeprefix("Bearer ")
    other = query_server.client("")
    assert other.get("/v1/report", headers={"X-API-Key": token}).status_code == 200


def test_a_body_has_an_end(query_server):
    """A body above the limit is 413, announced or not, before anybody has shown a key."""
    http = query_server.client("")
    body = b"[" + b" " * BODY_MAX_BYTES
    for content in (body, iter([body[:1000], body[1000:]])):
        answer = http.post("/v1/keys", content=content)
        assert (answer.status_code, answer.json()["reason"]) == (413, "body_too_large")


def test_a_body_in_pieces_is_one(new_tenant):
    """Chunks make the same body, up to the limit."""
    _, http, _ = new_tenant(scopes=["admin"])
    body = b'{"scopes": ["read"]' + b" " * (BODY_MAX_BYTES - 20) + b"}"
    assert len(body) == BODY_MAX_BYTES
    pieces = (body[start : start + 9999] for start in range(0, len(body), 9999))
    headers = {"Content-Type": "application/json"}
    assert http.post("/v1/keys", content=pieces, headers=headers).status_code == 201


@pytest.mark.parametrize("team", ["", "x" * 129])
def test_a_key_names_teams_that_can_be(new_tenant, team):
    """A team id that no event can have is refused, by its place."""
    _, http, _ = new_tenant(scopes=["admin"])
    answer = http.post("/v1/keys", json={"scopes": ["read"], "teams": ["team-1", team]})
    assert answer.status_code == 400
    assert [error["parameter"] for error in answer.json()["errors"]] == ["teams.1"]


def test_keys_are_made_listed_and_revoked(new_tenant, query_server):
    """A new key works at once, is listed without its secret, and is refused once revoked."""
    _, http, _ = new_tenant(scopes=["admin"])
    _, stranger, _ = new_tenant("other", scopes=["admin"])
    made = http.post("/v1/keys", json={"scopes": ["read"], "teams": ["team-1"]})
    assert made.status_code == 201
    key_id, key = made.json()["key_id"], made.json()["key"]
    assert query_server.client(key).get("/v1/report").status_code == 200
    (listed,) = [row for row in http.get("/v1/keys").json()["keys"] if row["key_id"] == key_id]
    assert (listed["scopes"], listed["teams"], listed["revoked_at"]) == (["read"], ["team-1"], None)
    assert key.split("_", 2)[2] not in http.get("/v1/keys").text
    assert stranger.delete(f"/v1/keys/{key_id}").status_code == 404
    assert http.delete(f"/v1/keys/{key_id}").status_code == 204
    assert query_server.client(key).get("/v1/report").status_code == 401
    wrong = http.post("/v1/keys", json={"scopes": ["everything"]})
    assert wrong.json()["errors"][0]["allowed"] == ["ingest", "import", "read", "manage", "admin"]


def test_a_key_limited_to_teams_makes_no_wider_key(store_client, new_tenant):
    """Nor does it see the tenant's books, or events and rows of other teams."""
    tenant, http, _ = new_tenant(scopes=["admin"], teams=["team-1"])
    (hidden,) = insert_usage(store_client, tenant, [event(team_id="team-2")])
    for teams in ([], ["team-2"], ["team-1", "team-2"]):
        answer = http.post("/v1/keys", json={"scopes": ["read"], "teams": teams})
        assert (answer.status_code, answer.json()["reason"]) == (403, "forbidden")
    assert http.post("/v1/keys", json={"scopes": ["read"], "teams": ["team-1"]}).is_success
    assert http.get("/v1/ledger").status_code == 403
    assert http.get("/v1/verify").json()["rows"] == 0
    assert http.get("/v1/events?from=2026-01-01").json()["events"] == []
    assert not http.get(f"/v1/events/trace?source=sample&id={hidden}").json()["stored"]


def test_the_hash_of_a_user(new_tenant):
    """An admin learns which hash stands for a user; the id travels in the body."""
    _, http, secret = new_tenant(scopes=["admin"])
    answer = http.post("/v1/hash", json={"user": "user-1"})
    assert answer.json() == {"hashed_user_id": hashed_user_id(secret, "user-1")}
    _, reader, _ = new_tenant("reader")
    assert reader.post("/v1/hash", json={"user": "user-1"}).status_code == 403
    assert http.post("/v1/hash", json={"name": "user-1"}).status_code == 400
    assert http.post("/v1/hash?user=user-1", json={"user": "user-1"}).status_code == 400


def test_a_body_that_is_not_json_is_named_as_the_body(new_tenant):
    """What is wrong is the body, and where; nothing of it is repeated."""
    _, http, _ = new_tenant(scopes=["admin"])
    answer = http.post("/v1/hash", content=b'{"user', headers={"Content-Type": "application/json"})
    assert answer.status_code == 400
    (error,) = answer.json()["errors"]
    assert (error["parameter"], error["reason"]) == ("body", "json_invalid")
    assert error["detail"] == "not JSON, from byte 1 on"


def test_openapi_tells_of_refusals(new_tenant):
    """Every endpoint documents its problem documents, and no answer that is never given."""
    _, http, _ = new_tenant()
    paths = http.get("/openapi.json").json()["paths"]
    for path, methods in paths.items():
        for each in methods.values():
            assert "422" not in each["responses"]
            assert ({"4XX", "503"} <= set(each["responses"])) == path.startswith("/v1/")


def test_openapi_and_metrics(new_tenant, query_server):
    """The documents name every endpoint and parameter; queries are timed by their name."""
    _, http, _ = new_tenant()
    http.get("/v1/report")
    paths = http.get("/openapi.json").json()["paths"]
    assert {path.split("?")[0] for path in GETS} <= set(paths)
    named = {parameter["name"] for parameter in paths["/v1/report"]["get"]["parameters"]}
    assert {"team", "preset", "from", "as_of", "sort", "cursor"} <= named
    assert http.get("/docs").status_code == 200
    text = query_server.client("").get("/metrics").text
    assert 'usage_query_seconds_count{query="report"}' in text
    assert "usage_query_errors_total" in text
