"""The detail view over HTTP, against the real engine.

Next: query_service.detail
"""

from datetime import UTC, datetime
from decimal import Decimal
from urllib.parse import quote

import pytest

from query_service.columns import COLUMNS
from tests.support.directory_rows import insert_entry
from tests.support.usage import event, insert_usage

DAY = "2026-05-30"


def detail(http, user, query="", status=200):
    """The answer about a user."""
    answer = http.get(f"/v1/users/{quote(user, safe='')}{query}")
    assert answer.status_code == status, answer.text
    return answer.json()


def hashed(http):
    """The hash of the only user of a report."""
    (row,) = http.get("/v1/report?by=user").json()["rows"]
    return row["hashed_user_id"]


def test_the_whole_view(store_client, new_tenant):
    """A user with a used seat, an unused one, and tokens: every part of the contract."""
    tenant, http, _ = new_tenant()
    insert_entry(store_client, tenant, "teams")
    insert_entry(store_client, tenant, "teams", team_id="team-2", name="A Second")
    insert_entry(store_client, tenant, "users")
    insert_entry(store_client, tenant, "team_members")
    insert_entry(store_client, tenant, "team_members", team_id="team-2")
    insert_entry(store_client, tenant, "products")
    insert_entry(store_client, tenant, "seat_changes")
    insert_entry(store_client, tenant, "seat_changes", product_id="product-2")
    flex = event("2026-04-02", tokens=Decimal("2.5"), access="flex")
    insert_usage(store_client, tenant, [event("2026-04-01"), event("2026-05-01"), flex])
    body = detail(http, "user-1", "?from=2026-04-01&to=2026-05-31")
    assert body["user"] == {
        "user_id": "user-1",
        "hashed_user_id": None,
        "first_name": "Ada",
        "last_name": "Sample",
        "email": "ada@sample.example",
    }
    assert body["teams"] == [
        {"team_id": "team-2", "team": "A Second", "because": ["member"]},
        {"team_id": "team-1", "team": "Team One", "because": ["member", "assigned", "used"]},
    ]
    report = http.get("/v1/report?from=2026-04-01&to=2026-05-31").json()["rows"]
    assert body["products"] + body["other_assigned"] == report
    assert [row["product_id"] for row in body["other_assigned"]] == ["product-2"]
    assert all(list(row) == list(COLUMNS) for row in report)
    assert body["months"] == [
        {"month": "2026-04", "product_id": "product-1", "days_used": 2, "tokens_used": "2.5"},
        {"month": "2026-05", "product_id": "product-1", "days_used": 1, "tokens_used": "0"},
    ]
    assert len(body["daily"]) == 61
    assert body["daily"][:2] == [
        {"day": "2026-04-01", "launches": 1, "tokens_used": "0"},
        {"day": "2026-04-02", "launches": 0, "tokens_used": "2.5"},
    ]
    assert [(each["day"], each["access"], each["tokens_used"]) for each in body["uses"]] == [
        ("2026-04-01", "subscription", "0"),
        ("2026-04-02", "flex", "2.5"),
        ("2026-05-01", "subscription", "0"),
    ]
    assert (body["last_accessed"], body["days_inactive"]) == ("2026-05-01T12:00:00.000Z", 30)
    assert [(r["product_id"], r["recommendation"]) for r in body["recommendations"]] == [
        ("product-1", "switch_to_flex"),
        ("product-2", "unassign"),
    ]


def test_a_selected_product(store_client, new_tenant):
    """Its rows alone, with their months and days; what else is assigned goes to the others."""
    tenant, http, _ = new_tenant()
    for product_id in ("product-1", "product-2", "product-3"):
        insert_entry(store_client, tenant, "seat_changes", product_id=product_id)
    insert_usage(store_client, tenant, [event(DAY), event(DAY, product_id="product-2")])
    insert_usage(store_client, tenant, [event("2026-05-29", product_id="product-4")])
    user = hashed(http)
    body = detail(http, user, "?preset=30d&selected=product-2")
    assert [row["product_id"] for row in body["products"]] == ["product-2"]
    others = sorted(row["product_id"] for row in body["other_assigned"])
    assert others == ["product-1", "product-3"]
    assert {each["product_id"] for each in body["months"]} == {"product-2"}
    assert sum(each["launches"] for each in body["daily"]) == 1
    nothing = detail(http, user, "?selected=nothing")
    assert (nothing["products"], nothing["months"]) == ([], [])
    assert len(nothing["other_assigned"]) == 3


