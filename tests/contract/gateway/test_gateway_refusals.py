"""What the gateway refuses, and how: keys, teams, sizes, encodings, rates."""

import gzip
from datetime import UTC, datetime

import httpx
import orjson
import pytest
import zstandard

from sinks.keys import revoke_key
from tests.support.cloud_events import event, ids
from tests.support.gateway_process import SMALL_LIMITS, GatewayProcess, wait_until


def problem(answer, status, reason):
    """Check that `answer` is that problem document; return it."""
    document = answer.json()
    assert (answer.status_code, document["status"], document["reason"]) == (status, status, reason)
    assert answer.headers["content-type"] == "application/problem+json"
    assert document["title"]
    assert document["detail"]
    return document


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer nonsense"},
        {"Authorization": "Bearer ur_unknown_secret"},
        {"Authorization": "Basic dTpw"},
        {"X-API-Key": "ur__"},
    ],
)
def test_who_has_no_key_is_401(small_gateway, headers):
    """Whatever is sent instead of a key."""
    answer = httpx.post(f"{small_gateway.url}/v1/events", json=[event()], headers=headers)

    problem(answer, 401, "unauthorized")
    assert answer.headers["www-authenticate"] == "Bearer"


def test_a_wrong_secret_is_401(small_gateway, key):
    """The id of a key alone opens nothing."""
    headers = {"Authorization": f"Bearer {key}x"}

    problem(httpx.post(f"{small_gateway.url}/v1/events", headers=headers), 401, "unauthorized")


def test_a_key_without_the_scope_is_403(small_gateway, new_key):
    """Who may read may not send; who may import may."""
    for scopes, status in ((["admin"], 403), (["import"], 202)):
        headers = {"X-API-Key": new_key(scopes=scopes)[1]}
        answer = httpx.post(f"{small_gateway.url}/v1/events", json=[event()], headers=headers)
        assert answer.status_code == status
    problem(
        httpx.post(
            f"{small_gateway.url}/v1/events", headers={"X-API-Key": new_key(scopes=["read"])[1]}
        ),
        403,
        "forbidden",
    )


def test_a_key_of_teams_sends_only_for_them(small_gateway, new_key, log):
    """Another team's event is one reject; if all are, the request is forbidden."""
    headers = {"X-API-Key": new_key(teams=["sample-team"])[1]}
    mine = event()
    other = event(data={"team_id": "other-team", "product_id": "sample-product"})

    mixed = httpx.post(f"{small_gateway.url}/v1/events", json=[mine, other], headers=headers)
    assert mixed.status_code == 202
    assert [reject["reason"] for reject in mixed.json()["rejected"]] == ["forbidden"]
    for address in ("/v1/events", "/api/v1/events"):
        answer = httpx.post(f"{small_gateway.url}{address}", json=[other], headers=headers)
        assert problem(answer, 403, "forbidden")["rejected"][0]["id"] == other["id"]
    assert ids(log.lines()) == [mine["id"]]


def test_the_tenant_comes_from_the_key_alone(small_gateway, new_key, log):
    """Nothing in the body or the address changes it."""
    sent = event(tenant="sample")
    sent["data"]["tenant"] = "sample"
    headers = {"X-API-Key": new_key(tenant="other-sample")[1]}
    httpx.post(f"{small_gateway.url}/v1/events?tenant=sample", json=[sent], headers=headers)

    assert [line["tenant"] for line in log.lines()] == ["other-sample"]


def test_a_revoked_key_is_refused_within_three_seconds(small_gateway, store_client, new_key):
    """Without a restart, and without asking the store for each request."""
    key_id, key = new_key()
    headers = {"X-API-Key": key}
    revoke_key(store_client, key_id=key_id, tenant=None, now=datetime.now(UTC))

    post = lambda: httpx.post(f"{small_gateway.url}/v1/events", json=[event()], headers=headers)  # noqa: E731
    wait_until(lambda: post().status_code == 401, seconds=3)


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Type": "text/plain"},
        {"Content-Type": "application/xml"},
        {"Content-Type": "application/cloudevents+xml"},
        {"Content-Type": "application/cloudevents+avro", "ce-specversion": "1.0"},
        {"Content-Type": "application/json; charset=utf-16"},
        {"Content-Type": "application/json", "Content-Encoding": "br"},
        {"Content-Type": "application/json", "Content-Encoding": "gzip, gzip"},
        {},
    ],
)
def test_what_cannot_be_read_is_415(http, headers):
    """Content types and encodings that nobody promised."""
    answer = http.post("/v1/events", content=orjson.dumps([event()]), headers=headers)

    problem(answer, 415, "unsupported_media_type")


