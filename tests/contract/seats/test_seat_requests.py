"""Request ids, undo, move to flex, and seats that a filter chooses."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from tests.support.directory_rows import insert_entry
from tests.support.plain_tenant import hashed
from tests.support.seats import item, new_id
from tests.support.usage import event, insert_usage

GROUP = {"assignment": "group", "group": "design"}


def stored_rows(seats):
    """How many seat changes came with requests."""
    sql = (
        "SELECT count() FROM seat_changes FINAL WHERE tenant = {tenant:String} AND request_id != ''"
    )
    return seats.store.query(sql, parameters={"tenant": seats.tenant}).result_rows[0][0]


def state(seats):
    """Whether each seat is assigned, by user and access."""
    return {(row["user_id"], row["access"]): row["seat"] for row in seats.rows()}


def test_a_request_sent_again_is_answered_as_before(seats):
    """Whatever happened meanwhile, and at whichever service; another body is refused."""
    seats.put()
    body = {"items": [item()], "request_id": new_id()}
    first = seats.send("unassign", body).json()
    seats.later()
    seats.verdicts("assign", item())
    for server in (0, 1):
        assert seats.send("unassign", body, server=server).json() == first
    assert stored_rows(seats) == 2
    assert state(seats)["user-1", "subscription"] == "assigned"
    for kind, other in (("unassign", {"items": [item("user-2")]}), ("assign", {})):
        answer = seats.send(kind, body | other)
        assert (answer.status_code, answer.json()["reason"]) == (409, "request_id_reused")


def test_request_ids_are_the_tenant_s_own(seats, new_seats):
    """The same id of another tenant is another request, and not to be undone."""
    seats.put()
    seats.ask("unassign", item(), request_id="shared id")
    other = new_seats(name="other")
    insert_entry(other.store, other.tenant, "teams")
    assert other.undo("shared id").json()["reason"] == "unknown_request"
    assert other.ask("assign", item(), request_id="shared id")["counts"]["assigned"] == 1
    assert other.undo("no such").status_code == 404


@pytest.mark.parametrize("lost", ["changes", "answer"])
def test_a_crash_in_between_is_made_good_by_the_retry(seats, lost):
    """The plan is recorded first: a retry stores what is missing, and answers the same."""
    seats.put()
    body = {"items": [item()], "request_id": new_id()}
    first = seats.send("unassign", body).json()
    by = {"tenant": seats.tenant, "id": body["request_id"]}
    if lost == "changes":
        seats.store.command(
            "DELETE FROM seat_changes WHERE tenant = {tenant:String} AND request_id = {id:String}",
            parameters=by,
        )
        assert state(seats)["user-1", "subscription"] == "assigned"
    seats.store.command(
        "INSERT INTO change_requests SELECT * REPLACE ("
        "replace(plan, '\"is_final\":true', '\"is_final\":false') AS plan, version + 1 AS version) "
        "FROM change_requests FINAL WHERE tenant = {tenant:String} AND request_id = {id:String}",
        parameters=by,
    )
    seats.later()
    assert seats.send("unassign", body, server=1).json() == first
    (row,) = seats.rows()
    assert (row["seat"], row["unassigned_at"]) == ("unassigned", "2026-05-31T15:30:00.123Z")
    assert stored_rows(seats) == 1
    assert [each["request_id"] for each in seats.told()] == [None, body["request_id"]]


def test_assign_opens_the_direct_path(seats):
    """Also beside a group's; what is direct already stays as it is."""
    seats.put("grouped", **GROUP)
    seats.put("direct")
    answer = seats.ask("assign", *map(item, ["grouped", "direct", "new", "new"]))
    assert [each["verdict"] for each in answer["items"]] == [
        *("assigned", "already_assigned", "assigned", "already_assigned"),
    ]
    assert answer["counts"] == {"users": 2, "seats": 2, "assigned": 2, "already_assigned": 2}
    found = {row["user_id"]: (row["seat"], row["assignment"]) for row in seats.rows()}
    assert found == dict.fromkeys(["grouped", "direct", "new"], ("assigned", "direct"))


