"""The snapshot over HTTP, against the real engine.

Next: query_service.snapshot
"""

from datetime import UTC, date, datetime
from decimal import Decimal

from tests.support.directory_rows import insert_entry
from tests.support.usage import event, insert_usage

MARCH = "from=2026-03-01&to=2026-03-31"


def seat(client, tenant, user_id, **changed):
    """A seat that a user was assigned."""
    insert_entry(client, tenant, "seat_changes", user_id=user_id, **changed)


def bought(client, tenant, number, seats, **changed):
    """A subscription of 2026."""
    insert_entry(
        client, tenant, "subscriptions", subscription_id=f"bought-{number}", seats=seats, **changed
    )


def test_a_tenant_without_anything(new_tenant):
    """Zeros and nulls, in the contract's shape."""
    _, http, _ = new_tenant()
    body = http.get("/v1/snapshot").json()
    assert body == {
        "range": {"from": "2026-02-28", "to": "2026-05-31", "preset": "3m", "months": "3"},
        "personal_data": "shown",
        "complete_up_to": None,
        "subscriptions": 0,
        "seats": dict.fromkeys(("total", "assigned", "free", "over", "active", "inactive"), 0),
        "flex": {
            "tokens_used": "0",
            "monthly_average": "0.00",
            "users": 0,
            "balance": {
                "total": "0",
                "used": "0",
                "remaining": "0",
                "not_started": "0",
                "overdrawn": "0",
                "low": False,
                "days_until_empty": None,
                "expiring": [],
            },
        },
        "users": 0,
    }


def test_seats_are_free_and_over_per_team_and_product(store_client, new_tenant):
    """Too many seats of one product do not make up for too few of another."""
    tenant, http, _ = new_tenant()
    bought(store_client, tenant, 1, 4)
    bought(store_client, tenant, 2, 1)
    bought(store_client, tenant, 3, 1, product_id="product-2")
    bought(store_client, tenant, 4, 9, ends_on=date(2026, 5, 30))
    bought(store_client, tenant, 5, 2, team_id="team-2", ends_on=date(2026, 5, 31))
    for number in range(3):
        seat(store_client, tenant, f"user-{number}")
        seat(store_client, tenant, f"user-{number}", product_id="product-2")
    seat(store_client, tenant, "user-0", access="flex")
    seat(store_client, tenant, "user-0", assignment="group", group="cad")
    insert_usage(store_client, tenant, [event("2026-05-30", user_id="user-0")])
    body = http.get("/v1/snapshot").json()
    assert body["subscriptions"] == 4
    assert body["seats"] == {
        "total": 8,
        "assigned": 6,
        "free": 2 + 2,
        "over": 2,
        "active": 1,
        "inactive": 5,
    }
    assert body["users"] == 3
    yesterday = http.get("/v1/snapshot?as_of=2026-05-30").json()
    assert (yesterday["subscriptions"], yesterday["seats"]["total"]) == (5, 17)


def test_which_filter_moves_what(store_client, new_tenant):
    """Subscriptions and total: team and product; the balance: team; all else: every filter."""
    tenant, http, _ = new_tenant()
    insert_entry(store_client, tenant, "token_packs", pack_id="one", team_id="team-1")
    insert_entry(store_client, tenant, "token_packs", pack_id="two", team_id="team-2")
    bought(store_client, tenant, 1, 3)
    bought(store_client, tenant, 2, 5, product_id="product-2")
    bought(store_client, tenant, 3, 7, team_id="team-2")
    seat(store_client, tenant, "user-1")
    seat(store_client, tenant, "user-2", assignment="group", group="cad")
    seat(store_client, tenant, "user-1", team_id="team-2")
    insert_usage(
        store_client,
        tenant,
        [event("2026-05-30"), event("2026-05-30", tokens=Decimal("2.5"), access="flex")],
    )

    def read(query):
        body = http.get(f"/v1/snapshot?{query}").json()
        balance = body["flex"]["balance"]
        return (
            *(body["subscriptions"], *(body["seats"][n] for n in ("total", "assigned", "free"))),
            *(body["flex"]["tokens_used"], balance["total"], body["users"]),
        )

    assert read("") == (3, 15, 3, 12, "2.5", "200", 2)
    assert read("team=team-2") == (1, 7, 1, 6, "0", "100", 1)
    assert read("product=product-2") == (1, 5, 0, 5, "0", "200", 0)
    assert read("access=flex") == (3, 15, 0, 15, "2.5", "200", 1)
    assert read("assignment=group") == (3, 15, 1, 14, "0", "200", 1)
    assert read("activity=inactive&team=team-1") == (2, 8, 1, 7, "0", "100", 1)
    assert read("days_used_min=1") == (3, 15, 1, 14, "2.5", "200", 1)
    assert read("tokens_max=2") == (3, 15, 3, 12, "0", "200", 2)
    assert read("team=nobody") == (0, 0, 0, 0, "0", "0", 0)


