"""What can't be decoded becomes a letter with an origin that a replay repeats."""

from datetime import UTC, datetime
from types import SimpleNamespace

from aggregators.dead_letters import DeadLetterTopic, letters
from aggregators.decode import DeadLine
from schemas import topics

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)


class Topic:
    """Keeps what is sent to it; each acknowledgement is awaited."""

    def __init__(self):
        self.sent, self.acknowledged = [], 0

    async def send(self, **message):
        """As Faust: the answer is another thing to await."""
        self.sent.append(message)
        return self._acknowledge()

    async def _acknowledge(self):
        self.acknowledged += 1


def message(headers, value=b"raw", offset=3):
    """As Faust delivers it."""
    return SimpleNamespace(
        headers=headers, value=value, partition=0, offset=offset, timestamp=AT.timestamp()
    )


async def test_every_letter_is_acknowledged_before_it_comes_back():
    """Raw bytes cut at the limit, and where the line stands on the log."""
    topic = Topic()
    raw = b"x" * (topics.DEAD_LETTER_MAX_BYTES + 1)
    dead = [DeadLine(1, 77, seq, AT, raw, "not a line of JSON") for seq in (0, 4)]
    await DeadLetterTopic(topic).send(dead)
    assert topic.acknowledged == 2
    assert {len(sent["value"]) for sent in topic.sent} == {topics.DEAD_LETTER_MAX_BYTES}
    origins = [dict(sent["headers"])["origin"] for sent in topic.sent]
    assert origins == [b"usage.events/1/77/0", b"usage.events/1/77/4"]


def test_a_letter_is_a_row():
    """With what its headers say."""
    headers = topics.dead_letter_headers(
        reason="invalid_field",
        detail="why",
        origin="request/1/2",
        tenant="acme",
        received_at="2026-03-01T11:00:00.000Z",
        key_id="k1",
    )
    row = letters([message(headers)]).row(0, named=True)
    assert row == {
        "origin": "request/1/2",
        "tenant": "acme",
        "reason": "invalid_field",
        "detail": "why",
        "key_id": "k1",
        "raw": b"raw",
        "received_at": datetime(2026, 3, 1, 11, tzinfo=UTC),
        "version": 3,
    }


def test_whatever_is_on_the_topic_becomes_a_row():
    """No headers, no value, bytes that are no text: a letter all the same."""
    strange = [
        message(None, None, offset=8),
        message([("reason", b"\xff"), ("received-at", b"soon"), ("origin", b"o")]),
    ]
    frame = letters(strange)
    assert frame["origin"].to_list() == ["usage.dead-letters/0/8", "o"]
    assert frame["raw"].to_list() == [b"", b"raw"]
    assert frame["received_at"].to_list() == [AT, AT]
