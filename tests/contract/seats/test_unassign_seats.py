"""Unassign: which path is closed, which verdict is given, and what is refused."""

import json
from datetime import timedelta

import pytest

from tests.support.directory_rows import insert_entry
from tests.support.plain_tenant import hashed
from tests.support.seats import item, new_id

GROUP = {"assignment": "group", "group": "design"}
DEFAULT = {"assignment": "default"}


def test_a_seat_by_two_paths_stays_by_the_other(seats):
    """A seat held directly and by group stays assigned, by the group."""
    seats.put()
    seats.put(**GROUP)
    answer = seats.ask("unassign", item())
    (found,) = answer["items"]
    assert (found["verdict"], found["assignment"], found["group"]) == (
        *("still_assigned", "group", "design"),
    )
    assert (answer["counts"]["users"], answer["counts"]["seats"]) == (1, 1)
    (row,) = seats.rows()
    assert (row["seat"], row["assignment"], row["group"]) == ("assigned", "group", "design")


def test_the_verdicts_of_unassign(seats):
    """One for each state that a seat can be in; history stays."""
    seats.put("direct")
    seats.put("grouped", **GROUP)
    seats.put("default", **DEFAULT)
    seats.put("both", **GROUP)
    seats.put("both", **DEFAULT)
    seats.put("past")
    seats.put("past", "2026-02-01", assigned=False)
    users = ["direct", "grouped", "default", "both", "past", "nobody", "direct"]
    answer = seats.ask("unassign", *map(item, users))
    assert [each["verdict"] for each in answer["items"]] == [
        *("unassigned", "skipped_group", "skipped_default", "skipped_group"),
        *("not_assigned", "not_assigned", "not_assigned"),
    ]
    assert answer["counts"] == {
        "users": 1,
        "seats": 1,
        "unassigned": 1,
        "still_assigned": 0,
        "skipped_group": 2,
        "skipped_default": 1,
        "not_assigned": 3,
    }
    row = next(row for row in seats.rows() if row["user_id"] == "direct")
    assert row["seat"] == "unassigned"
    assert (row["assigned_at"], row["unassigned_at"]) == (
        *("2026-01-01T00:00:00.000Z", "2026-05-31T15:30:00.123Z"),
    )


def test_an_item_is_answered_as_it_was_named(seats):
    """With its verdict; the request's id comes back."""
    seats.put()
    answer = seats.ask("unassign", item(), request_id="request of mine")
    assert answer["request_id"] == "request of mine"
    assert answer["dry_run"] is False
    assert answer["items"] == [
        {
            "user_id": "user-1",
            "hashed_user_id": None,
            "product_id": "product-1",
            "team_id": "team-1",
            "access": "subscription",
            "verdict": "unassigned",
            "assignment": None,
            "group": None,
        }
    ]


def test_flex_is_a_seat_of_its_own(seats):
    """Unassigned by its access; the subscription stays."""
    seats.put()
    seats.put(access="flex")
    assert seats.verdicts("unassign", item(access="flex")) == ["unassigned"]
    assert {row["access"]: row["seat"] for row in seats.rows()} == {
        "subscription": "assigned",
        "flex": "unassigned",
    }


def test_a_dry_run_tells_and_changes_nothing(seats):
    """The same verdicts and counts; its request id can still be used."""
    seats.put()
    dry = seats.ask("unassign", item(), dry_run=True, request_id="dry")
    assert dry["dry_run"] is True
    assert seats.rows()[0]["seat"] == "assigned"
    done = seats.ask("unassign", item(), request_id="dry")
    assert (done["items"], done["counts"]) == (dry["items"], dry["counts"])
    nameless = seats.ask("unassign", item(), dry_run=True, request_id=None)
    assert nameless["request_id"] is None


def test_a_change_comes_after_one_of_the_same_second(seats):
    """A clock a little behind still unassigns; a change far ahead is not one of the present."""
    seats.put()
    assert seats.verdicts("unassign", item()) == ["unassigned"]
    for server in seats.servers:
        server.now -= timedelta(milliseconds=900)
    assert seats.verdicts("assign", item()) == ["assigned"]
    seats.put(day="2026-06-30", assigned=False)
    assert seats.verdicts("assign", item()) == ["already_assigned"]


def test_every_wrong_field_of_seats_is_named(seats):
    """By its place, all at once, in the reports' reasons, without a word of what was sent."""
    items = [item(), item("secret-user", product_id=""), {"team_id": 5}, item(access="x", more=1)]
    answer = seats.send("unassign", {"items": items, "request_id": "a\nb"})
    assert answer.status_code == 400
    assert {error["parameter"] for error in answer.json()["errors"]} == {
        *("items.1.product_id", "items.2.product_id", "items.2.team_id"),
        *("items.3.access", "items.3.more", "request_id"),
    }
    reasons = {error["parameter"]: error["reason"] for error in answer.json()["errors"]}
    assert reasons["items.2.product_id"] == "missing_parameter"
    assert reasons["items.3.more"] == "unknown_parameter"
    assert reasons["items.3.access"] == "invalid_value"
    assert "secret-user" not in answer.text


