"""When records leave: at once where it is quiet, gathered where it is busy."""

import asyncio

import pytest
from prometheus_client import CollectorRegistry

from ingest.budget import Budget
from ingest.publish import Publisher
from ingest.session import Outgoing
from schemas.metrics import IngestMetrics

LINGER_SECONDS = 0.05


class KeptSender:
    """A sender that keeps what it is given; each flight is acknowledged when the test says so."""

    def __init__(self) -> None:
        self.flights: list[list[Outgoing]] = []

    def submit(self, records: list[Outgoing]) -> None:
        """Take a flight."""
        self.flights.append(records)

    def acknowledge(self) -> None:
        """The broker has the last flight."""
        for record in self.flights[-1]:
            record.done(None)

    def lines(self) -> list[int]:
        """How many lines each flight has."""
        return [sum(len(record.lines) for record in flight) for flight in self.flights]


@pytest.fixture
async def sender() -> KeptSender:
    """A sender of the test's own."""
    return KeptSender()


@pytest.fixture
async def publisher(sender: KeptSender) -> Publisher:
    """A publisher over it."""
    metrics = IngestMetrics(CollectorRegistry())
    return Publisher(
        sender,  # type: ignore[arg-type]  # stands in for a thread and a broker
        Budget(1 << 20, metrics.buffer_bytes),
        metrics,
        partitions=1,
        linger_seconds=LINGER_SECONDS,
        ack_timeout_seconds=5.0,
    )


async def _sent(publisher: Publisher, lines: int) -> asyncio.Task[None]:
    task = asyncio.create_task(publisher.publish({0: [b"{}"] * lines}, "request"))
    for _ in range(5):
        await asyncio.sleep(0)
    return task


async def test_a_quiet_gateway_sends_at_once(publisher: Publisher, sender: KeptSender) -> None:
    """One request after the other waits for nothing but its own acknowledgement."""
    for number in range(1, 4):
        request = await _sent(publisher, 100)
        assert sender.lines() == [100] * number
        sender.acknowledge()
        await request


async def test_what_comes_behind_many_lines_is_gathered(
    publisher: Publisher, sender: KeptSender
) -> None:
    """It leaves in one flight, a moment later, though nothing is on its way."""
    first = await _sent(publisher, 101)
    sender.acknowledge()
    await first
    requests = [await _sent(publisher, 10) for _ in range(3)]
    assert sender.lines() == [101]
    await asyncio.sleep(LINGER_SECONDS)
    assert sender.lines() == [101, 30]
    sender.acknowledge()
    await asyncio.gather(*requests)


async def test_a_flight_that_is_long_on_its_way_does_not_hold_the_next_one(
    publisher: Publisher, sender: KeptSender
) -> None:
    """After the linger it leaves, though the one before is not acknowledged."""
    requests = [await _sent(publisher, 101), await _sent(publisher, 1)]
    assert sender.lines() == [101]
    await asyncio.sleep(2 * LINGER_SECONDS)
    assert sender.lines() == [101, 1]
    for flight in sender.flights:
        for record in flight:
            record.done(None)
    await asyncio.gather(*requests)
