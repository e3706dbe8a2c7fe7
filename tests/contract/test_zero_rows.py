"""A row of zeros counts as absent everywhere: what `rebuild` makes of a row without events."""

from tests.support.usage import event, insert_rows, insert_usage

QUESTIONS = (
    *(f"report?by={grain}" for grain in ("user_product", "user", "product", "team")),
    *("snapshot", "options", "tokens", "daily?group_by=team,product,access"),
    *("users/user-1", "directory/users", "report?team=ghost", "report?user=ghost"),
)


def answers(http) -> dict[str, tuple[int, str]]:
    """What is answered to each question."""
    found = {question: http.get(f"/v1/{question}") for question in QUESTIONS}
    return {question: (answer.status_code, answer.text) for question, answer in found.items()}


def zeros(store_client, tenant: str, **changed: str) -> None:
    """A row of zeros like that of a launch."""
    insert_rows(store_client, tenant, [event(**changed)])
    store_client.command(
        "INSERT INTO usage_daily SELECT * REPLACE (0 AS launches, toDateTime64(0, 3) AS first_at,"
        " toDateTime64(0, 3) AS last_at) FROM usage_daily FINAL"
        " WHERE tenant = {tenant:String} AND 'ghost' IN (user_id, team_id, product_id)",
        parameters={"tenant": tenant},
    )


def test_nobody_sees_a_row_of_zeros(store_client, new_tenant):
    """Of a user, a team or a product that nothing else knows: every answer stays as it was."""
    tenant, http, _ = new_tenant(scopes=("admin", "manage"))
    _, of_a_team, _ = new_tenant(scopes=("manage",), teams=("team-1",))
    people = [{"user_id": name, "first_name": name} for name in ("user-1", "ghost")]
    http.put("/v1/directory/users", json=people).raise_for_status()
    http.put(
        "/v1/directory/teams", json=[{"team_id": "team-1", "personal_data": True}]
    ).raise_for_status()
    insert_usage(store_client, tenant, [event(), event("2026-03-02", user_id="user-2")])
    before = answers(http), answers(of_a_team)
    assert before[0]["users/user-1"][0] == 200

    zeros(store_client, tenant, user_id="ghost", team_id="team-1", product_id="product-1")
    zeros(store_client, tenant, team_id="ghost")
    zeros(store_client, tenant, product_id="ghost", day="2026-03-03")

    assert (answers(http), answers(of_a_team)) == before


def test_a_trace_does_not_show_one(store_client, new_tenant):
    """An event whose row became zeros is in no row."""
    tenant, http, _ = new_tenant(scopes=("admin",))
    ids = insert_usage(store_client, tenant, [event(user_id="ghost")])
    place = f"/v1/events/trace?source=sample&id={ids[0]}"
    assert http.get(place).json()["row"] is not None
    zeros(store_client, tenant, user_id="ghost")
    assert http.get(place).json()["row"] is None
