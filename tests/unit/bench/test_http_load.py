"""Requests of the load: whole HTTP, whole events, and no id twice."""

import json

import pytest

from tests.bench.http_load import Sending, requests


@pytest.fixture(scope="module", params=[1, 3])
def events(request):
    """Events a request."""
    return request.param


@pytest.fixture(scope="module")
def texts(events):
    """What is sent, in turn."""
    return requests("sample-key", events)


async def sent(texts, count):
    """Heads and bodies of so many requests."""
    sending = Sending(texts, 0.0)
    return [sending.next().split(b"\r\n\r\n") for _ in range(count)]


async def test_the_length_is_that_of_the_body(texts):
    """Ids that are put in late change no length."""
    for head, body in await sent(texts, 5):
        assert f"Content-Length: {len(body)}" in head.decode().split("\r\n")


async def test_no_event_comes_twice(texts, events):
    """Also when the requests are through and begin anew."""
    count = len(texts) + 5
    bodies = [json.loads(body) for _, body in await sent(texts, count)]
    found = [each for body in bodies for each in (body if isinstance(body, list) else [body])]
    assert len({each["id"] for each in found}) == len(found) == count * events
