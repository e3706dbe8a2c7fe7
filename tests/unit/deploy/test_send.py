"""The sender: every event is answered or named, whatever the gateway does in between."""

import json

import pytest

from deploy.batches import Line, batches
from deploy.send import GaveUp, Refused, Sender, Watch
from tests.support.scripted_gateway import failing, scripted_gateway

KEY = "ur_sample_key"


def make_lines(count: int, *, without_id: tuple[int, ...] = ()) -> list[Line]:
    """Lines 1 to `count`; those in `without_id` get rejected."""
    return [
        Line(number, json.dumps({} if number in without_id else {"id": f"e{number}"}).encode())
        for number in range(1, count + 1)
    ]


def test_all_arrive_though_a_third_of_the_requests_fail():
    """503, 429, 502 and lost answers: every event arrives, retries use the same ids."""
    with scripted_gateway(failing(seed=1, share=0.3)) as gateway:
        tally = Sender(gateway.url, KEY).run(batches(make_lines(2_000), 50))
    assert gateway.identities == {f"e{number}" for number in range(1, 2_001)}
    assert (tally.sent, tally.accepted, tally.rejected) == (2_000, 2_000, 0)
    assert tally.retried == len(gateway.requests) - 40 > 0
    first_ids = {request[0] for request in gateway.requests}
    assert len(first_ids) == 40


def test_rejects_carry_their_line_number():
    """A rejected event is named by its line in the file; its neighbours are accepted."""
    rejects = []

    class Collect(Watch):
        def answered(self, batch, found):
            rejects.extend(found)

    with scripted_gateway() as gateway:
        sender = Sender(gateway.url, KEY, watch=Collect())
        tally = sender.run(batches(make_lines(250, without_id=(7, 101, 250)), 100))
    assert sorted(reject.line for reject in rejects) == [7, 101, 250]
    assert {(reject.reason, reject.field) for reject in rejects} == {("missing_field", "id")}
    assert (tally.accepted, tally.rejected) == (247, 3)


def test_retry_after_is_honoured():
    """A gateway that names a time is not asked again before it; without success we give up."""
    with scripted_gateway(lambda _: (503, "1")) as gateway:
        sender = Sender(gateway.url, KEY, concurrency=1, patience_seconds=1.5)
        with pytest.raises(GaveUp, match="503"):
            sender.run(batches(make_lines(1), 1))
    # At 0, 1 and 2 seconds; the usual back-off would have asked more often.
    assert len(gateway.requests) <= 3


def test_nothing_listens():
    """Without a gateway the sender gives up after its patience, and says why."""
    sender = Sender("http://127.0.0.1:9", KEY, patience_seconds=0.3)
    with pytest.raises(GaveUp, match="ConnectError"):
        sender.run(batches(make_lines(1), 1))


@pytest.mark.parametrize("status", [401, 403, 415])
def test_a_refusal_stops_at_once(status):
    """What will not get better is not retried."""
    with scripted_gateway(lambda _: (status, None)) as gateway:
        with pytest.raises(Refused) as refused:
            Sender(gateway.url, KEY, concurrency=1).run(batches(make_lines(500), 100))
        assert refused.value.status == status
        assert len(gateway.requests) == 1


def test_a_batch_that_is_too_large_is_halved():
    """413 halves the batch until it fits; nothing is lost."""
    with scripted_gateway(max_events=30) as gateway:
        tally = Sender(gateway.url, KEY).run(batches(make_lines(200), 100))
    assert len(gateway.identities) == tally.accepted == 200


def test_one_event_that_is_too_large_is_a_reject():
    """An event that doesn't fit alone is rejected, the others go on."""
    with scripted_gateway(max_events=0) as gateway:
        tally = Sender(gateway.url, KEY).run(batches(make_lines(2), 2))
    assert (tally.accepted, tally.rejected) == (0, 2)


def test_rate_spreads_the_load():
    """At 100 events a second the sixth batch of 10 is not started before half a second."""
    with scripted_gateway() as gateway:
        tally = Sender(gateway.url, KEY, rate=100).run(batches(make_lines(60), 10))
    assert tally.sent == 60
    assert tally.seconds >= 0.5
