"""The feed of seat changes, and requests for one seat at the same time."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

from tests.support.directory import entry
from tests.support.directory import put as put_entries
from tests.support.directory_rows import insert_entry
from tests.support.plain_tenant import hashed
from tests.support.seats import item, new_id

AT_ONCE = 20


def test_every_change_is_told_once_in_order(seats):
    """The directory's and those of requests, page by page, with who asked."""
    put_entries(seats.https[0], "assignments", entry("assignments"))
    seats.later()
    request_id = new_id()
    seats.ask("unassign", item(), request_id=request_id)
    seats.later()
    seats.undo(request_id)
    seats.ask("unassign", item("nobody"))
    found = seats.told(limit=1)
    assert [(each["assigned"], each["request_id"]) for each in found] == [
        *((True, None), (False, request_id), (True, f"undo:{request_id}")),
    ]
    key_id = seats.https[0].headers["Authorization"].split("_")[1]
    assert found[1] == {
        "at": "2026-05-31T16:30:00.123Z",
        "user_id": "user-1",
        "hashed_user_id": None,
        "product_id": "product-1",
        "team_id": "team-1",
        "access": "subscription",
        "assignment": "direct",
        "group": None,
        "assigned": False,
        "actor": key_id,
        "request_id": request_id,
    }
    assert seats.told(limit=1000) == found


def test_a_change_is_told_at_once_and_once(seats):
    """Also when one with a lower version, of another process, is stored after it was told."""
    http = seats.https[0]
    seats.ask("assign", item("user-2"))
    first = http.get("/v1/seat-changes").json()
    assert [each["user_id"] for each in first["changes"]] == ["user-2"]
    version = seats.store.query(
        "SELECT max(version) FROM seat_changes FINAL WHERE tenant = {tenant:String}",
        parameters={"tenant": seats.tenant},
    ).first_row[0]
    insert_entry(
        seats.store,
        seats.tenant,
        "seat_changes",
        user_id="user-1",
        version=version - 1,
    )
    late = http.get("/v1/seat-changes", params={"after": first["next"]}).json()
    assert [each["user_id"] for each in late["changes"]] == ["user-1"]
    for after in (timedelta(0), timedelta(seconds=6), timedelta(days=1)):
        seats.later(after)
        late = http.get("/v1/seat-changes", params={"after": late["next"]}).json()
        assert late["changes"] == []


def test_many_changes_at_once_are_all_told_once(seats):
    """More than a cursor remembers: the others are told when they have settled."""
    http = seats.https[0]
    users = [f"user-{number}" for number in range(150)]
    seats.ask("assign", *(item(user) for user in users))
    answer = http.get("/v1/seat-changes?limit=1000").json()
    told = [each["user_id"] for each in answer["changes"]]
    assert len(told) == 100
    answer = http.get("/v1/seat-changes", params={"after": answer["next"]}).json()
    assert answer["changes"] == []
    seats.later(timedelta(seconds=6))
    answer = http.get("/v1/seat-changes", params={"after": answer["next"], "limit": 40}).json()
    told += [each["user_id"] for each in answer["changes"]]
    told += [each["user_id"] for each in seats.told(after=answer["next"])]
    assert sorted(told) == sorted(users)


def test_nothing_is_told_of_what_changed_nothing(seats):
    """A second assignment, an unassignment of nothing, and what was deleted."""
    seats.put()
    seats.put(day="2026-02-01")
    seats.put("user-2", assigned=False)
    seats.put("user-3", deleted=True)
    assert [(each["user_id"], each["at"][:10]) for each in seats.told()] == [
        ("user-1", "2026-01-01"),
    ]


def test_the_feed_hides_users(new_seats):
    """By hash if one team that the key may read has personal data off; others are not in it."""
    seats = new_seats()
    insert_entry(seats.store, seats.tenant, "teams")
    for team in ("team-1", "team-2"):
        seats.put(team_id=team)
    limited = new_seats(teams=["team-1"])
    assert [(each["team_id"], each["user_id"]) for each in limited.told()] == [
        ("team-1", "user-1"),
    ]
    insert_entry(seats.store, seats.tenant, "teams", team_id="team-2", personal_data=False)
    found = seats.told()
    assert [each["hashed_user_id"] for each in found] == [hashed(seats.secret, "user-1")] * 2
    assert {each["user_id"] for each in found} == {None}


def test_wrong_parameters_of_the_feed_are_named(seats, new_seats):
    """A place of another tenant, of no feed, or a parameter that there is not."""
    http = seats.https[0]
    other = new_seats(name="other").https[0]
    place = http.get("/v1/seat-changes").json()["next"]
    for client, query in ((other, f"after={place}"), (http, "after=x"), (http, "limit=0&from=x")):
        answer = client.get(f"/v1/seat-changes?{query}")
        assert answer.status_code == 400
    assert [error["parameter"] for error in answer.json()["errors"]] == ["limit", "from"]


def at_once(seats, kind):
    """The verdicts of as many requests for one seat, each with an id of its own."""

    def one(number):
        body = {"items": [item()], "request_id": new_id()}
        return seats.send(kind, body, server=number % len(seats.https))

    with ThreadPoolExecutor(AT_ONCE) as pool:
        answers = list(pool.map(one, range(AT_ONCE)))
    assert {answer.status_code for answer in answers} == {200}
    return Counter(answer.json()["items"][0]["verdict"] for answer in answers)


def test_requests_at_once_end_in_one_change(seats):
    """Of one process, exactly one of them is told that it did it."""
    seats.put()
    one = replace(seats, https=seats.https[:1])
    for kind, done, late in (
        ("unassign", "unassigned", "not_assigned"),
        ("assign", "assigned", "already_assigned"),
    ):
        assert at_once(one, kind) == {done: 1, late: AT_ONCE - 1}
        seats.later()
    assert [each["assigned"] for each in seats.told()] == [True, False, True]


def test_requests_at_once_to_two_processes_end_in_one_change(seats, at_processes):
    """Processes don't take turns with each other: what comes second changes nothing."""
    seats.put()
    for kind, done in (("unassign", "unassigned"), ("assign", "assigned")) * 3:
        assert at_once(at_processes, kind)[done] >= 1
    assert [each["assigned"] for each in seats.told()] == [True, *[False, True] * 3]
