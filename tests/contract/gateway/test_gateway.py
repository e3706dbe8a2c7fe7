"""The gateway as its senders see it: a real process before a real broker and a real store."""

import asyncio
import gzip
import uuid
from datetime import UTC, datetime

import httpx
import orjson
import pytest
import zstandard

from schemas.events import COLUMNS
from schemas.topics import DEFAULT_PARTITIONS, partition_of
from sinks.keys import revoke_key
from tests.support.gateway_process import SMALL_LIMITS, GatewayProcess, wait_until
from tests.support.topic_reader import lines_of


@pytest.fixture(scope="module")
def key(new_key):
    """A key that may send events."""
    return new_key()[1]


@pytest.fixture(scope="module")
def http(small_gateway, key):
    """A client with that key."""
    with httpx.Client(
        base_url=small_gateway.url, headers={"Authorization": f"Bearer {key}"}, timeout=30
    ) as client:
        yield client


def event(**changes):
    """A launch of now, with an id of its own."""
    return {
        "specversion": "1.0",
        "id": str(uuid.uuid4()),
        "source": "sample/desktop",
        "type": "product.launched",
        "subject": "sample-user",
        "time": datetime.now(UTC).isoformat(),
        "data": {"team_id": "sample-team", "product_id": "sample-product"},
        **changes,
    }


def binary(sent):
    """The headers of `sent` in binary mode."""
    return {f"ce-{name}": value for name, value in sent.items() if name != "data"}


def ids(lines):
    """Their ids."""
    return sorted(line["id"] for line in lines)


@pytest.mark.parametrize("address", ["/v1/events", "/api/v1/events"])
@pytest.mark.parametrize("pack", [None, "gzip", "zstd"])
@pytest.mark.parametrize(
    "content_type",
    [
        "application/cloudevents+json",
        "application/cloudevents+json; charset=UTF-8",
        "application/cloudevents-batch+json",
        "application/json",
        "Application/JSON;charset=utf-8",
        "application/x-ndjson",
    ],
)
def test_every_form_arrives(http, log, address, pack, content_type):
    """Each content type, packed or not, at both addresses: the same events on the log."""
    sent = [event() for _ in range(1 if "events+json" in content_type else 3)]
    if "ndjson" in content_type:
        body = b"\n".join(map(orjson.dumps, sent))
    else:
        body = orjson.dumps(sent[0] if len(sent) == 1 else sent)
    headers = {"Content-Type": content_type}
    if pack:
        headers["Content-Encoding"] = pack
        body = gzip.compress(body) if pack == "gzip" else zstandard.compress(body)

    answer = http.post(address, content=body, headers=headers)

    if address == "/v1/events":
        assert answer.status_code == 202
        assert answer.json() == {"accepted": len(sent), "rejected": []}
    else:
        assert (answer.status_code, answer.content) == (204, b"")
    assert ids(log.lines()) == ids(sent)


@pytest.mark.parametrize("content_type", [None, "application/json", "text/plain"])
def test_binary_mode(http, log, content_type):
    """Attributes in headers, percent-encoded or quoted; data in the body."""
    sent = event(subject="sample user %é", source='sample "quoted"')
    headers = binary(sent)
    headers["ce-subject"] = "sample%20user%20%25%C3%A9"
    headers["ce-source"] = '"sample \\"quoted\\""'
    if content_type:
        headers["Content-Type"] = content_type

    answer = http.post("/v1/events", content=orjson.dumps(sent["data"]), headers=headers)

    assert answer.status_code == 202
    (line,) = log.lines()
    assert (line["id"], line["user_id"], line["source"]) == (
        sent["id"],
        sent["subject"],
        sent["source"],
    )


def test_a_content_type_of_cloudevents_goes_before_the_header(http, log):
    """With ce-specversion and a structured body, the body counts."""
    sent = event()
    headers = {"ce-specversion": "1.0", "ce-id": "other"}
    headers["Content-Type"] = "application/cloudevents+json"

    assert http.post("/v1/events", content=orjson.dumps(sent), headers=headers).status_code == 202
    assert ids(log.lines()) == [sent["id"]]


@pytest.mark.parametrize(
    ("body", "reason", "field"),
    [
        (b"", "missing_field", "data"),
        (b"{oops", "malformed_json", "data"),
        (b"[]", "invalid_field", "data"),
    ],
)
def test_binary_mode_with_a_bad_body(http, body, reason, field):
    """The event's id is in its headers, so the reject can name it."""
    sent = event()
    answer = http.post("/v1/events", content=body, headers=binary(sent))

    assert answer.status_code == 400
    (reject,) = answer.json()["rejected"]
    assert (reject["id"], reject["reason"], reject["field"]) == (sent["id"], reason, field)


def test_a_record_is_what_the_worker_expects(http, log):
    """Flat NDJSON lines of strings, the headers, and each user's own partition."""
    sent = [event(subject=f"sample-user-{number}") for number in range(40)]
    answer = http.post("/v1/events", json=sent)

    records = log.records()
    assert sum(len(lines_of(record)) for record in records) == 40
    for record in records:
        lines = lines_of(record)
        assert dict(record.headers) == {
            "content-type": b"application/x-ndjson",
            "schema": b"usage-event/1",
            "kind": b"events",
            "count": str(len(lines)).encode(),
            "partitions": str(DEFAULT_PARTITIONS).encode(),
            "request-id": answer.headers["x-request-id"].encode(),
        }
        for line in lines:
            assert tuple(line) == COLUMNS
            assert set(map(type, line.values())) == {str}
            assert partition_of("sample", line["user_id"], DEFAULT_PARTITIONS) == record.partition


