"""The rules of reports and series over HTTP, one by one, against the real engine."""

import random
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta

import pytest

from deploy.ask import Refused, ask
from deploy.connection import Connection
from query_service.columns import COLUMNS
from tests.support.plain_tenant import hashed
from tests.support.usage import event, insert_usage


def test_intervals_without_use_have_zeros(store_client, new_tenant):
    """Weeks start on Monday, and one in which nothing was used is there."""
    tenant, http, _ = new_tenant()
    insert_usage(store_client, tenant, [event("2026-03-04"), event("2026-03-18", user_id="user-2")])
    answer = http.get("/v1/daily?from=2026-03-03&to=2026-03-18&interval=week").json()
    assert answer["series"] == [
        {"start": "2026-03-02", "launches": 1, "tokens_used": "0", "users": 1},
        {"start": "2026-03-09", "launches": 0, "tokens_used": "0", "users": 0},
        {"start": "2026-03-16", "launches": 1, "tokens_used": "0", "users": 1},
    ]


def test_paging_while_rows_arrive(store_client, new_tenant):
    """A row that is there all the time is seen exactly once, whatever arrives between pages."""
    rng = random.Random(5)
    tenant, http, secret = new_tenant()
    days = [date(2026, 3, 2) + timedelta(days=n) for n in range(80)]
    steady = [
        event(str(day), user_id=f"steady-{number}")
        for number in range(60)
        for day in rng.sample(days, rng.randrange(1, 20))
    ]
    insert_usage(store_client, tenant, steady)
    seen, cursor = [], None
    for page in range(1000):
        place = f"&cursor={cursor}" if cursor else ""
        body = http.get(f"/v1/report?limit=5{place}").json()
        seen += [row["hashed_user_id"] for row in body["rows"]]
        cursor = body["next_cursor"]
        if cursor is None:
            break
        arriving = [
            event(str(day), user_id=f"new-{page}-{number}")
            for number in range(3)
            for day in rng.sample(days, rng.randrange(1, 20))
        ]
        insert_usage(store_client, tenant, arriving)
    for number in range(60):
        assert seen.count(hashed(secret, f"steady-{number}")) == 1
    assert len(seen) == len(set(seen))


def test_a_cursor_fits_only_its_own_query(store_client, new_tenant):
    """Other parameters, another tenant's key, or a forged text: 400, never wrong rows."""
    tenant, http, _ = new_tenant()
    _, other, _ = new_tenant("other")
    insert_usage(store_client, tenant, [event(user_id=f"user-{number}") for number in range(5)])
    cursor = http.get("/v1/report?limit=2").json()["next_cursor"]
    assert http.get(f"/v1/report?limit=3&columns=users&cursor={cursor}").status_code == 200
    for wrong in (f"by=user&cursor={cursor}", f"sort=user&cursor={cursor}", "cursor=WzFd"):
        answer = http.get(f"/v1/report?{wrong}")
        assert answer.status_code == 400
        assert [error["reason"] for error in answer.json()["errors"]] == ["invalid_cursor"]
    assert other.get(f"/v1/report?cursor={cursor}").status_code == 400


def test_rows_of_zeros_are_absent(store_client, new_tenant):
    """A row that a rebuild emptied is in no report and no series."""
    tenant, http, _ = new_tenant()
    emptied = event()
    insert_usage(store_client, tenant, [emptied])
    store_client.command(
        "INSERT INTO usage_daily SELECT * REPLACE (0 AS launches, position + 1 AS position) "
        "FROM usage_daily FINAL WHERE tenant = {tenant:String}",
        parameters={"tenant": tenant},
    )
    body = http.get("/v1/report?by=product").json()
    assert body["rows"] == []
    assert body["totals"] == {"rows": 0, "users": 0, "launches": 0, "tokens_used": "0"}


def test_tenants_see_nothing_of_each_other(store_client, new_tenant):
    """The same ids in two tenants: each key counts its own, and hashes differ."""
    one, one_http, _ = new_tenant("one")
    two, two_http, _ = new_tenant("two")
    insert_usage(store_client, one, [event(), event("2026-03-05")])
    insert_usage(store_client, two, [event()])
    (mine,) = one_http.get("/v1/report").json()["rows"]
    (theirs,) = two_http.get("/v1/report").json()["rows"]
    assert (mine["launches"], theirs["launches"]) == (2, 1)
    assert mine["hashed_user_id"] != theirs["hashed_user_id"]
    stolen = f"/v1/report?user={theirs['hashed_user_id']}"
    assert one_http.get(stolen).json()["rows"] == []


