"""The audit log: who changed or exported what, before it is done and after; nobody is named."""

import json
from datetime import timedelta

import httpx
import pytest

from schemas.rejects import Unavailable
from sinks.audit import ACTIONS
from tests.support.directory import entry, put
from tests.support.gateway_process import wait_until
from tests.support.page_session import PageSession
from tests.support.query_server import NOW
from tests.support.usage import event, insert_usage

SEAT = {"user_id": "user-1", "product_id": "product-1", "team_id": "team-1"}
PERSONAL = ("user-1", "Sample", "Person", "sample@example.org")


@pytest.fixture
def admin(new_tenant, store_client):
    """A client of a tenant with a shown person, who used something."""
    tenant, http, _ = new_tenant(scopes=["admin"])
    http.timeout = httpx.Timeout(300)
    for name in ("teams", "users", "team_members", "products"):
        put(http, name, entry(name))
    insert_usage(store_client, tenant, [event("2026-05-01")])
    return http


def entries(http, **asked):
    """The audit log, the latest first."""
    answer = http.get("/v1/audit", params=asked)
    assert answer.status_code == 200, answer.text
    return answer.json()["entries"]


def test_every_change_and_export_is_told(admin):
    """With key, request id, time, result and counts; and not who they are about."""
    said = {"X-Request-Id": "sample-request.1"}
    body = {"items": [SEAT], "request_id": "change-1"}
    assert (
        admin.post("/v1/assign", json=body, headers=said).headers["X-Request-Id"]
        == said["X-Request-Id"]
    )
    assert admin.post("/v1/changes/change-1/undo").status_code == 200
    assert admin.post("/v1/move-to-flex", json=body).status_code == 409
    exported = admin.get("/v1/report.csv", params={"user": "user-1", "team": "team-1"})
    assert exported.status_code == 200
    made = admin.post("/v1/keys", json={"scopes": ["read"]}).json()["key_id"]
    assert admin.delete(f"/v1/keys/{made}").status_code == 204
    wait_until(lambda: not entries(admin, result="begun"), seconds=60)
    found = entries(admin)
    key_id = admin.headers["Authorization"].split("_")[1]
    assert {(each["via"], each["key_id"]) for each in found} == {("api", key_id)}
    newest = [(each["action"], each["result"]) for each in found]
    told = {each["action"]: each for each in found}
    assert set(newest) >= {
        ("assign", "done"),
        ("undo", "done"),
        ("move-to-flex", "refused"),
        ("export", "done"),
        ("create_key", "done"),
        ("revoke_key", "done"),
        ("put_directory", "done"),
        ("set_personal_data", "done"),
    }
    assert told["assign"]["request_id"] == said["X-Request-Id"]
    assert told["assign"]["details"]["change"] == "change-1"
    assert (told["assign"]["details"]["seats"], told["assign"]["details"]["assigned"]) == (1, 1)
    assert told["move-to-flex"]["details"] == {"reason": "request_id_reused"}
    assert told["set_personal_data"]["details"]["on_for"] == ["team-1"]
    assert told["revoke_key"]["details"] == {"key_id": made}
    assert told["create_key"]["details"] == {"key_id": made, "scopes": ["read"], "teams": []}
    export = told["export"]["details"]
    assert (export["format"], export["personal_data"]) == ("csv", "shown")
    assert (export["teams"], export["filters"]) == (["team-1"], ["team", "user"])
    assert not any(word in json.dumps(found) for word in PERSONAL)


def test_what_changes_nothing_is_not_in_it(admin):
    """Reports, dry runs and bodies that can't be read leave no entry."""
    before = entries(admin)
    admin.get("/v1/report")
    admin.post("/v1/unassign", json={"items": [SEAT], "dry_run": True})
    admin.post("/v1/unassign", json={"items": []})
    admin.get("/v1/report.csv", params={"nonsense": "1"})
    assert entries(admin) == before


