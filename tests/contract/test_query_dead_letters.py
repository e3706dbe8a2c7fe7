"""`GET /v1/dead-letters`: what was refused, page by page, and as much of it as may be shown."""

import base64
from datetime import timedelta

import orjson
import pytest

from tests.support.dead_letter_rows import insert_letters
from tests.support.directory import put
from tests.support.query_server import NOW

RAW = orjson.dumps({"id": "1", "subject": "user-1", "data": {"team_id": "team-1"}})
FIELDS = (
    *("origin", "received_at", "reason", "detail", "key_id", "replayed"),
    *("size_bytes", "whole", "raw", "raw_base64"),
)


@pytest.fixture
def tenant(store_client, new_tenant):
    """A tenant whose one team shows names: (its name, a client of an admin)."""
    name, http, _ = new_tenant(scopes=["admin"])
    put(http, "teams", {"team_id": "team-1", "personal_data": True})
    return name, http


def letters_of(http, **asked):
    """All pages of a list."""
    found, place = [], {}
    while place is not None:
        body = http.get("/v1/dead-letters", params={**asked, **place}).json()
        found += body["dead_letters"]
        cursor = body["next_cursor"]
        place = {"cursor": cursor} if cursor else None
    return found


def test_pages_hold_each_letter_once(store_client, tenant):
    """The latest received first, also where many came at the same moment."""
    name, http = tenant
    origins = insert_letters(store_client, name, [RAW] * 7, last_at=NOW)
    same = [
        origin
        for _ in range(6)
        for origin in insert_letters(store_client, name, [RAW], last_at=NOW - timedelta(days=1))
    ]
    found = letters_of(http, limit="2")
    assert [each["origin"] for each in found] == [*reversed(origins), *sorted(same, reverse=True)]
    assert tuple(found[0]) == FIELDS
    assert found[0]["received_at"] == "2026-05-31T15:30:00.123Z"


def test_filters(store_client, tenant):
    """By reason, day of receipt and state; they combine."""
    name, http = tenant
    days = [NOW, NOW - timedelta(days=10), NOW - timedelta(days=100)]
    kinds = [("time_too_old", False), ("unknown_type", True), ("forbidden", False)]
    origins = [
        insert_letters(store_client, name, [RAW], last_at=day, reason=reason, replayed=replayed)[0]
        for day, (reason, replayed) in zip(days, kinds, strict=True)
    ]

    def numbers(**asked):
        return [origins.index(each["origin"]) for each in letters_of(http, **asked)]

    assert numbers() == [0, 1, 2]
    assert numbers(reason=["forbidden", "unknown_type"]) == [1, 2]
    assert numbers(replayed="true") == [1]
    assert numbers(replayed="false") == [0, 2]
    assert numbers(**{"from": str(days[1].date()), "to": str(days[1].date())}) == [1]
    assert numbers(to=str(days[1].date()), replayed="false") == [2]


def test_what_is_wrong_is_told(tenant):
    """All at once, with the values there are."""
    _, http = tenant
    asked = {"reason": "bad", "replayed": "perhaps", "from": "soon", "user": "user-1"}
    answer = http.get("/v1/dead-letters", params=asked)
    assert answer.status_code == 400
    errors = {error["parameter"]: error for error in answer.json()["errors"]}
    assert set(errors) == set(asked)
    assert "unknown_type" in errors["reason"]["allowed"]


def test_a_cursor_fits_its_own_list(store_client, tenant):
    """Not one with other filters."""
    name, http = tenant
    insert_letters(store_client, name, [RAW] * 3, last_at=NOW)
    cursor = http.get("/v1/dead-letters?limit=1").json()["next_cursor"]
    assert http.get(f"/v1/dead-letters?cursor={cursor}").status_code == 200
    for other in ("replayed=false", "reason=forbidden", "to=2026-06-01"):
        assert http.get(f"/v1/dead-letters?{other}&cursor={cursor}").status_code == 400


def test_text_and_bytes_are_shown_to_a_limit(store_client, tenant):
    """Text as text, whatever its length cuts; other bytes exactly as well, with the true size."""
    name, http = tenant
    raws = [b"x" + "é".encode() * 4000, b"\xff\x00\x1f bad", b"", b"y" * 65_536]
    insert_letters(store_client, name, raws, last_at=NOW)
    long, binary, nothing, cut = reversed(letters_of(http))
    assert (long["raw"], long["raw_base64"]) == ("x" + "é" * 2047, None)
    assert (long["size_bytes"], long["whole"]) == (8001, True)
    assert binary["raw"] == "\ufffd\x00\x1f bad"
    assert base64.b64decode(binary["raw_base64"]) == raws[1]
    assert (nothing["raw"], nothing["size_bytes"]) == ("", 0)
    assert (cut["size_bytes"], cut["whole"], len(cut["raw"])) == (65_536, False, 4096)


def test_only_the_tenants_own(store_client, tenant, new_tenant):
    """Neither another tenant's nor the lines of the log that are nobody's."""
    name, http = tenant
    _, other, _ = new_tenant("other", scopes=["admin"])
    insert_letters(store_client, name, [RAW], last_at=NOW)
    insert_letters(store_client, "", [RAW], last_at=NOW, origin=f"usage.events/0/7/{name}")
    assert len(letters_of(http)) == 1
    assert letters_of(other) == []


def test_who_may_not_ask(new_tenant):
    """A letter can't be told apart by team, so the key is an admin's of the whole tenant."""
    _, reader, _ = new_tenant(scopes=["manage"])
    _, limited, _ = new_tenant(scopes=["admin"], teams=["team-1"])
    for http in (reader, limited):
        assert http.get("/v1/dead-letters").status_code == 403


def test_what_names_users_is_hidden_with_them(store_client, tenant):
    """A team that is off hides all letters; an unknown one, or none at all, those that name it."""
    name, http = tenant
    of_stranger = RAW.replace(b"team-1", b"team-2")
    insert_letters(store_client, name, [RAW, of_stranger, b"{oops"], last_at=NOW)

    def shown():
        found = list(reversed(letters_of(http)))
        for each in found:
            assert (each["raw"] is None) == (each["detail"] is None)
            assert each["raw"] is not None or each["raw_base64"] is None
        return [each["raw"] is not None for each in found]

    assert shown() == [True, False, True]
    put(http, "teams", {"team_id": "team-2", "personal_data": False})
    assert shown() == [False, False, False]
    put(http, "teams", {"team_id": "team-2", "personal_data": True})
    assert shown() == [True, True, True]
    for team in ("team-1", "team-2"):
        put(http, "teams", {"team_id": team, "deleted": True})
    assert shown() == [False, False, False]