def test_a_move_to_flex_is_both_or_neither(seats):
    """Flex is assigned only where the subscription's seat is given back."""
    for user in ("plain", "both", "flexible"):
        seats.put(user)
    seats.put("both", **GROUP)
    seats.put("flexible", access="flex")
    seats.put("grouped", **GROUP)
    users = ["plain", "both", "flexible", "grouped", "nobody"]
    answer = seats.ask("move-to-flex", *map(item, users))
    assert [(each["verdict"], each["flex"]) for each in answer["items"]] == [
        *(("unassigned", "assigned"), ("still_assigned", "assigned")),
        *(("unassigned", "already_assigned"), ("skipped_group", None), ("not_assigned", None)),
    ]
    assert (answer["counts"]["users"], answer["counts"]["seats"]) == (3, 3)
    assert state(seats) == {
        ("plain", "subscription"): "unassigned",
        ("plain", "flex"): "assigned",
        ("both", "subscription"): "assigned",
        ("both", "flex"): "assigned",
        ("flexible", "subscription"): "unassigned",
        ("flexible", "flex"): "assigned",
        ("grouped", "subscription"): "assigned",
    }


def test_only_subscriptions_move_to_flex(seats):
    """What is flex already is refused by its place."""
    body = {"items": [item(access="flex")], "dry_run": True}
    (error,) = seats.send("move-to-flex", body).json()["errors"]
    assert (error["parameter"], error["allowed"]) == ("items.0.access", ["subscription"])


def test_undo_restores_what_the_request_changed(seats):
    """And answers the same when it is asked again; what was skipped is not in it."""
    seats.put()
    seats.put("grouped", **GROUP)
    before = state(seats)
    request_id = new_id()
    seats.ask("unassign", item(), item("grouped"), request_id=request_id)
    answer = seats.undo(request_id).json()
    assert answer["request_id"] == f"undo:{request_id}"
    assert answer["counts"] == {"users": 1, "seats": 1, "undone": 1, "changed_since": 0}
    assert [(each["user_id"], each["verdict"]) for each in answer["items"]] == [
        ("user-1", "undone"),
    ]
    assert state(seats) == before
    seats.verdicts("unassign", item())
    assert seats.undo(request_id).json() == answer
    assert state(seats)["user-1", "subscription"] == "unassigned"


def test_undo_leaves_what_has_changed_since(seats):
    """By a request or by the directory."""
    users = ["by request", "by directory", "untouched"]
    request_id = new_id()
    seats.ask("assign", *map(item, users), request_id=request_id)
    seats.later()
    seats.verdicts("unassign", item("by request"))
    seats.verdicts("assign", item("by request"))
    insert_entry(
        seats.store,
        seats.tenant,
        "seat_changes",
        user_id="by directory",
        at=datetime(2026, 5, 31, 16, tzinfo=UTC),
        assigned=False,
    )
    found = {each["user_id"]: each["verdict"] for each in seats.undo(request_id).json()["items"]}
    assert found == {
        "by request": "changed_since",
        "by directory": "changed_since",
        "untouched": "undone",
    }
    assert state(seats) == {
        ("by request", "subscription"): "assigned",
        ("by directory", "subscription"): "unassigned",
        ("untouched", "subscription"): "unassigned",
    }


def test_undo_of_a_move_is_both_or_neither(seats):
    """A half that was changed since keeps the other as it is."""
    for user in ("user-1", "user-2", "user-3"):
        seats.put(user)
    seats.put("user-3", access="flex")
    request_id = new_id()
    seats.ask("move-to-flex", *map(item, ["user-1", "user-2", "user-3"]), request_id=request_id)
    seats.verdicts("unassign", item("user-2", access="flex"))
    answer = seats.undo(request_id).json()
    assert [each["verdict"] for each in answer["items"]] == ["undone", "changed_since", "undone"]
    assert state(seats) == {
        ("user-1", "subscription"): "assigned",
        ("user-1", "flex"): "unassigned",
        ("user-2", "subscription"): "unassigned",
        ("user-2", "flex"): "unassigned",
        ("user-3", "subscription"): "assigned",
        ("user-3", "flex"): "assigned",
    }


def test_a_key_undoes_what_it_may_change(seats, new_seats):
    """A request on another team: 403, for the answer to a retry as well."""
    insert_entry(seats.store, seats.tenant, "teams", team_id="team-2")
    body = {"items": [item(), item(team_id="team-2")], "request_id": new_id()}
    assert seats.send("assign", body).status_code == 200
    limited = new_seats(teams=["team-2"])
    assert limited.undo(body["request_id"]).status_code == 403
    assert limited.send("assign", body).status_code == 403


