"""The events that workers are measured with, and records of them as a gateway writes these.

Next: tests.bench.plain_fold
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import orjson
from kafka import KafkaProducer

from schemas import topics
from schemas.events import COLUMNS, format_time


@dataclass(frozen=True)
class Load:
    """How many events, and how many of them share a row on average."""

    events: int
    events_a_row: int


def lines(load: Load) -> Iterator[tuple[str, bytes]]:
    """(user, line) of each event; the same for both sides."""
    now = datetime.now(UTC)
    users = max(1, load.events // load.events_a_row)
    for index in range(load.events):
        user = f"bench-user-{index % users}"
        moment = format_time(now - timedelta(milliseconds=load.events - index))
        values = (
            *("bench", moment, "bench", f"event-{index}", "tokens.consumed", user, moment),
            *("bench-team", f"bench-product-{user[-1]}", "flex", "0.0001", "1.0", "", "", ""),
        )
        yield user, orjson.dumps(dict(zip(COLUMNS, values, strict=True)))


def send_record(producer: KafkaProducer, partition: int, held: list[bytes]) -> None:
    """One record of many events, as a gateway writes it."""
    producer.send(
        topics.EVENTS,
        partition=partition,
        value=b"\n".join(held),
        headers=topics.events_headers(count=len(held), partitions=12, request_id="bench"),
    )