def test_what_does_not_go_together_is_refused(seats):
    """Seats or a filter; an id unless nothing changes; none of those of undoing; a user once."""

    def wrong(**body):
        answer = seats.send("unassign", body)
        assert answer.status_code == 400
        return [error["parameter"] for error in answer.json()["errors"]]

    assert wrong() == ["items", "request_id"]
    assert wrong(items=[item()], expected_users=1) == ["request_id", "expected_users"]
    assert wrong(items=[item()], filter={}, request_id="undo:x") == [
        *("items", "request_id", "expected_users"),
    ]
    assert wrong(items=[item(hashed_user_id="x"), item(None)], dry_run=True) == [
        *("items.0", "items.1"),
    ]
    assert wrong(items=[item()] * 10_001, dry_run=True) == ["items"]
    assert wrong(items=[], dry_run=True) == ["items"]


def test_ten_thousand_seats_at_once(seats):
    """As many as a request may have, in one go."""
    users = [f"user-{number:05}" for number in range(10_000)]
    seats.ask("assign", *map(item, users))
    answer = seats.ask("unassign", *map(item, users))
    assert answer["counts"]["unassigned"] == 10_000


def test_users_are_named_by_hash_where_hidden(new_seats):
    """A user id is refused then, and never answered; a hash of nobody is not assigned."""
    seats = new_seats()
    seats.put()
    refused = seats.send("unassign", {"items": [item()], "request_id": new_id()})
    assert refused.status_code == 400
    assert refused.json()["reason"] == "personal_data_hidden"
    assert [each["parameter"] for each in refused.json()["errors"]] == ["items.0.user_id"]
    code = hashed(seats.secret, "user-1")
    named = {name: value for name, value in item().items() if name != "user_id"}
    answer = seats.ask(
        "unassign", {**named, "hashed_user_id": code}, {**named, "hashed_user_id": "0" * 40}
    )
    assert [(each["hashed_user_id"], each["verdict"]) for each in answer["items"]] == [
        *((code, "unassigned"), ("0" * 40, "not_assigned")),
    ]
    assert {each["user_id"] for each in answer["items"]} == {None}
    body = {"items": [{**named, "hashed_user_id": "0" * 40}], "request_id": new_id()}
    nobody = seats.send("assign", body)
    assert nobody.status_code == 400
    assert [each["parameter"] for each in nobody.json()["errors"]] == ["items.0.hashed_user_id"]


def test_whoever_was_hidden_stays_hidden(seats):
    """An undo is answered in the view of its request, though the rows' own team shows names."""
    insert_entry(seats.store, seats.tenant, "teams", team_id="team-2", personal_data=False)
    seats.put()
    request_id = new_id()
    body = {"request_id": request_id, "filter": {"product": "product-1"}, "expected_users": 1}
    answer = seats.send("unassign", body).json()
    code = hashed(seats.secret, "user-1")
    for told in (answer, seats.undo(request_id).json()):
        assert [(each["user_id"], each["hashed_user_id"]) for each in told["items"]] == [
            (None, code)
        ]


def test_users_are_named_by_id_where_shown(seats):
    """A hash is refused then: answered beside the id it would undo every hiding."""
    named = {name: value for name, value in item().items() if name != "user_id"}
    body = {"items": [item(), {**named, "hashed_user_id": "0" * 40}], "dry_run": True}
    answer = seats.send("unassign", body)
    assert answer.status_code == 400
    assert [each["parameter"] for each in answer.json()["errors"]] == ["items.1.hashed_user_id"]


def test_only_managers_change_seats(new_seats):
    """A key that only reads is refused everywhere."""
    seats = new_seats(scopes=["read"])
    for kind in ("assign", "unassign", "move-to-flex"):
        assert seats.send(kind, {"items": [item()], "dry_run": True}).status_code == 403
    assert seats.undo("any").status_code == 403
    assert seats.https[0].get("/v1/seat-changes").status_code == 403


def test_a_key_changes_seats_of_its_teams_alone(new_seats):
    """Of another team: 403, and nothing of the request is done."""
    whole = new_seats()
    whole.put()
    limited = new_seats(teams=["team-2"])
    named = {"hashed_user_id": hashed(whole.secret, "user-1"), "product_id": "product-1"}
    items = [{**named, "team_id": "team-2"}, {**named, "team_id": "team-1"}]
    answer = limited.send("unassign", {"items": items, "request_id": new_id()})
    assert answer.status_code == 403
    assert [each["parameter"] for each in answer.json()["errors"]] == ["items.1.team_id"]
    assert whole.rows()[0]["seat"] == "assigned"


@pytest.mark.parametrize(
    "body",
    [
        {"\ud800": 1},
        {"items": [item("\ud800")]},
        {"items": [item(more={"\ud800": 1})]},
        {"items": [item(hashed_user_id="\ud800")]},
        {"filter": {"\ud800": 1}, "expected_users": 0},
        {"filter": {"team": "\ud800"}, "expected_users": 0},
        {"filter": {"user": ["a", "\ud800"]}, "expected_users": 0},
        {"filter": {"preset": "\ud800"}, "expected_users": 0},
        {"filter": {}, "expected_users": 0, "as_of": "\ud800"},
        {"filter": {"days_used_min": 1e400}, "expected_users": 10**400},
        {"filter": [], "expected_users": True},
        [],
        None,
    ],
)
def test_strange_bodies_of_seats_are_refused(seats, body):
    """Half a character of UTF-16, numbers without end, no object: 400, never a mistake of ours."""
    if isinstance(body, dict):
        body = {"dry_run": True, **body}
    answer = seats.https[0].post("/v1/unassign", content=json.dumps(body))
    assert answer.status_code == 400
    assert answer.json()["errors"]
