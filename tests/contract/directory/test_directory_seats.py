"""Changes of seats by the directory: history is kept, and only what changes something is stored."""

from datetime import UTC, datetime

import pytest

from tests.support.directory import VALID, entry, listed, put


@pytest.fixture
def http(new_tenant):
    """A client with a key that manages a new tenant, whose one team shows names."""
    http = new_tenant(scopes=["manage"])[1]
    put(http, "teams", VALID["teams"])
    return http


def change(month, assigned=True, **changed):
    """A change of the one seat on the first of a month."""
    at = f"2026-{month:02}-01T00:00:00.000Z"
    return entry("assignments", at=at, assigned=assigned, **changed)


def history(http):
    """(month, assigned) of every stored change."""
    return [(int(row["at"][5:7]), row["assigned"]) for row in listed(http, "assignments")]


def test_history_is_kept(http):
    """An unassignment leaves the assignment before it where it is."""
    put(http, "assignments", change(1))
    put(http, "assignments", change(3, assigned=False))
    put(http, "assignments", change(5))
    assert history(http) == [(1, True), (3, False), (5, True)]


def test_a_change_that_changes_nothing_is_accepted_and_not_stored(http):
    """Judged by the path's state at that moment, not by the latest one."""
    put(http, "assignments", change(1, assigned=False))
    assert history(http) == []
    put(http, "assignments", change(2), change(5, assigned=False))
    put(http, "assignments", change(2), change(3), change(6, assigned=False))
    put(http, "assignments", change(1, assigned=False))
    assert history(http) == [(2, True), (5, False)]
    put(http, "assignments", change(6))
    assert history(http) == [(2, True), (5, False), (6, True)]


def test_a_request_is_judged_in_the_order_of_time(http):
    """Whatever the order of its entries."""
    put(http, "assignments", change(4), change(3, assigned=False), change(2), change(1))
    assert history(http) == [(1, True), (3, False), (4, True)]


def test_paths_are_folded_each_by_itself(http):
    """Direct, default, and each group; flex is another seat."""
    paths = [
        {"assignment": "direct"},
        {"assignment": "default"},
        {"assignment": "group", "group": "a"},
        {"assignment": "group", "group": "b"},
        {"access": "flex"},
    ]
    put(http, "assignments", *(change(1, **path) for path in paths))
    put(http, "assignments", change(2, assigned=False, **paths[2]), change(2, **paths[3]))
    found = [
        (r["at"][5:7], r["access"], r["assignment"], r["group"])
        for r in listed(http, "assignments")
    ]
    assert sorted(found, key=str) == [
        ("01", "flex", "direct", None),
        ("01", "subscription", "default", None),
        ("01", "subscription", "direct", None),
        ("01", "subscription", "group", "a"),
        ("01", "subscription", "group", "b"),
        ("02", "subscription", "group", "a"),
    ]


def test_a_change_of_the_same_moment_replaces_the_one_before(http):
    """The last word at a moment counts; an absent `assigned` keeps it."""
    put(http, "assignments", change(1), change(2, assigned=False))
    put(http, "assignments", change(2, assigned=True))
    assert history(http) == [(1, True), (2, True)]
    without = {name: value for name, value in change(1).items() if name != "assigned"}
    put(http, "assignments", without)
    assert history(http) == [(1, True), (2, True)]
    answer = http.put("/v1/directory/assignments", json=without | {"at": "2026-03-01T00:00:00Z"})
    assert answer.json()["rejected"][0]["field"] == "assigned"


def test_a_deleted_change_is_gone(http):
    """As if it had never been; with the fields that identify it alone."""
    put(http, "assignments", change(1), change(2, assigned=False))
    gone = {name: value for name, value in change(2).items() if name != "assigned"}
    put(http, "assignments", gone | {"deleted": True})
    assert history(http) == [(1, True)]
    put(http, "assignments", change(2, assigned=False))
    assert history(http) == [(1, True), (2, False)]
    put(http, "assignments", change(1) | {"deleted": True}, change(3, assigned=False))
    assert history(http) == [(2, False)]


def test_what_a_request_changed_can_be_deleted(new_tenant, store_client):
    """A stored change goes with its natural key, whichever requests it came with."""
    tenant, http, _ = new_tenant(scopes=["manage"])
    put(http, "teams", VALID["teams"])
    put(http, "assignments", change(1))
    same = {"tenant": tenant, **change(1), "group": "", "deleted": False, "actor": "key-1"}
    same |= {"at": datetime(2026, 1, 1, tzinfo=UTC), "request_id": "request-1", "version": 1 << 52}
    store_client.insert("seat_changes", [list(same.values())], column_names=list(same))
    assert history(http) == [(1, True), (1, True)]
    put(http, "assignments", change(1, assigned=False))
    rows = listed(http, "assignments")
    assert sorted(row["assigned"] for row in rows) == [False, True]
    put(http, "assignments", change(1) | {"deleted": True})
    assert history(http) == []


def test_who_did_it_is_stored(new_tenant, store_client):
    """The key's id, and no request."""
    tenant, http, _ = new_tenant(scopes=["manage"])
    put(http, "assignments", change(1))
    key_id = http.headers["Authorization"].split("_")[1]
    sql = "SELECT actor, request_id FROM seat_changes FINAL WHERE tenant = {tenant:String}"
    rows = store_client.query(sql, parameters={"tenant": tenant}).result_rows
    assert [tuple(row) for row in rows] == [(key_id, "")]


def test_ten_thousand_changes_at_once(http):
    """A load of 10,000 seats, loaded again without a new row."""
    seats = [entry("assignments", user_id=f"user-{number}") for number in range(10_000)]
    for _ in range(2):
        put(http, "assignments", *seats)
    assert len(listed(http, "assignments", limit=1000)) == 10_000