def test_the_arithmetic_in_words(store_client, new_tenant):
    """Average against B with its prices, or the setting without; and for how long it was held."""
    tenant, http, _ = new_tenant()
    insert_entry(store_client, tenant, "prices")
    insert_entry(store_client, tenant, "prices", valid_from=datetime(2026, 6, 1, tzinfo=UTC).date())
    for product_id in ("product-1", "product-2", "product-3"):
        insert_entry(store_client, tenant, "seat_changes", product_id=product_id)
    days = [f"2026-05-{day:02}" for day in range(1, 26)]
    used = [event(day) for day in days[:20]] + [event(DAY, product_id="product-2")]
    flex = [event(day, access="flex", tokens=Decimal(1)) for day in days]
    insert_usage(store_client, tenant, used + flex)
    body = detail(http, hashed(http))
    told = {(r["product_id"], r["access"]): r["arithmetic"] for r in body["recommendations"]}
    prices = "(prices in EUR, valid from 2025-12-01)"
    held = "assigned directly since 2026-01-01, 150 days ago (at least 30)."
    assert told == {
        ("product-1", "subscription"): (
            "20 days in 3 months are 6.67 a month; "
            f"B = 2985 / (12 × 10 × 3) = 8.29 days a month {prices}; "  # noqa: RUF001 - as it is told
            f"6.67 is less than 8.29, so tokens cost less; {held}"
        ),
        ("product-1", "flex"): (
            "25 days in 3 months are 8.33 a month; "
            f"B = 2985 / (12 × 10 × 3) = 8.29 days a month {prices}; "  # noqa: RUF001 - as it is told
            "8.33 is not less than 8.29, so a subscription does not cost more."
        ),
        ("product-2", "subscription"): (
            "1 day in 3 months is 0.33 a month; "
            "without prices B is the setting, 7.00 days a month; "
            f"0.33 is less than 7.00, so tokens cost less; {held}"
        ),
        ("product-3", "subscription"): f"0 days used from 2026-02-28 to 2026-05-31; {held}",
    }


def test_hidden_by_hash_and_shown_by_id(store_client, new_tenant):
    """The other kind of id, and one of nobody: 404, with one and the same body."""
    tenant, http, _ = new_tenant()
    insert_entry(store_client, tenant, "users")
    insert_usage(store_client, tenant, [event(DAY)])
    hash_ = hashed(http)
    body = detail(http, hash_)
    assert body["user"] == {
        **dict.fromkeys(("user_id", "first_name", "last_name", "email")),
        "hashed_user_id": hash_,
    }
    assert body["personal_data"] == "hashed"
    assert not any(text in str(body) for text in ("user-1", "Ada", "sample.example"))
    unknown = detail(http, "nobody", status=404)
    assert unknown["reason"] == "unknown_user"
    assert detail(http, "user-1", status=404) == unknown
    insert_entry(store_client, tenant, "teams")
    assert detail(http, "user-1")["user"]["first_name"] == "Ada"
    assert detail(http, hash_, status=404) == detail(http, "nobody", status=404) == unknown
    assert http.get("/v1/users/").status_code == 404


@pytest.mark.parametrize("user", ["a/b", "/a//", "two words", "ü😀ن", "a?b=c#d", "100%25", "a+b&c"])
def test_any_id_is_a_path(store_client, new_tenant, user):
    """An id may hold whatever an event's subject may."""
    tenant, http, _ = new_tenant(user.encode().hex())
    insert_entry(store_client, tenant, "teams")
    insert_usage(store_client, tenant, [event(DAY, user_id=user), event(DAY, user_id="other")])
    assert detail(http, user)["user"]["user_id"] == user


def test_only_users_of_the_view(store_client, new_tenant):
    """A view of a team does not know the users of others, nor does a key limited to teams."""
    tenant, http, _ = new_tenant()
    insert_entry(store_client, tenant, "teams")
    insert_entry(store_client, tenant, "teams", team_id="team-2", personal_data=False)
    insert_entry(store_client, tenant, "users")
    insert_entry(store_client, tenant, "users", user_id="user-2", first_name="Grace")
    insert_usage(store_client, tenant, [event(DAY), event(DAY, team_id="team-2")])
    insert_entry(store_client, tenant, "seat_changes", user_id="user-2", team_id="team-2")
    body = detail(http, "user-1", "?team=team-1")
    assert [team["team_id"] for team in body["teams"]] == ["team-1"]
    assert [row["team_id"] for row in body["products"]] == ["team-1"]
    assert sum(each["launches"] for each in body["daily"]) == 1
    assert "Grace" not in str(detail(http, "user-2", "?team=team-1", status=404))


