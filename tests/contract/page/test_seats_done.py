"""What became of a change of seats: told by a link that changes nothing, finished by a form."""

import json
from datetime import UTC, datetime

import pytest

from tests.support.directory_rows import insert_entry
from tests.support.page_session import hidden_fields

SEAT = {"user_id": "user-1", "product_id": "product-1", "team_id": "team-1"}
REQUEST = "request-of-the-page"
DONE = f"/seats/done?request={REQUEST}&back=/%3Fteam=team-1"


@pytest.fixture
def tenant(visitor, store_client):
    """A visitor whose tenant has a seat to take back."""
    insert_entry(store_client, visitor.tenant, "teams")
    at = datetime(2026, 1, 1, tzinfo=UTC)
    insert_entry(store_client, visitor.tenant, "seat_changes", at=at)
    return visitor


def take_back(visitor):
    """The form of the review."""
    fields = [("kind", "unassign"), ("request_id", REQUEST), ("seat", json.dumps(SEAT))]
    return visitor.send("/seats/change", *fields, back="/?team=team-1")


def break_off(store, visitor, *, lost_changes):
    """As if the process had died before it knew that all is done."""
    by = {"tenant": visitor.tenant, "id": REQUEST}
    if lost_changes:
        store.command(
            "DELETE FROM seat_changes WHERE tenant = {tenant:String} AND request_id = {id:String}",
            parameters=by,
        )
    store.command(
        "INSERT INTO change_requests SELECT * REPLACE ("
        "replace(plan, '\"is_final\":true', '\"is_final\":false') AS plan, version + 1 AS version) "
        "FROM change_requests FINAL WHERE tenant = {tenant:String} AND request_id = {id:String}",
        parameters=by,
    )


def changes(store, visitor):
    """Seats unassigned and by whom, and who asked for the request and its version."""
    rows = [
        (
            "SELECT assigned, actor FROM seat_changes FINAL"
            " WHERE tenant = {tenant:String} AND request_id != ''"
        ),
        "SELECT actor, version FROM change_requests FINAL WHERE tenant = {tenant:String}",
    ]
    return [store.query(sql, parameters={"tenant": visitor.tenant}).result_rows for sql in rows]


def key_id(visitor):
    """Of the key that a visitor is signed in with."""
    return visitor.key.split("_")[1]


@pytest.mark.parametrize("lost_changes", [True, False])
def test_a_link_finishes_nothing(tenant, new_visitor, store_client, lost_changes):
    """Whoever opens it sees what was decided; a form finishes it, as who asked for it."""
    assert take_back(tenant).status_code == 303
    break_off(store_client, tenant, lost_changes=lost_changes)
    before = changes(store_client, tenant)
    other = new_visitor(scopes=["manage"])
    told = other.get(DONE)
    assert (told.status_code, "Not finished: 1 seat of 1 user" in told.text) == (200, True)
    assert "Complete up to" in told.text
    assert changes(store_client, tenant) == before
    bare = other.http.post("/seats/finish", data={"request_id": REQUEST})
    assert (bare.status_code, changes(store_client, tenant)) == (403, before)
    done = other.send("/seats/finish", *hidden_fields(told.text, "/seats/finish"))
    assert done.status_code == 303
    seats, requests = changes(store_client, tenant)
    assert seats == [(False, key_id(tenant))]
    assert [actor for actor, _ in requests] == [key_id(tenant)]
    told = other.get(done.headers["location"]).text
    assert "Unassigned: 1 seat of 1 user" in told
    assert 'href="/?team=team-1"' in told


def test_finishing_twice_is_finishing_once(tenant, store_client):
    """And what was finished is as it was."""
    take_back(tenant)
    break_off(store_client, tenant, lost_changes=True)
    assert tenant.send("/seats/finish", request_id=REQUEST).status_code == 303
    once = changes(store_client, tenant)
    assert tenant.send("/seats/finish", request_id=REQUEST).status_code == 303
    assert changes(store_client, tenant) == once


def test_an_undo_finishes_as_who_asked(tenant, new_visitor, store_client):
    """What another left unfinished stays that one's; the way back is the undoing one's."""
    take_back(tenant)
    break_off(store_client, tenant, lost_changes=True)
    other = new_visitor(scopes=["manage"])
    assert other.send("/seats/undo", request_id=REQUEST).status_code == 303
    seats, _ = changes(store_client, tenant)
    assert sorted(seats) == [(False, key_id(tenant)), (True, key_id(other))]


def test_only_what_may_be_changed_is_finished(tenant, new_visitor, store_client):
    """By a key that manages, and whose teams they are; an unknown request is a page of 404."""
    take_back(tenant)
    break_off(store_client, tenant, lost_changes=True)
    before = changes(store_client, tenant)
    limited = new_visitor(scopes=["manage"], teams=["team-2"])
    reader = new_visitor(scopes=["read"])
    assert limited.send("/seats/finish", request_id=REQUEST).status_code == 403
    assert limited.get(DONE).status_code == 403
    assert reader.send("/seats/finish", request_id=REQUEST).status_code == 403
    assert tenant.send("/seats/finish", request_id="nothing").status_code == 404
    assert changes(store_client, tenant) == before
