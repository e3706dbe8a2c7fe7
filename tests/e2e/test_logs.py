"""Nobody is named in any log of any process, at the level that tells most; requests are."""

import json
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from deploy.sample import sample_load
from deploy.sample_directory import sample_directory
from tests.support.cloud_events import event
from tests.support.gateway_process import wait_until
from tests.support.up_process import UpProcess

PATIENCE_SECONDS = 300
REQUEST_ID = "sample-request:1"
# Words of the sample's people that are words of the system as well.
COMMON = {"Sample"}


@pytest.fixture(scope="module")
def debugged(tmp_path_factory):
    """The whole system at level debug, in JSON, with everybody of the sample's directory."""
    environment = {"USAGE_LOG_LEVEL": "debug", "USAGE_LOG_FORMAT": "json"}
    running = UpProcess(tmp_path_factory.mktemp("logs") / "data", environment=environment)
    running.start()
    yield running
    running.stop()


@pytest.fixture(scope="module")
def people():
    """The sample's users as the directory knows them."""
    return sample_directory(sample_load(datetime.now(UTC)))["users"]


def logs(running):
    """Every log of every process, by its name."""
    files = [*(running.data_dir / "logs").rglob("*"), running.data_dir / "up.err"]
    return {path.name: path.read_text(errors="replace") for path in files if path.is_file()}


def use(running, people):
    """Events good and bad of everybody, and every kind of question that names them."""
    headers = {"X-API-Key": running.ready["key"], "X-Request-Id": REQUEST_ID}
    ingest = httpx.Client(base_url=running.ready["ingest_url"], headers=headers, timeout=300)
    query = httpx.Client(base_url=running.ready["query_url"], headers=headers, timeout=300)
    with ingest, query:
        for entity, entries in sample_directory(sample_load(datetime.now(UTC))).items():
            for start in range(0, len(entries), 5000):
                put = query.put(f"/v1/directory/{entity}", json=entries[start : start + 5000])
                assert put.status_code == 200, put.text
        ids = [each["user_id"] for each in people]
        sent = [event(subject=user) for user in ids]
        assert ingest.post("/v1/events", json=sent).status_code == 202
        old = str(datetime.now(UTC) - timedelta(days=99))
        for bad in ({"type": "no"}, {"time": old}, {"data": {"user": people[0]["email"]}}):
            ingest.post("/v1/events", json=[{**event(subject=user), **bad} for user in ids[:50]])
        ingest.post("/v1/events", content=f'{{"subject": "{ids[0]}"'.encode())
        ingest.post(f"/v1/events?user={ids[0]}", json=[])
        wait_until(lambda: query.get("/v1/ledger").json()["lag_records"] == 0, PATIENCE_SECONDS)
        for each in people[:3]:
            named = {"user": each["user_id"]}
            for path in ("report", "report.csv", "events", "snapshot", "daily", "options"):
                query.get(f"/v1/{path}", params=named)
                query.get(f"/v1/{path}", params={"q": each["last_name"], "sort": each["email"]})
            query.get(f"/v1/users/{each['user_id']}")
            seat = {**named, "user_id": each["user_id"], "team_id": "team-x", "product_id": "x"}
            del seat["user"]
            body = {"items": [seat], "request_id": f"change of {each['user_id']}"}
            for deed in ("assign", "unassign"):
                query.post(f"/v1/{deed}", json=body)
            query.post(f"/v1/changes/{body['request_id']}/undo")
            query.post("/v1/hash", json=named)
            query.delete(f"/v1/keys/{each['user_id']}")
            query.get(f"/users/{each['user_id']}")
            query.get(f"/nothing/{each['email']}")
        query.get("/v1/dead-letters")
        query.get("/v1/verify")


def test_nobody_is_named_in_any_log(debugged, people):
    """After all that a system is used for: no id, name or e-mail address of anybody.

    A request is found by its id from the gateway to the worker.
    """
    use(debugged, people)
    taken = lambda: [  # noqa: E731
        line for line in logs(debugged)["worker.log"].splitlines() if REQUEST_ID in line
    ]
    wait_until(taken, PATIENCE_SECONDS)
    assert {json.loads(line)["event"] for line in taken()} == {"taken"}
    for name in ("ingest.log", "query.log"):
        assert REQUEST_ID in logs(debugged)[name]
    personal = {str(value) for each in people for value in each.values() if value} - COMMON
    assert len(personal) > 300
    found = {
        (name, secret)
        for name, text in logs(debugged).items()
        for secret in personal
        if secret in text
    }
    assert found == set()
