"""Token packs over HTTP, against the real engine.

Next: query_service.tokens
"""

from datetime import date
from decimal import Decimal

from tests.support.directory_rows import insert_entry
from tests.support.usage import event, insert_usage


def pack(client, tenant, pack_id, tokens=100, **changed):
    """A pack of the tenant for 2026."""
    insert_entry(client, tenant, "token_packs", pack_id=pack_id, tokens=Decimal(tokens), **changed)


def used(day, tokens, **changed):
    """Tokens used on a day."""
    return event(day, tokens=Decimal(tokens), access="flex", **changed)


def of_packs(body, name="used"):
    """One number of each pack."""
    return {each["pack_id"]: each[name] for each in body["packs"]}


def test_example_6(store_client, new_tenant):
    """Definitions, example 6: 120 tokens take B, then A; a team's own C comes first."""
    tenant, http, _ = new_tenant()
    pack(store_client, tenant, "A", 100, ends_on=date(2026, 6, 30))
    pack(store_client, tenant, "B", 50, ends_on=date(2026, 6, 30))
    pack(store_client, tenant, "C", 500)
    insert_usage(store_client, tenant, [used("2026-05-04", 70), used("2026-05-20", 50)])
    body = http.get("/v1/tokens").json()
    assert of_packs(body) == {"A": "70", "B": "50", "C": "0"}
    assert of_packs(http.get("/v1/tokens?as_of=2026-05-10").json()) == {
        "A": "20",
        "B": "50",
        "C": "0",
    }
    pack(store_client, tenant, "C", 500, team_id="team-1")
    assert of_packs(http.get("/v1/tokens").json()) == {"A": "0", "B": "0", "C": "120"}


def test_the_balance_is_that_of_active_packs(store_client, new_tenant):
    """Ended packs count no more, later ones are not started, use beyond all packs is overdrawn."""
    tenant, http, _ = new_tenant()
    pack(store_client, tenant, "ended", 40, ends_on=date(2026, 3, 31))
    pack(store_client, tenant, "active", "100.5", ends_on=date(2026, 8, 29))
    pack(store_client, tenant, "later", 70, starts_on=date(2026, 6, 1))
    insert_usage(
        store_client,
        tenant,
        [used("2025-12-31", 5), used("2026-03-30", "30.25"), used("2026-05-31", "90.4501")],
    )
    body = http.get("/v1/tokens").json()
    assert of_packs(body, "state") == {"ended": "ended", "active": "active", "later": "not_started"}
    assert of_packs(body, "remaining") == {"ended": "9.75", "active": "10.0499", "later": "70"}
    assert body["balance"] == {
        "total": "100.5",
        "used": "90.4501",
        "remaining": "10.0499",
        "not_started": "70",
        "overdrawn": "5",
        "low": True,
        "days_until_empty": 3,
        "expiring": [{"pack_id": "active", "tokens": "10.0499", "ends_on": "2026-08-29"}],
    }
    assert list(body["packs"][1].items()) == [
        ("pack_id", "active"),
        ("team_id", None),
        ("tokens", "100.5"),
        ("used", "90.4501"),
        ("remaining", "10.0499"),
        ("purchased_on", "2025-12-01"),
        ("starts_on", "2026-01-01"),
        ("ends_on", "2026-08-29"),
        ("state", "active"),
    ]


def test_a_tenant_without_packs(store_client, new_tenant):
    """Nothing is low where nothing was bought; what is used is overdrawn."""
    tenant, http, _ = new_tenant()
    balance = http.get("/v1/tokens").json()["balance"]
    assert (balance["low"], balance["days_until_empty"], balance["expiring"]) == (False, None, [])
    insert_usage(store_client, tenant, [used("2026-05-30", 2)])
    body = http.get("/v1/tokens").json()
    assert (body["packs"], body["forecast"]) == ([], [])
    assert (body["balance"]["overdrawn"], body["balance"]["days_until_empty"]) == ("2", 0)


