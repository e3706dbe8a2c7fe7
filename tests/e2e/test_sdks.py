"""Senders' own SDKs, only base URL and key changed: what they send arrives in the report."""

import time
import uuid

import httpx
import openmeter
import pytest
from cloudevents.conversion import to_binary, to_json, to_structured
from cloudevents.http import CloudEvent
from openmeter.models import Event

VISIBLE_SECONDS = 30


@pytest.fixture
def key(up):
    """A key of a tenant of the test's own."""
    return up.new_key(f"sample-sdk-{uuid.uuid4().hex[:8]}", "ingest", "read")


def totals_once_there(up, key, launches):
    """The report's totals as soon as it shows so many launches."""
    deadline = time.monotonic() + VISIBLE_SECONDS
    while True:
        answer = httpx.get(
            f"{up.ready['query_url']}/v1/report", headers={"Authorization": f"Bearer {key}"}
        ).json()
        if answer["totals"]["launches"] >= launches or time.monotonic() > deadline:
            return answer["totals"]
        time.sleep(0.1)


def test_openmeter_reaches_the_report(up, key):
    """OpenMeter's client: single and batch, sent twice, counted once."""
    data = {"team_id": "sample-team", "product_id": "sample-product"}
    sent = [
        Event(
            id=f"event-{index}",
            source="sample/openmeter",
            specversion="1.0",
            type="product.launched",
            subject=f"sample-user-{index % 2}",
            data=data,
        )
        for index in range(5)
    ]
    with openmeter.Client(endpoint=up.ready["ingest_url"], token=key) as client:
        client.events.ingest_event(sent[0])
        client.events.ingest_events(sent)
        client.events.ingest_events(sent)
    totals = totals_once_there(up, key, 5)
    assert (totals["launches"], totals["users"]) == (5, 2)


def test_cloudevents_reaches_the_report(up, key):
    """The CloudEvents SDK: structured, binary and batch, each event counted once."""
    data = {"team_id": "sample-team", "product_id": "sample-product"}
    attributes = {
        "type": "product.launched",
        "source": "sample/cloudevents",
        "subject": "sample-user",
    }
    first, second, third = (CloudEvent(attributes, data) for _ in range(3))
    batch = b"[" + b",".join(to_json(each) for each in (first, second, third)) + b"]"
    batch_headers = {"Content-Type": "application/cloudevents-batch+json"}
    for headers, body in (to_structured(first), to_binary(second), (batch_headers, batch)):
        answer = httpx.post(
            f"{up.ready['ingest_url']}/v1/events",
            headers={**headers, "Authorization": f"Bearer {key}"},
            content=body,
        )
        assert answer.status_code == 202, answer.text
    totals = totals_once_there(up, key, 3)
    assert (totals["launches"], totals["users"]) == (3, 1)