def test_example_10(store_client, new_tenant):
    """Definitions, example 10: tokens of the rows, the snapshot and the series are one sum."""
    tenant, http, _ = new_tenant()
    events = [
        event(
            f"2026-03-{number % 31 + 1:02}",
            user_id=f"user-{number % 7}",
            product_id=f"product-{number % 3}",
            tokens=Decimal(number) / 16 if number % 4 else Decimal(0),
            access="flex" if number % 4 == 1 else "subscription",
        )
        for number in range(120)
    ]
    insert_usage(store_client, tenant, events)
    for query in (MARCH, f"{MARCH}&product=product-1", f"{MARCH}&tokens_min=5&access=flex"):
        rows = http.get(f"/v1/report?{query}").json()
        body = http.get(f"/v1/snapshot?{query}").json()
        series = http.get(f"/v1/daily?{query}").json()["series"]
        assert Decimal(body["flex"]["tokens_used"]) == sum(
            Decimal(row["tokens_used"]) for row in rows["rows"]
        )
        assert Decimal(body["flex"]["tokens_used"]) == sum(
            Decimal(each["tokens_used"]) for each in series
        )
        assert body["flex"]["tokens_used"] == rows["totals"]["tokens_used"] != "0"
        assert body["users"] == rows["totals"]["users"]
        with_tokens = {r["hashed_user_id"] for r in rows["rows"] if r["tokens_used"] != "0"}
        assert body["flex"]["users"] == len(with_tokens)


def test_what_was_so_at_as_of(store_client, new_tenant):
    """Seat changes and tokens after as_of are not there yet."""
    tenant, http, _ = new_tenant()
    insert_entry(store_client, tenant, "token_packs", tokens=Decimal(10))
    seat(store_client, tenant, "user-1", at=datetime(2026, 4, 1, 12, tzinfo=UTC))
    insert_usage(
        store_client,
        tenant,
        [event(day, tokens=Decimal(4), access="flex") for day in ("2026-04-01", "2026-04-02")],
    )

    def read(as_of):
        body = http.get("/v1/snapshot", params={"as_of": as_of, "preset": "30d"}).json()
        return body["seats"]["assigned"], body["flex"]["balance"]["remaining"]

    assert read("2026-03-31") == (0, "10")
    assert read("2026-04-01T11:59:59Z") == (0, "6")
    assert read("2026-04-01T12:00:00Z") == (1, "6")
    assert read("2026-04-02") == (1, "2")


def test_snapshots_of_keys_see_their_tenant_and_teams(store_client, new_tenant):
    """A key limited to teams, and another tenant's: neither counts what is not its own."""
    tenant, http, _ = new_tenant(teams=["team-1"])
    other, _, _ = new_tenant("other")
    for name in (tenant, other):
        for team_id in ("team-1", "team-2"):
            bought(store_client, name, team_id, 3, team_id=team_id)
            seat(store_client, name, f"user-of-{team_id}", team_id=team_id)
            insert_entry(store_client, name, "token_packs", pack_id=team_id, team_id=team_id)
    for query in ("", "?team=team-1&team=team-2"):
        body = http.get(f"/v1/snapshot{query}").json()
        assert (body["subscriptions"], body["users"]) == (1, 1)
        assert (body["seats"]["total"], body["seats"]["assigned"]) == (3, 1)
        assert body["flex"]["balance"]["total"] == "100"


def test_names_shown_and_hidden(store_client, new_tenant):
    """It says which; searching for hidden names is refused, as are unknown parameters."""
    tenant, http, _ = new_tenant()
    insert_usage(store_client, tenant, [event("2026-05-30")])
    body = http.get("/v1/snapshot").json()
    assert body["personal_data"] == "hashed"
    answer = http.get("/v1/snapshot?q=ada&sort=user")
    assert (answer.status_code, answer.json()["reason"]) == (400, "personal_data_hidden")
    assert {error["parameter"] for error in answer.json()["errors"]} == {"q", "sort"}
    insert_entry(store_client, tenant, "teams")
    insert_entry(store_client, tenant, "users")
    assert http.get("/v1/snapshot?q=SAMPLE").json()["users"] == 1
    assert http.get("/v1/snapshot?q=someone").json()["users"] == 0
    assert http.get("/v1/snapshot").json()["personal_data"] == "shown"