def test_burn_down_and_forecast(store_client, new_tenant):
    """Each day of R, then the average of the last 30 days, with packs that end and start."""
    tenant, http, _ = new_tenant()
    pack(store_client, tenant, "first", 100, ends_on=date(2026, 6, 2))
    pack(store_client, tenant, "second", 10, starts_on=date(2026, 6, 5))
    insert_usage(store_client, tenant, [used("2026-05-29", 60), used("2026-05-31", 30)])
    body = http.get("/v1/tokens?from=2026-05-28&to=2026-05-31").json()
    assert [(each["day"], each["remaining"]) for each in body["burn_down"]] == [
        ("2026-05-28", "100"),
        ("2026-05-29", "40"),
        ("2026-05-30", "40"),
        ("2026-05-31", "10"),
    ]
    assert body["burn_down"][-1]["remaining"] == body["balance"]["remaining"]
    assert [(each["day"][5:], each["remaining"]) for each in body["forecast"]] == [
        *(("06-01", "7"), ("06-02", "4"), ("06-03", "0"), ("06-04", "0")),
        *(("06-05", "7"), ("06-06", "4"), ("06-07", "1"), ("06-08", "0")),
    ]


def test_a_forecast_without_use_goes_on_for_a_year(store_client, new_tenant):
    """At most 367 days; a pack without use stays as it is."""
    tenant, http, _ = new_tenant()
    pack(store_client, tenant, "long", 100, ends_on=date(2030, 1, 1))
    body = http.get("/v1/tokens").json()
    assert len(body["forecast"]) == 367
    assert body["forecast"][0] == {"day": "2026-06-01", "remaining": "100"}
    assert body["forecast"][-1]["remaining"] == "100"


def test_teams_in_view(store_client, new_tenant):
    """A view of a team has its packs and the shared ones, burned by the whole tenant."""
    tenant, http, _ = new_tenant()
    pack(store_client, tenant, "one", 10, team_id="team-1")
    pack(store_client, tenant, "two", 10, team_id="team-2")
    pack(store_client, tenant, "shared", 15)
    use = [used("2026-05-30", 18, team_id="team-1"), used("2026-05-30", 20, team_id="team-2")]
    insert_usage(store_client, tenant, use)
    everything = http.get("/v1/tokens").json()
    assert of_packs(everything) == {"one": "10", "two": "10", "shared": "15"}
    assert everything["balance"]["overdrawn"] == "3"
    one = http.get("/v1/tokens?team=team-1").json()
    assert of_packs(one) == {"one": "10", "shared": "15"}
    assert one["balance"]["overdrawn"] == "0"
    assert http.get("/v1/tokens?team=team-2").json()["balance"]["overdrawn"] == "3"
    both = http.get("/v1/tokens?team=team-2&team=team-1").json()
    assert both["balance"] == everything["balance"]
    assert of_packs(http.get("/v1/tokens?team=").json()) == {"shared": "15"}


def test_packs_of_a_key_limited_to_teams(store_client, new_tenant):
    """It sees its teams' packs and the shared ones, and never another team's."""
    tenant, http, _ = new_tenant(teams=["team-1"])
    pack(store_client, tenant, "one", 10, team_id="team-1")
    pack(store_client, tenant, "two", 10, team_id="team-2")
    pack(store_client, tenant, "shared", 15)
    insert_usage(store_client, tenant, [used("2026-05-30", 40, team_id="team-2")])
    for query in ("", "?team=team-1", "?team=team-1&team=team-2"):
        body = http.get(f"/v1/tokens{query}").json()
        assert of_packs(body) == {"one": "0", "shared": "15"}
        assert (body["balance"]["overdrawn"], body["balance"]["days_until_empty"]) == ("0", None)
    assert "two" not in http.get("/v1/tokens?team=team-2").text


def test_tenants_and_deleted_packs(store_client, new_tenant):
    """A deleted pack is not there, and another tenant's packs and use never are."""
    tenant, http, _ = new_tenant()
    other, _, _ = new_tenant("other")
    pack(store_client, tenant, "kept")
    pack(store_client, tenant, "gone")
    pack(store_client, tenant, "gone", deleted=True)
    pack(store_client, other, "foreign")
    insert_usage(store_client, other, [used("2026-05-30", 40)])
    assert of_packs(http.get("/v1/tokens").json()) == {"kept": "0"}


def test_only_range_and_team_are_parameters(new_tenant):
    """Anything else is refused, all at once; the scope is read."""
    _, http, _ = new_tenant()
    answer = http.get("/v1/tokens?product=p&preset=4m&as_of=2027-01-01&limit=3")
    assert (answer.status_code, answer.json()["reason"]) == (400, "invalid_parameters")
    wrong = {error["parameter"]: error["reason"] for error in answer.json()["errors"]}
    assert wrong == {
        "product": "unknown_parameter",
        "limit": "unknown_parameter",
        "preset": "invalid_value",
        "as_of": "in_future",
    }
    _, writer, _ = new_tenant("writer", scopes=["ingest"])
    assert writer.get("/v1/tokens").status_code == 403
