"""Who gets in at the gateway, under what name it is logged, and what every answer tells."""

import asyncio
import json
import re
import socket
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial

import httpx
import pytest

from ingest.app import create_app
from schemas.security_headers import HEADERS
from schemas.settings import IngestSettings
from sinks.keys import create_key
from tests.support.cloud_events import event
from tests.support.gateway_process import GatewayProcess, wait_until

PATHS = ("/v1/events", "/api/v1/events", "/health/live", "/health/ready", "/metrics")


def said(answer):
    """Its headers are complete, once each."""
    for name, value in HEADERS.items():
        assert answer.headers.get_list(name) == [value], (answer.url, name)
    assert re.fullmatch(r"[A-Za-z0-9._:-]{1,64}", answer.headers["X-Request-Id"])


def test_every_answer_has_security_headers(http, small_gateway):
    """Of every route and method, with a key and without, also of what is not there."""
    with httpx.Client(base_url=small_gateway.url, timeout=300) as stranger:
        for path in (*PATHS, "/openapi.json", "/nothing"):
            for client in (http, stranger):
                for method in ("GET", "POST", "DELETE"):
                    said(client.request(method, path, json=[event()], timeout=300))
        assert "Strict-Transport-Security" not in stranger.get("/health/live").headers
        secure = stranger.get("/health/live", headers={"X-Forwarded-Proto": "https"})
        assert secure.headers["Strict-Transport-Security"].startswith("max-age=")


def test_a_head_that_can_not_be_read_tells_nothing(small_gateway):
    """Refused by the connection itself, before there is a request: no browser makes much of it."""
    with socket.create_connection(("127.0.0.1", small_gateway.port)) as connection:
        connection.sendall(b"nonsense\r\n\r\n")
        head, _, body = connection.makefile("rb").read().partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    assert lines[0].startswith("HTTP/1.1 400 ")
    assert {f"{name.lower()}: {value}" for name, value in HEADERS.items()} <= set(lines)
    assert json.loads(body)["reason"] == "bad_request"


def test_a_mistake_of_ours_tells_nothing_of_it(tmp_path, monkeypatch):
    """A problem document with the request's id: no trace, no name of code or of data."""
    settings = IngestSettings(
        CLICKHOUSE_DSN="clickhouse://default:@127.0.0.1:1/usage",
        KAFKA_BOOTSTRAP="127.0.0.1:1",
        state_dir=tmp_path,
    )
    app = create_app(settings)

    def fail(_):
        raise RuntimeError("sample-secret of user-1")

    monkeypatch.setattr(app.state.gateway.ring, "find", fail)
    answer = asyncio.run(_post(app))
    assert (answer.status_code, answer.json()["status"]) == (500, 500)
    said(answer)
    for word in ("Traceback", "RuntimeError", "sample-secret", ".py", "user-1"):
        assert word not in answer.text


async def _post(app):
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://gateway") as client:
        return await client.post("/v1/events", json=[event()], headers={"X-API-Key": "ur_a_b"})


def test_the_senders_request_id_goes_through(http, log, letters, arrived, small_gateway):
    """From the request to the answer, the log line and the record; a letter's name stays its own.

    Two requests of one id leave two letters.
    """
    assert letters
    bad = {**event(), "type": "nothing"}
    for _ in range(2):
        answer = http.post(
            "/v1/events", json=[event(), bad], headers={"X-Request-Id": "sample:7.a"}
        )
        assert answer.headers["X-Request-Id"] == "sample:7.a"
    records = log.records()
    named = {dict(record.headers)["request-id"] for record in records}
    assert named == {b"sample:7.a"}
    told = lambda: [each for each in small_gateway.log().splitlines() if "sample:7.a" in each]  # noqa: E731
    wait_until(lambda: len(told()) == 2, seconds=60)
    lines = [json.loads(line) for line in told()]
    assert [line["event"] for line in lines] == ["request", "request"]
    found = arrived()
    wait_until(lambda: len(found) == 2 or found.extend(arrived()), seconds=60)
    origins = {dict(letter.headers)["origin"].decode() for letter in found}
    assert origins == {f"request/{line['arrival_id']}/1" for line in lines}


@pytest.mark.parametrize("given", ["a b", "a@b.example", '"}', "x" * 65, "=cmd"])
def test_a_request_id_that_could_be_something_else_is_not_taken_over(http, given):
    """The gateway makes one of its own instead."""
    answer = http.post("/v1/events", json=[event()], headers={"X-Request-Id": given})
    assert re.fullmatch(r"[0-9a-f]{32}", answer.headers["X-Request-Id"])


def test_another_tenants_names_stay_ones_own(small_gateway, new_key, log, arrived):
    """Team, user, id and source of another's event, and its tenant by any way to say it.

    All of it is kept under the key's tenant, accepted or refused.
    """
    sent = {**event(), "tenant": "sample-other", "ce-tenant": "sample-other"}
    bad = {**sent, "type": "nothing"}
    first, second = (new_key(tenant=f"sample-{name}")[1] for name in ("own", "other"))
    headers = {"X-Tenant": "sample-other", "Tenant": "sample-other"}
    for path in ("/v1/events", "/api/v1/events"):
        for key, tenant in ((second, "sample-other"), (first, "sample-own")):
            httpx.post(
                f"{small_gateway.url}{path}?tenant=sample-other&key={second}",
                json=[sent, bad],
                headers={**headers, "X-API-Key": key},
                timeout=300,
            )
            lines = log.lines()
            assert {line["tenant"] for line in lines} == {tenant}
            assert {line["user_id"] for line in lines} == {sent["subject"]}
            assert {dict(each.headers)["tenant"].decode() for each in arrived()} == {tenant}


def test_a_tenant_over_its_requests_waits_alone(
    clickhouse_dsn, kafka_bootstrap, store_client, tmp_path
):
    """429 with Retry-After, counted; another tenant's requests are taken."""
    gateway = GatewayProcess(
        tmp_path,
        kafka=kafka_bootstrap,
        clickhouse_dsn=clickhouse_dsn,
        tenant_requests_per_second=1,
    ).start()
    make = partial(create_key, store_client, scopes=["ingest"], teams=(), now=datetime.now(UTC))
    greedy, modest = (make(tenant=f"sample-{name}")[1] for name in ("greedy", "modest"))

    def post(key):
        headers = {"X-API-Key": key}
        url = f"{gateway.url}/v1/events"
        return httpx.post(url, json=[event()], headers=headers, timeout=300)

    # All at once: a busy machine takes longer than a second for a few.
    wait_until(lambda: post(greedy).status_code == 202, seconds=60)
    with ThreadPoolExecutor(20) as threads:
        answers = list(threads.map(post, [greedy] * 100))
    refused = next(each for each in answers if each.status_code == 429)
    assert refused.json()["reason"] == "rate_limited"
    assert int(refused.headers["Retry-After"]) >= 1
    wait_until(lambda: post(modest).status_code == 202, seconds=60)
    refusals = gateway.metric("usage_ingest_events_total", verdict="refused", reason="rate_limited")
    assert refusals >= 1
    wait_until(lambda: post(greedy).status_code == 202, seconds=60)
    assert gateway.stop() == 0
