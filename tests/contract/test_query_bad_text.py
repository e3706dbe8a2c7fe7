"""Text that no encoding takes on, and numbers that no field holds: refused, and nothing else is.

Next: query_service.problems
"""

import json

import pytest

LONE = "\ud800"
ITEM = {"user_id": "sample-user", "product_id": "sample-product", "team_id": "sample-team"}


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/keys", {"scopes": [LONE]}),
        ("/v1/keys", {"scopes": ["read"], "teams": [LONE]}),
        ("/v1/keys", {LONE: 1}),
        ("/v1/unassign", {"filter": {"team": LONE}, "dry_run": True, "expected_users": 1}),
        ("/v1/unassign", {"filter": {"product": [LONE]}, "dry_run": True, "expected_users": 1}),
        ("/v1/unassign", {"filter": {LONE: "a"}, "dry_run": True, "expected_users": 1}),
        ("/v1/unassign", {"items": [ITEM | {"user_id": LONE}], "dry_run": True}),
        ("/v1/unassign", {"as_of": LONE, "filter": {}, "dry_run": True, "expected_users": 1}),
    ],
)
def test_a_lone_surrogate_is_refused(new_tenant, path, body):
    """JSON's escapes can bring half a character: 400, and a document that can be read."""
    _, client, _ = new_tenant(scopes=("admin",))
    answer = client.post(path, content=json.dumps(body))
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["reason"] == "invalid_parameters"


@pytest.mark.parametrize("number", ["9" * 5_000, "1e9999999999999999999"])
def test_a_number_beyond_bounds_spoils_its_own_entry(new_tenant, number):
    """The entry beside it is stored all the same."""
    _, client, _ = new_tenant(scopes=("manage",))
    entries = f'[{{"team_id":"a","name":"A"}},{{"team_id":"b","name":{number}}}]'
    answer = client.put(
        "/v1/directory/teams", content=entries, headers={"Content-Type": "application/json"}
    )
    told = answer.json()
    assert (answer.status_code, told["accepted"]) == (200, 1)
    assert [(each["index"], each["field"]) for each in told["rejected"]] == [(1, "name")]
