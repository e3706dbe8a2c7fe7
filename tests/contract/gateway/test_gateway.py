"""The gateway as its senders see it: a real process before a real broker and a real store."""

import asyncio
import gzip
import uuid

import httpx
import orjson
import pytest
import zstandard

from schemas.events import COLUMNS
from schemas.topics import DEFAULT_PARTITIONS, partition_of
from tests.support.cloud_events import event, ids
from tests.support.topic_reader import lines_of


def binary(sent):
    """The headers of `sent` in binary mode."""
    return {f"ce-{name}": value for name, value in sent.items() if name != "data"}


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


def test_one_bad_event_never_fails_its_neighbours(http, key, log, letters, arrived):
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
    (letter,) = arrived()
    assert orjson.loads(letter.value) == bad
    headers = {name: value.decode() for name, value in letter.headers}
    received_at = headers.pop("received-at")
    assert received_at.endswith("Z")
    assert headers == {
        "reason": "unknown_type",
        "detail": reject["detail"],
        "origin": f"request/{answer.headers['x-request-id']}/1",
        "tenant": "sample",
        "key-id": key.split("_")[1],
    }


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

    assert '"accepted":1' in small_gateway.log()
    assert user not in small_gateway.log()