@pytest.mark.parametrize("pack", ["gzip", "zstd"])
def test_a_body_that_does_not_unpack_is_bad_encoding(http, log, letters, arrived, pack):
    """Garbage, a body cut short and one with a tail: nothing of it is taken, and it is kept."""
    lines = b"\n".join(orjson.dumps(event()) for _ in range(2_000))
    whole = gzip.compress(lines) if pack == "gzip" else zstandard.compress(lines)
    headers = {"Content-Type": "application/x-ndjson", "Content-Encoding": pack}
    for body in (b"garbage", whole[: len(whole) // 2], whole[:-1], whole + b"tail"):
        answer = http.post("/v1/events", content=body, headers=headers)
        assert answer.status_code == 400
        assert answer.json()["accepted"] == 0
        assert [reject["reason"] for reject in answer.json()["rejected"]] == ["bad_encoding"]
    assert log.lines() == []
    assert arrived()


@pytest.mark.parametrize("pack", ["gzip", "zstd"])
def test_a_bomb_is_413(http, pack):
    """Unpacked past the limit, or by more than the ratio: refused before it is whole."""
    for size in (100 << 20, 1 << 19):
        zeros = b"0" * size
        body = gzip.compress(zeros) if pack == "gzip" else zstandard.compress(zeros)
        headers = {"Content-Type": "application/json", "Content-Encoding": pack}
        problem(http.post("/v1/events", content=body, headers=headers), 413, "body_too_large")


def test_a_body_above_the_limit_is_413(http):
    """Announced or not."""
    headers = {"Content-Type": "application/json"}
    body = b"[" + b" " * SMALL_LIMITS["body_max_bytes"] + b"]"
    chunks = (body[start : start + 65_536] for start in range(0, len(body), 65_536))
    for content in (body, chunks):
        answer = http.post("/v1/events", content=content, headers=headers)
        problem(answer, 413, "body_too_large")


def test_a_batch_above_the_limit_is_413(http, log):
    """None of its events is taken."""
    lines = b"{}\n" * (SMALL_LIMITS["batch_max_events"] + 1)
    headers = {"Content-Type": "application/x-ndjson"}

    problem(http.post("/v1/events", content=lines, headers=headers), 413, "batch_too_large")
    assert log.lines() == []


def test_a_tenant_over_its_rate_is_429(clickhouse_dsn, kafka_bootstrap, key, tmp_path, log):
    """With Retry-After; what was let in before is on the log, and it may come back later."""
    gateway = GatewayProcess(
        tmp_path,
        kafka=kafka_bootstrap,
        clickhouse_dsn=clickhouse_dsn,
        tenant_events_per_second=100,
    ).start()
    try:
        headers = {"Authorization": f"Bearer {key}"}
        post = lambda count: httpx.post(  # noqa: E731
            f"{gateway.url}/v1/events", json=[event() for _ in range(count)], headers=headers
        )
        assert post(250).status_code == 202
        answer = post(1)
        problem(answer, 429, "rate_limited")
        assert int(answer.headers["retry-after"]) >= 1
        wait_until(lambda: post(1).status_code == 202, seconds=30)
        assert len(log.lines()) == 251
    finally:
        gateway.kill()


def test_other_addresses_are_problem_documents(http):
    """404 and 405 look like every other refusal."""
    for answer, status in ((http.get("/nowhere"), 404), (http.get("/v1/events"), 405)):
        assert answer.status_code == status
        assert answer.headers["content-type"] == "application/problem+json"
