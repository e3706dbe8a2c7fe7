"""Senders' own SDKs against the gateway, with nothing changed but base URL and key."""

import json
import uuid
from datetime import UTC, datetime, timedelta, timezone

import httpx
import openmeter
import pytest
from cloudevents.conversion import to_binary, to_json, to_structured
from cloudevents.http import CloudEvent
from corehttp.exceptions import ClientAuthenticationError, HttpResponseError
from openmeter.models import Event

TIME = datetime.now(UTC).replace(microsecond=123_456) - timedelta(hours=1)
STORED_TIME = f"{TIME:%Y-%m-%dT%H:%M:%S}.123Z"
WRONG_KEY = "ur_wrong_key"
DATA = {"team_id": "sample-team", "product_id": "sample-product", "tokens": "12.5"}


@pytest.fixture(scope="module")
def client(small_gateway, key):
    """OpenMeter's client."""
    with openmeter.Client(endpoint=small_gateway.url, token=key) as made:
        yield made


def metered(**changes):
    """An event as OpenMeter's SDK has it."""
    fields = {
        "id": str(uuid.uuid4()),
        "source": "sample/openmeter",
        "specversion": "1.0",
        "type": "tokens.consumed",
        "subject": "sample-user",
        "time": TIME,
        "data": DATA,
    }
    return Event(**{**fields, **changes})


def cloud_event(**changes):
    """An event as CloudEvents' SDK has it: with a time of now and an id of its own."""
    attributes = {
        "type": "tokens.consumed",
        "source": "sample/cloudevents",
        "subject": "sample-user",
        "time": TIME.isoformat(),
        **changes,
    }
    return CloudEvent(attributes, DATA)


def the_line(log, event_id):
    """The one line on the log, which has all that was sent."""
    (line,) = log.lines()
    assert line["id"] == event_id
    assert (line["type"], line["user_id"], line["time"], line["tokens"], line["access"]) == (
        "tokens.consumed",
        "sample-user",
        STORED_TIME,
        "12.5",
        "flex",
    )
    return line


def test_openmeter_sends_one_event(client, log):
    """`ingest_event` takes the answer as success, and the event is on the log."""
    sent = metered()
    client.events.ingest_event(sent)

    assert the_line(log, sent.id)["source"] == "sample/openmeter"


def test_openmeter_sends_a_batch(client, log):
    """`ingest_events`, with and without a time, and one in another zone."""
    local = TIME.astimezone(timezone(timedelta(hours=9)))
    sent = [metered(), metered(time=None), metered(time=local), metered(data={**DATA, "tokens": 1})]
    client.events.ingest_events(sent)

    lines = {line["id"]: line for line in log.lines()}
    assert set(lines) == {each.id for each in sent}
    assert lines[sent[1].id]["time"] == lines[sent[1].id]["received_at"]
    assert lines[sent[2].id]["time"] == STORED_TIME
    assert lines[sent[3].id]["tokens"] == "1"


def test_openmeter_hears_of_a_reject(client, log):
    """An event that breaks a rule is an error there, and the good one is kept."""
    sent = metered()
    with pytest.raises(HttpResponseError) as caught:
        client.events.ingest_events([sent, metered(type="api-calls")])

    assert caught.value.status_code == 400
    the_line(log, sent.id)


def test_openmeter_hears_of_a_wrong_key(small_gateway):
    """401 is the error that its users know."""
    with (
        openmeter.Client(endpoint=small_gateway.url, token=WRONG_KEY) as stranger,
        pytest.raises(ClientAuthenticationError),
    ):
        stranger.events.ingest_event(metered())


def post(small_gateway, key, headers, body):
    """Send what the SDK made."""
    headers = {**headers, "Authorization": f"Bearer {key}"}
    answer = httpx.post(f"{small_gateway.url}/v1/events", headers=headers, content=body)
    assert answer.status_code == 202, answer.text


@pytest.mark.parametrize("write", [to_structured, to_binary])
def test_cloudevents_sends_either_mode(small_gateway, key, log, write):
    """`to_structured` and `to_binary`, headers and body as the SDK writes them."""
    sent = cloud_event()
    post(small_gateway, key, *write(sent))

    assert the_line(log, sent["id"])["source"] == "sample/cloudevents"


def test_cloudevents_with_nothing_but_its_defaults(small_gateway, key, log):
    """The SDK's own id and time will do."""
    attributes = {"type": "product.launched", "source": "sample", "subject": "sample-user"}
    post(small_gateway, key, *to_binary(CloudEvent(attributes, DATA)))

    (line,) = log.lines()
    assert line["time"] <= line["received_at"]


def test_cloudevents_sends_a_batch(small_gateway, key, log):
    """The SDK writes one event at a time; a batch is an array of them."""
    sent = [cloud_event() for _ in range(3)]
    body = json.dumps([json.loads(to_json(each)) for each in sent])
    post(small_gateway, key, {"Content-Type": "application/cloudevents-batch+json"}, body)

    assert sorted(line["id"] for line in log.lines()) == sorted(each["id"] for each in sent)
