"""When records were appended: a look at single records of the log, beside the consumer.

Next: aggregators.lineage
"""

import time
from collections.abc import Mapping
from contextlib import closing
from datetime import UTC, datetime

from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaTimeoutError

from schemas import topics
from schemas.kafka_address import KafkaAddress
from schemas.kafka_clients import connect

_TIMEOUT_MS = 5_000
_POLL_MS = 200


def append_times(kafka: KafkaAddress, places: Mapping[int, int]) -> dict[int, datetime | None]:
    """The append times of the records at `places`, offsets by partition.

    None for an offset that the log does not reach; without those deleted at its beginning.
    Raises KafkaError while the broker is away.
    """
    wanted = {TopicPartition(topics.EVENTS, p): offset for p, offset in places.items()}
    with closing(_consumer(kafka)) as consumer:
        starts = consumer.beginning_offsets(list(wanted))
        ends = consumer.end_offsets(list(wanted))
        beyond = {place for place, offset in wanted.items() if offset >= ends[place]}
        there = {p: at for p, at in wanted.items() if starts[p] <= at and p not in beyond}
        found = _read(consumer, there)
    return {place.partition: None for place in beyond} | found


def _read(
    consumer: KafkaConsumer, wanted: Mapping[TopicPartition, int]
) -> dict[int, datetime | None]:
    consumer.assign(list(wanted))
    for place, offset in wanted.items():
        consumer.seek(place, offset)
    found: dict[int, datetime | None] = {}
    missing = set(wanted)
    deadline = time.monotonic() + _TIMEOUT_MS / 1000
    while missing:
        if time.monotonic() > deadline:
            raise KafkaTimeoutError("single records did not come in time")
        for place, records in consumer.poll(timeout_ms=_POLL_MS).items():
            missing.discard(place)
            consumer.pause(place)
            # Deleted a moment ago, it comes as a later one: that says nothing.
            if records and records[0].offset == wanted[place]:
                moment = datetime.fromtimestamp(records[0].timestamp / 1000, UTC)
                found[place.partition] = moment
    return found


def _consumer(kafka: KafkaAddress) -> KafkaConsumer:
    return connect(
        KafkaConsumer,
        kafka,
        group_id=None,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        request_timeout_ms=_TIMEOUT_MS,
        metrics_enabled=False,
    )