@pytest.fixture
def filtered(seats):
    """Three unused seats, one of them by a group, and one in use."""
    for user in ("idle-1", "idle-2", "busy"):
        seats.put(user)
    seats.put("idle-3", **GROUP)
    insert_usage(seats.store, seats.tenant, [event("2026-05-20", user_id="busy")])
    return seats


def by_filter(seats, kind="unassign", *, expected=3, **more):
    """The answer to a request about all that is unused."""
    body = {"filter": {"activity": "inactive"}, "expected_users": expected, **more}
    return seats.send(kind, {"request_id": new_id(), **body})


def test_seats_are_chosen_by_a_filter(filtered):
    """The rows of the report that it chooses; the answer to a retry stays as it was."""
    request_id = new_id()
    answer = by_filter(filtered, request_id=request_id)
    found = {each["user_id"]: each["verdict"] for each in answer.json()["items"]}
    assert found == {"idle-1": "unassigned", "idle-2": "unassigned", "idle-3": "skipped_group"}
    filtered.put("idle-4")
    assert by_filter(filtered, request_id=request_id).json() == answer.json()


def test_a_filter_that_chooses_other_users_changes_nothing(filtered):
    """409 with the number that it chooses."""
    answer = by_filter(filtered, expected=2)
    assert (answer.status_code, answer.json()["reason"]) == (409, "expected_users_differ")
    assert answer.json()["errors"][0]["allowed"] == ["3"]
    assert set(state(filtered).values()) == {"assigned"}


def test_filters_are_those_of_the_report(filtered):
    """Lists, numbers and as_of; every wrong one is named."""
    many = {"user": ["idle-1", "idle-2", "busy"], "days_used_max": 0, "team": "team-1"}
    answer = by_filter(filtered, expected=2, filter=many, dry_run=True)
    assert answer.json()["counts"]["unassigned"] == 2
    early = by_filter(filtered, expected=0, filter={}, as_of="2025-12-31", dry_run=True)
    assert early.json()["items"] == []
    wrong = {"activity": "idle", "teams": "x", "team": [None], "by": "user", "preset": "1y"}
    answer = by_filter(filtered, filter=wrong, as_of="soon")
    assert answer.status_code == 400
    assert {error["parameter"] for error in answer.json()["errors"]} == {
        *("filter.activity", "filter.teams", "filter.team", "filter.by", "filter.preset"),
        "as_of",
    }
    answer = by_filter(filtered, "assign")
    assert [error["parameter"] for error in answer.json()["errors"]] == ["filter"]


def test_a_filter_moves_subscriptions_alone(filtered):
    """Rows of flex are left out, each other row goes by its own access."""
    filtered.put("idle-1", access="flex")
    answer = by_filter(filtered, "move-to-flex")
    assert [each["access"] for each in answer.json()["items"]] == ["subscription"] * 3
    filtered.later(timedelta(minutes=1))
    answer = by_filter(filtered, expected=2, filter={"access": "flex", "seat": "assigned"})
    assert answer.json()["counts"]["unassigned"] == 2


def test_a_seat_through_a_collection_is_not_the_members(seats):
    """A member's row with `via` is not assigned; the collection's is."""
    insert_entry(
        *(seats.store, seats.tenant, "products"),
        product_id="suite",
        kind="collection",
        members=["product-1"],
    )
    seats.put(product_id="suite")
    insert_usage(seats.store, seats.tenant, [event("2026-05-20")])
    answer = by_filter(seats, expected=1, filter={"user": "user-1"})
    assert {each["product_id"]: each["verdict"] for each in answer.json()["items"]} == {
        "product-1": "not_assigned",
        "suite": "unassigned",
    }


def test_a_filter_in_a_hidden_view_answers_hashes(new_seats):
    """Chosen by hash, answered by hash, and a name's filter is refused."""
    seats = new_seats()
    seats.put("user-of-hidden")
    code = hashed(seats.secret, "user-of-hidden")
    answer = by_filter(seats, expected=1, filter={"user": code})
    assert [each["hashed_user_id"] for each in answer.json()["items"]] == [code]
    assert "user-of-hidden" not in json.dumps(answer.json())
    refused = by_filter(seats, filter={"q": "x"})
    assert refused.json()["reason"] == "personal_data_hidden"
    assert [error["parameter"] for error in refused.json()["errors"]] == ["filter.q"]
