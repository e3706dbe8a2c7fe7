"""Entries of the directory, valid by default, one of each entity.

Next: query_service.routes.directory
"""

VALID = {
    "teams": {"team_id": "team-1", "name": "Design", "personal_data": True},
    "team_members": {"team_id": "team-1", "user_id": "user-1"},
    "users": {
        "user_id": "user-1",
        "first_name": "Sample",
        "last_name": "Person",
        "email": "sample@example.org",
    },
    "products": {"product_id": "product-1", "name": "Draw", "kind": "product", "members": []},
    "subscriptions": {
        "subscription_id": "subscription-1",
        "team_id": "team-1",
        "product_id": "product-1",
        "seats": 5,
        "starts_on": "2026-01-01",
        "ends_on": "2026-12-31",
    },
    "assignments": {
        "user_id": "user-1",
        "product_id": "product-1",
        "team_id": "team-1",
        "access": "subscription",
        "at": "2026-01-01T00:00:00.000Z",
        "assignment": "direct",
        "group": None,
        "assigned": True,
    },
    "token_packs": {
        "pack_id": "pack-1",
        "team_id": "team-1",
        "tokens": "500.5",
        "purchased_on": "2026-01-01",
        "starts_on": "2026-01-01",
        "ends_on": "2026-12-31",
    },
    "prices": {
        "product_id": "product-1",
        "valid_from": "2026-01-01",
        "annual_price": "2985",
        "tokens_per_day": "10",
        "token_price": "3",
        "currency": "EUR",
    },
}


def entry(name, /, **changed):
    """A valid entry of the entity with some fields changed."""
    return VALID[name] | changed


def listed(http, name, **parameters):
    """Every entry that a list has, page by page."""
    found, cursor = [], None
    while True:
        given = {"cursor": cursor} if cursor else {}
        answer = http.get(f"/v1/directory/{name}", params={**parameters, **given})
        assert answer.status_code == 200, answer.text
        found += answer.json()[name]
        cursor = answer.json()["next_cursor"]
        if cursor is None:
            return found


def put(http, name, *entries):
    """Put entries that are all good."""
    answer = http.put(f"/v1/directory/{name}", json=entries)
    assert answer.json() == {"accepted": len(entries), "rejected": []}
    assert answer.status_code == 200
