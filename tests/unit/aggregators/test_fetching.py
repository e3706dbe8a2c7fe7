"""How the worker's consumer is made."""

from contextlib import aclosing
from types import SimpleNamespace

import aiokafka
import pytest
from faust.transport.drivers.aiokafka import AIOKafkaConsumerThread

from aggregators.fetching import Transport
from schemas.settings import WorkerSettings


async def test_a_fetch_waits_for_less_than_a_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    """A fetch of partitions without records holds the others up for a moment only."""
    theirs = aiokafka.AIOKafkaConsumer(fetch_max_wait_ms=1500)
    monkeypatch.setattr(AIOKafkaConsumerThread, "_create_worker_consumer", lambda *_: theirs)
    # A thread of Faust's opens loops when it is made.
    monkeypatch.setattr(AIOKafkaConsumerThread, "__init__", lambda *_, **__: None)
    consumer = SimpleNamespace(loop=None, beacon=None)
    thread = Transport.Consumer._new_consumer_thread(consumer)
    async with aclosing(SimpleNamespace(aclose=theirs.stop)):
        assert thread._create_worker_consumer(None) is theirs
        assert theirs._fetch_max_wait_ms / 1000 < WorkerSettings().batch_within_seconds