def test_a_key_limited_to_teams(store_client, new_tenant):
    """It sees only their rows; asking for another team is a value that matches nothing."""
    tenant, http, _ = new_tenant(teams=["team-1"])
    insert_usage(store_client, tenant, [event(), event(team_id="team-2"), event(team_id="team-3")])
    body = http.get("/v1/report").json()
    assert [row["team_id"] for row in body["rows"]] == ["team-1"]
    assert body["hidden_by"] == ["team-1"]
    other = http.get("/v1/report?team=team-2").json()
    assert (other["rows"], other["hidden_by"]) == ([], ["team-2"])
    assert http.get("/v1/daily?team=team-2&interval=month").json()["series"][0]["launches"] == 0


def test_names_are_hidden(store_client, new_tenant):
    """Without a directory every view is hashed, and sorting or searching by names is refused."""
    tenant, http, secret = new_tenant()
    insert_usage(store_client, tenant, [event()])
    body = http.get("/v1/report").json()
    assert (body["personal_data"], body["hidden_by"]) == ("hashed", ["team-1"])
    (row,) = body["rows"]
    assert list(row) == list(COLUMNS)
    assert row["hashed_user_id"] == hashed(secret, "user-1")
    assert [row[name] for name in ("user_id", "first_name", "last_name", "email")] == [None] * 4
    for query in ("sort=last_name", "sort=-days_used,email", "q=user"):
        answer = http.get(f"/v1/report?{query}")
        assert (answer.status_code, answer.json()["reason"]) == (400, "personal_data_hidden")


def test_all_wrong_parameters_at_once(new_tenant):
    """One problem document names each of them, with what is allowed."""
    _, http, _ = new_tenant()
    answer = http.get("/v1/report?colour=red&limit=0&access=free&from=2026-02-30&by=user&sort=seat")
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"
    errors = {error["parameter"]: error for error in answer.json()["errors"]}
    assert sorted(errors) == ["access", "colour", "from", "limit", "sort", "to"]
    assert errors["access"]["allowed"] == ["subscription", "flex"]
    assert errors["colour"]["reason"] == "unknown_parameter"


def test_the_command_line_names_what_is_allowed(new_tenant, query_server):
    """A wrong value is answered in the terminal with the ones there are."""
    _, http, _ = new_tenant()
    key = http.headers["Authorization"].removeprefix("Bearer ")
    here = Connection(query_url=query_server.url, key=key)
    with pytest.raises(Refused, match=r"access: .*\(subscription, flex\)"):
        ask(here, "/v1/report", access="free")


@pytest.mark.parametrize(
    "value", ["\t", "a\nb", "\0", "'", "\\", "\\N", "NULL", "{x:Int8}", "ü" * 900]
)
def test_no_value_is_more_than_a_value(store_client, new_tenant, value):
    """Whatever a filter says, it is compared, never run: it matches nothing, and breaks nothing."""
    tenant, http, _ = new_tenant(str(len(value)))
    insert_usage(store_client, tenant, [event()])
    for name in ("team", "product", "user", "version", "group"):
        assert http.get("/v1/report", params={name: value}).json()["rows"] == []
        both = http.get("/v1/report", params={"team": [value, "team-1"]}).json()
        assert len(both["rows"]) == 1


def test_many_at_once(store_client, new_tenant):
    """More requests than there are connections all get their rows."""
    tenant, http, _ = new_tenant()
    insert_usage(store_client, tenant, [event()])
    with ThreadPoolExecutor(24) as threads:
        answers = list(threads.map(lambda _: http.get("/v1/report?by=user"), range(48)))
    assert {len(answer.json()["rows"]) for answer in answers} == {1}


def test_columns_choose_what_a_row_has(store_client, new_tenant):
    """`columns` leaves the others out; the order stays the report's."""
    tenant, http, _ = new_tenant()
    insert_usage(store_client, tenant, [event()])
    (row,) = http.get("/v1/report?columns=launches,team&by=team").json()["rows"]
    assert list(row.items()) == [("team", "team-1"), ("launches", 1)]


def test_every_day_of_the_longest_range(store_client, new_tenant):
    """367 days of use are counted day by day, over both grains, and those around them are not."""
    tenant, http, _ = new_tenant()
    first, last = date(2025, 5, 30), date(2026, 5, 31)
    days = [first + timedelta(days=number) for number in range(-2, 367)]
    used = [event(str(day), version=str(day.year)) for day in days]
    others = [event(str(day), product_id="product-2") for day in days[256:260]]
    insert_usage(store_client, tenant, used + others)
    asked = f"from={first}&to={last}"

    for grain, found in (("user_product", [367, 4]), ("user", [367]), ("team", [367])):
        rows = http.get(f"/v1/report?{asked}&by={grain}").json()["rows"]
        assert [row["days_used"] for row in rows] == found
    rows = http.get(f"/v1/report?from={days[257]}&to={last}").json()["rows"]
    assert [row["days_used"] for row in rows] == [112, 3]
    detail = http.get(f"/v1/users/{rows[0]['hashed_user_id']}?{asked}").json()
    months = detail["months"]
    assert sum(each["days_used"] for each in months if each["product_id"] == "product-1") == 367
