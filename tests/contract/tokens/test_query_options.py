"""Options over HTTP, against the real engine.

Next: query_service.options
"""

from tests.support.directory_rows import insert_entry
from tests.support.usage import event, insert_usage


def named(kind, *pairs):
    """Entries as the answer has them."""
    return [{f"{kind}_id": each, kind: name} for each, name in pairs]


def test_what_occurs_in_the_range(store_client, new_tenant):
    """Values of the rows by name, the id where there is none; nothing from outside the range."""
    tenant, http, _ = new_tenant()
    insert_entry(store_client, tenant, "teams", team_id="team-9", name="a team")
    insert_entry(store_client, tenant, "teams", team_id="team-unused")
    insert_entry(store_client, tenant, "products", product_id="product-2", name="Zeta")
    insert_entry(
        store_client,
        *(tenant, "seat_changes"),
        team_id="team-9",
        product_id="product-2",
        assignment="group",
        group="Cad",
    )
    insert_usage(
        store_client,
        tenant,
        [
            event("2026-05-30", team_id="Team-B", version="2026"),
            event("2026-05-30", team_id="Team-B", user_id="user-2", version="2027"),
            event("2026-05-30", team_id="Team-B", user_id="user-3", version=""),
            event("2025-01-30", team_id="team-old", version="2024"),
        ],
    )
    body = http.get("/v1/options").json()
    assert body["teams"] == named("team", ("team-9", "a team"), ("Team-B", "Team-B"))
    assert body["products"] == named("product", ("product-1", "product-1"), ("product-2", "Zeta"))
    assert (body["versions"], body["groups"]) == (["2026", "2027"], ["Cad"])
    assert (body["range"]["preset"], body["personal_data"]) == ("3m", "hashed")
    chosen = http.get("/v1/options?seat=assigned").json()
    assert chosen["teams"] == named("team", ("team-9", "a team"))
    assert (chosen["versions"], chosen["groups"]) == ([], ["Cad"])
    assert http.get("/v1/options?days_used_min=1").json()["groups"] == []


def test_options_of_a_key(store_client, new_tenant):
    """Neither another tenant's values, nor those of teams that the key is not for."""
    tenant, http, _ = new_tenant(teams=["team-1"])
    other, _, _ = new_tenant("other")
    insert_usage(
        store_client,
        tenant,
        [event("2026-05-30"), event("2026-05-30", team_id="team-2", product_id="p2", version="9")],
    )
    insert_usage(store_client, other, [event("2026-05-30", product_id="p3", version="8")])
    for query in ("", "?team=team-1&team=team-2"):
        body = http.get(f"/v1/options{query}").json()
        assert body["teams"] == named("team", ("team-1", "team-1"))
        assert body["products"] == named("product", ("product-1", "product-1"))
        assert body["versions"] == ["2026"]


def test_options_take_range_and_filters(new_tenant):
    """Range and filters are parameters, and nothing else."""
    _, http, _ = new_tenant()
    answer = http.get("/v1/options?by=user&q=name&seat=taken")
    assert answer.status_code == 400
    wrong = {error["parameter"] for error in answer.json()["errors"]}
    assert wrong == {"by", "seat"}
