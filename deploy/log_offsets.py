"""Where the log begins and ends and what the workers have committed, as the broker says.

Next: deploy.commands.books
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from kafka import KafkaAdminClient, TopicPartition
from kafka.admin import OffsetSpec
from kafka.errors import (
    CoordinatorLoadInProgressError,
    CoordinatorNotAvailableError,
    KafkaError,
    NotCoordinatorError,
)

from schemas.kafka_address import KafkaAddress
from schemas.kafka_clients import KafkaRefuses, connect
from schemas.rejects import Unavailable
from schemas.topics import CONSUMER_GROUP, EVENTS, is_of_another_topic

_COORDINATOR_SECONDS = 10.0
COORDINATOR_AWAY = (
    *(CoordinatorNotAvailableError, NotCoordinatorError, CoordinatorLoadInProgressError),
)


@dataclass(frozen=True)
class LogOffsets:
    """Per partition of the events topic; `ends` are the next offsets to be written."""

    topic_id: str
    starts: dict[int, int]
    ends: dict[int, int]
    committed: dict[int, int]

    @property
    def lag(self) -> dict[int, int]:
        """Records not yet committed; without a commit, all that the log still holds."""
        return {
            partition: max(0, end - max(self.committed.get(partition, 0), self.starts[partition]))
            for partition, end in self.ends.items()
        }


@contextmanager
def admin(kafka: KafkaAddress) -> Iterator[KafkaAdminClient]:
    """An admin client; raises Unavailable when no broker answers or lets us in within seconds."""
    client = None
    try:
        client = connect(KafkaAdminClient, kafka)
        yield client
    except KafkaRefuses as error:
        remedy = "look at USAGE_KAFKA_SECURITY and the settings beside it"
        raise Unavailable("Kafka", f"{kafka.bootstrap}: {error}; {remedy}") from error
    except KafkaError as error:
        remedy = "start `usage-report up`, or set KAFKA_BOOTSTRAP"
        raise Unavailable(
            "Kafka", f"nothing usable answers at {kafka.bootstrap}; {remedy}"
        ) from error
    finally:
        if client:
            client.close()


def read_offsets(client: KafkaAdminClient) -> LogOffsets:
    """The offsets now. Raises Unavailable when there is no such topic."""
    topic = client.describe_topics([EVENTS])[0]
    if topic["error_code"]:
        raise Unavailable("the log", f"no topic {EVENTS}; `usage-report migrate` makes it")
    places = [TopicPartition(EVENTS, part["partition_index"]) for part in topic["partitions"]]
    return LogOffsets(
        topic_id=topic["topic_id"],
        starts=_offsets(client, places, OffsetSpec.EARLIEST),
        ends=_offsets(client, places, OffsetSpec.LATEST),
        committed=_committed(client, str(topic["topic_id"])),
    )


def _offsets(
    client: KafkaAdminClient, places: list[TopicPartition], which: OffsetSpec
) -> dict[int, int]:
    found = client.list_partition_offsets(dict.fromkeys(places, which))
    return {place.partition: found[place].offset for place in sorted(places)}


def _committed(client: KafkaAdminClient, topic_id: str) -> dict[int, int]:
    # The first question of a broker's life makes it create the topic that it keeps offsets in.
    deadline = time.monotonic() + _COORDINATOR_SECONDS
    while True:
        try:
            found = client.list_group_offsets({CONSUMER_GROUP: None})[CONSUMER_GROUP]
        except COORDINATOR_AWAY:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)
        else:
            return {
                place.partition: kept.offset
                for place, kept in found.items()
                if place.topic == EVENTS and kept.offset >= 0
                if not is_of_another_topic(kept.metadata, topic_id)
            }