def test_what_was_done_on_the_page_is_told_with_its_session(admin, query_server):
    """Two sessions of one key are two sessions."""
    key = admin.headers["Authorization"].removeprefix("Bearer ")
    pages = [PageSession(query_server.url, key, "") for _ in range(2)]
    for number, page in enumerate(pages):
        made = page.send("/settings/keys", scope="read", once=str(number))
        assert made.status_code == 200
        page.close()
    found = entries(admin, action="create_key")
    assert [(each["via"], each["result"]) for each in found] == [("page", "done")] * 2
    assert len({each["session"] for each in found}) == 2
    assert all(each["session"] for each in found)


def test_it_is_filtered_and_paged(admin, query_server):
    """By action, result and day; each entry once."""
    for _ in range(3):
        assert admin.get("/v1/report.ndjson").status_code == 200
    assert [each["action"] for each in entries(admin, action="export")] == ["export"] * 3
    assert entries(admin, result="failed") == []
    day = {"from": str((NOW - timedelta(days=9)).date()), "to": str((NOW - timedelta(1)).date())}
    assert entries(admin, **day) == []
    seen, cursor = [], {}
    while cursor is not None:
        page = admin.get("/v1/audit", params={"limit": 2, "action": "export", **cursor}).json()
        seen += [each["entry_id"] for each in page["entries"]]
        cursor = {"cursor": page["next_cursor"]} if page["next_cursor"] else None
    assert (len(seen), len(set(seen))) == (3, 3)
    wrong = admin.get("/v1/audit", params={"action": "nothing"}).json()
    assert wrong["errors"][0]["allowed"] == list(ACTIONS)


@pytest.mark.parametrize("key", [{"scopes": ["manage"]}, {"scopes": ["admin"], "teams": ["a"]}])
def test_it_is_the_whole_tenants_administrators(new_tenant, key):
    """No other key may ask."""
    _, http, _ = new_tenant(**key)
    assert http.get("/v1/audit").status_code == 403


def away(*_, **__):
    """The store does not take it."""
    raise Unavailable("clickhouse", "sample")


def test_nothing_is_done_that_is_not_in_it(admin, monkeypatch):
    """Where the entry can't be stored there is no file and no change: a 503, and a retry helps."""
    monkeypatch.setattr("sinks.audit.Deed.begin", away)
    body = {"items": [SEAT], "request_id": "change-2"}
    answers = [
        admin.get("/v1/report.csv"),
        admin.post("/v1/assign", json=body),
        admin.put("/v1/directory/teams", json=[{"team_id": "team-9"}]),
        admin.post("/v1/keys", json={"scopes": ["read"]}),
    ]
    assert [answer.status_code for answer in answers] == [503] * 4
    monkeypatch.undo()
    assert admin.get("/v1/directory/teams", params={"team": "team-9"}).json()["teams"] == []
    assert admin.get("/v1/seat-changes").json()["changes"] == []
    assert len(admin.get("/v1/keys").json()["keys"]) == 1
    assert admin.post("/v1/assign", json=body).status_code == 200


def test_an_entry_that_can_not_be_ended_hurts_nothing(admin, monkeypatch):
    """What was done is answered as done; its entry stays `begun`."""
    tried = []
    monkeypatch.setattr("sinks.audit.Deed.end", lambda *_: tried.append(1) or away())
    file = admin.get("/v1/report.csv")
    assert (file.status_code, len(file.text.splitlines())) == (200, 2)
    body = {"items": [SEAT], "request_id": "change-3"}
    assert admin.post("/v1/assign", json=body).json()["counts"]["assigned"] == 1
    # An export's is stored when its last byte is sent.
    wait_until(lambda: len(tried) == 2, seconds=60)
    monkeypatch.undo()
    found = entries(admin, result="begun")
    assert [each["action"] for each in found] in (["assign", "export"], ["export", "assign"])


def test_an_export_that_fails_is_told_as_failed(admin, monkeypatch):
    """Before its first byte: it is in the log, and not as done."""
    monkeypatch.setattr("query_service.routes.exports.Export", away)
    assert admin.get("/v1/report.csv").status_code == 503
    monkeypatch.undo()
    assert [each["result"] for each in entries(admin, action="export")] == ["failed"]
