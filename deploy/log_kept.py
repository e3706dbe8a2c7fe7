"""Until when the broker keeps what stands on a topic now.

Next: deploy.commands.erase
"""

import math
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from kafka import KafkaAdminClient, TopicPartition
from kafka.admin import ConfigResource, OffsetSpec

from schemas.topics import DEAD_LETTERS, EVENTS

_DAY_MS = 86_400_000
FOR_EVER = datetime.max.replace(tzinfo=UTC)


def kept_until(broker: KafkaAdminClient) -> dict[str, datetime | None]:
    """By topic when what it holds now is deleted at the latest, FOR_EVER, or None: it is empty.

    A record goes with its whole segment, once the segment's newest record is old enough; a segment
    takes records for `segment.ms`. The broker looks every few minutes.
    """
    there = broker.list_topics()
    return {name: _kept(broker, name) for name in (EVENTS, DEAD_LETTERS) if name in there}


def events_days(broker: KafkaAdminClient) -> float:
    """For how many days the topic of events keeps a record; infinite where it always does."""
    [retention] = _milliseconds(broker, EVENTS, "retention.ms")
    return math.inf if retention < 0 else retention / _DAY_MS


def _kept(broker: KafkaAdminClient, name: str) -> datetime | None:
    newest = max(_newest(broker, name), default=-1)
    if newest < 0:
        return None
    retention, segment = _milliseconds(broker, name, "retention.ms", "segment.ms")
    if retention < 0:
        return FOR_EVER
    newest_at = datetime.fromtimestamp(newest / 1000, UTC)
    try:
        return newest_at + timedelta(milliseconds=retention + segment)
    except OverflowError:
        return FOR_EVER


def _milliseconds(broker: KafkaAdminClient, name: str, *keys: str) -> list[int]:
    found = broker.describe_configs([ConfigResource("topic", name)], config_filter="all")
    return [int(found["topic"][name][key]["value"]) for key in keys]


def _newest(broker: KafkaAdminClient, name: str) -> Iterable[int]:
    """The append time of each partition's newest record, in milliseconds."""
    parts = broker.describe_topics([name])[0]["partitions"]
    places = [TopicPartition(name, part["partition_index"]) for part in parts]
    found = broker.list_partition_offsets(dict.fromkeys(places, OffsetSpec.MAX_TIMESTAMP))
    return [at.timestamp for at in found.values() if at.timestamp is not None]