def test_records_are_bounded_and_shared(small_gateway, key, log):
    """At most 500 events or 256 KiB a record; requests that come together share records."""
    large = [
        event(source="s" * 250, data={"team_id": "t" * 120, "product_id": "p" * 120})
        for _ in range(1_200)
    ]
    headers = {"Authorization": f"Bearer {key}"}

    async def send_all():
        async with httpx.AsyncClient(
            base_url=small_gateway.url, headers=headers, timeout=30
        ) as client:
            posts = [client.post("/v1/events", json=[event()]) for _ in range(60)]
            return await asyncio.gather(client.post("/v1/events", json=large), *posts)

    assert {answer.status_code for answer in asyncio.run(send_all())} == {202}
    records = log.records()
    sizes = [len(lines_of(record)) for record in records]
    assert sum(sizes) == 1_260
    assert max(sizes) <= 500
    assert max(len(record.value) for record in records) <= 256 * 1024
    assert len(records) < 40


def test_one_bad_event_never_fails_its_neighbours(http, log, letters):
    """Accepted ones are on the log, the other is answered by index and kept as a dead letter."""
    good = [event(), event()]
    bad = event(type="product.closed")
    answer = http.post("/v1/events", json=[good[0], bad, good[1]])

    assert answer.status_code == 202
    assert answer.json()["accepted"] == 2
    (reject,) = answer.json()["rejected"]
    assert sorted(reject) == ["detail", "field", "id", "index", "reason"]
    assert (reject["index"], reject["id"], reject["reason"], reject["field"]) == (
        1,
        bad["id"],
        "unknown_type",
        "type",
    )
    assert ids(log.lines()) == ids(good)
    (letter,) = arrived(letters)
    assert orjson.loads(letter.value) == bad
    headers = {name: value.decode() for name, value in letter.headers}
    received_at = headers.pop("received-at")
    assert received_at.endswith("Z")
    assert headers == {
        "reason": "unknown_type",
        "detail": reject["detail"],
        "origin": f"request/{answer.headers['x-request-id']}/1",
        "tenant": "sample",
    }


def arrived(letters):
    """The dead letters, which nobody waits for."""
    found = []
    wait_until(lambda: found.extend(letters.records()) or found, seconds=30)
    return found


def test_openmeter_clients_learn_of_every_reject(http, log):
    """At their address a reject is a 400 with the same body, and what was good is kept."""
    good, bad = event(), event(id="")
    answer = http.post("/api/v1/events", json=[good, bad])

    assert answer.status_code == 400
    assert answer.json()["accepted"] == 1
    assert [reject["index"] for reject in answer.json()["rejected"]] == [1]
    assert ids(log.lines()) == [good["id"]]


@pytest.mark.parametrize("address", ["/v1/events", "/api/v1/events"])
@pytest.mark.parametrize(
    ("body", "reasons"),
    [
        (b"[]", []),
        (b"[", ["malformed_json"]),
        (b"", ["malformed_json"]),
        (b"[1]", ["not_an_event"]),
        (b"[{}]", ["missing_field"]),
    ],
)
def test_nothing_accepted_is_a_400(http, log, address, body, reasons):
    """With the same body as ever, and nothing on the log."""
    answer = http.post(address, content=body, headers={"Content-Type": "application/json"})

    assert answer.status_code == 400
    assert answer.json()["accepted"] == 0
    assert [reject["reason"] for reject in answer.json()["rejected"]] == reasons
    assert log.lines() == []


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
def test_a_body_that_does_not_unpack_is_bad_encoding(http, log, letters, pack):
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
    assert arrived(letters)


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


def test_health_metrics_and_document(small_gateway, http):
    """Live, ready, Prometheus metrics by verdict and reason, and an OpenAPI document."""
    name = "usage_ingest_events_total"
    before = {
        verdict: small_gateway.metric(name, reason=reason, verdict=verdict)
        for verdict, reason in (("accepted", ""), ("rejected", "missing_field"))
    }
    http.post("/v1/events", json=[event(), event(id=None), event(source=None)])

    assert small_gateway.answers("/health/live")
    assert small_gateway.answers("/health/ready")
    after = {
        verdict: small_gateway.metric(name, reason=reason, verdict=verdict)
        for verdict, reason in (("accepted", ""), ("rejected", "missing_field"))
    }
    assert after["accepted"] - before["accepted"] == 1
    assert after["rejected"] - before["rejected"] == 2
    assert small_gateway.metric("usage_ingest_requests_total", code="202") > 0
    assert small_gateway.metric("usage_ingest_ack_seconds_count") > 0
    assert small_gateway.metric("usage_ingest_buffer_bytes") == 0
    document = http.get("/openapi.json").json()
    assert {"/v1/events", "/api/v1/events"} <= set(document["paths"])


def test_no_user_is_in_the_log(small_gateway, http):
    """Neither of an accepted event nor of a refused one."""
    user = f"sample-user-{uuid.uuid4()}"
    http.post("/v1/events", json=[event(subject=user), event(subject=user, id="")])

    assert '"accepted": 1' in small_gateway.log()
    assert user not in small_gateway.log()