def test_a_key_of_one_team_sees_its_parts(store_client, new_tenant):
    """Rows, days, teams and last use of other teams are not there; nor are another tenant's."""
    tenant, http, _ = new_tenant(teams=["team-1"])
    other, _, _ = new_tenant("other")
    for name in (tenant, other):
        insert_entry(store_client, name, "teams")
        insert_entry(store_client, name, "users")
        insert_entry(store_client, name, "users", user_id="user-2")
    insert_entry(store_client, tenant, "team_members", team_id="team-2")
    insert_usage(store_client, tenant, [event("2026-05-01"), event(DAY, team_id="team-2")])
    insert_usage(store_client, other, [event(DAY, user_id="user-3")])
    for query in ("", "?team=team-1&team=team-1"):
        body = detail(http, "user-1", query)
        assert [team["team_id"] for team in body["teams"]] == ["team-1"]
        assert [row["team_id"] for row in body["products"]] == ["team-1"]
        assert (body["days_inactive"], sum(d["launches"] for d in body["daily"])) == (30, 1)
    for user in ("user-2", "user-3"):
        detail(http, user, status=404)


def test_a_user_of_the_directory_alone(store_client, new_tenant):
    """Known, with nothing used; a deleted one is not known."""
    tenant, http, _ = new_tenant()
    insert_entry(store_client, tenant, "users")
    body = detail(http, "user-1")
    assert (body["teams"], body["products"], body["last_accessed"]) == ([], [], None)
    insert_entry(store_client, tenant, "users", deleted=True)
    detail(http, "user-1", status=404)


def test_as_of_in_the_past(store_client, new_tenant):
    """Use and seats after as_of are not there; the last use before R is."""
    tenant, http, _ = new_tenant()
    insert_entry(store_client, tenant, "teams")
    insert_entry(
        store_client,
        tenant,
        "seat_changes",
        at=datetime(2026, 5, 2, tzinfo=UTC),
        assignment="default",
    )
    insert_usage(store_client, tenant, [event("2026-01-01"), event(DAY)])
    body = detail(http, "user-1", "?as_of=2026-05-01&preset=30d")
    assert (body["products"], body["other_assigned"], body["teams"]) == ([], [], [])
    assert (body["last_accessed"], body["days_inactive"]) == ("2026-01-01T12:00:00.000Z", 120)
    detail(http, "user-1", "?as_of=2025-12-31", status=404)


def test_a_collection_has_the_days_of_its_members(store_client, new_tenant):
    """In months as in its row; launches are the members'."""
    tenant, http, _ = new_tenant()
    insert_entry(
        store_client, tenant, "products", product_id="set", kind="collection", members=["product-1"]
    )
    insert_entry(store_client, tenant, "seat_changes", product_id="set")
    insert_usage(store_client, tenant, [event("2026-05-29"), event(DAY), event(DAY, "13:00:00")])
    body = detail(http, hashed(http), "?preset=30d&selected=set")
    assert body["months"][-1]["days_used"] == body["products"][0]["days_used"] == 2
    assert sum(each["launches"] for each in body["daily"]) == 0
    # What stands behind its days is the use of its members.
    assert [(each["product_id"], each["launches"]) for each in body["uses"]] == [
        ("product-1", 1),
        ("product-1", 2),
    ]
    both = detail(http, hashed(http), "?preset=30d")
    assert {row["product_id"]: row["days_used"] for row in both["products"]} == {
        "set": 2,
        "product-1": 2,
    }
    assert sum(each["launches"] for each in both["daily"]) == 3


def test_wrong_parameters_of_the_detail_view(new_tenant):
    """All at once, before the user is looked for; searching needs names that are shown."""
    _, http, _ = new_tenant()
    body = detail(http, "nobody", "?user=u&preset=1d&limit=3&selected=a&selected=b", status=400)
    wrong = {error["parameter"]: error["reason"] for error in body["errors"]}
    assert wrong == {
        "user": "unknown_parameter",
        "limit": "unknown_parameter",
        "preset": "invalid_value",
        "selected": "repeated_parameter",
    }
