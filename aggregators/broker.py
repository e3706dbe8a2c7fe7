"""What the worker asks the broker itself: Faust's own counters move on after a failed commit.

Next: aggregators.assignment
"""

import math
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from kafka import TopicPartition
from kafka.admin import ConfigResource, KafkaAdminClient, MemberToRemove, OffsetSpec
from kafka.errors import KafkaError

from aggregators.append_times import append_times
from schemas import topics
from schemas.kafka_address import KafkaAddress
from schemas.kafka_clients import KafkaRefuses, connect
from schemas.rejects import Unavailable

_TIMEOUT_MS = 5_000
_DAY_MS = 86_400_000

T = TypeVar("T")


@dataclass(frozen=True)
class LogState:
    """One look at the log: offsets by partition; a partition without a commit is not in it.

    They are read in this order, so that `committed` is never newer than `latest`. `stale` has the
    partitions whose commit was made for another life of the topic: no commit of this one.
    """

    topic_id: str
    committed: dict[int, int]
    earliest: dict[int, int]
    latest: dict[int, int]
    stale: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Leaders:
    """The topic's id, and each partition's leader epoch: it rises whenever the log may lose."""

    topic_id: str
    epochs: Mapping[int, int]


class Broker:
    """Offsets and topic id of `usage.events`, over an admin client of its own.

    Calls from several threads take turns. Raises Unavailable while the broker is away, and
    KafkaRefuses when it does not let us in.
    """

    def __init__(self, kafka: KafkaAddress) -> None:
        self._kafka = kafka
        self._client: KafkaAdminClient | None = None
        self._turn = threading.Lock()

    def greet(self) -> None:
        """Connect, if it is not done yet."""
        self._asking(lambda _: None)

    def look(self, partitions: Iterable[int]) -> LogState:
        """Topic id, and the offsets of these partitions."""
        places = [TopicPartition(topics.EVENTS, partition) for partition in partitions]
        return self._asking(lambda client: _look(client, places))

    def topic_id(self) -> str:
        """The id the broker gave the topic when it was created."""
        return self._asking(_topic_id)

    def leaders(self) -> Leaders:
        """Which topic it is, and under which leader epochs."""
        return self._asking(_leaders)

    def append_times(self, places: Mapping[int, int]) -> dict[int, datetime | None]:
        """When the records at these offsets were appended.

        None for an offset that the log does not reach; without those deleted at its beginning.
        """
        try:
            return append_times(self._kafka, places)
        except KafkaRefuses:
            raise
        except KafkaError as error:
            raise Unavailable("kafka", type(error).__name__) from error

    def kept_days(self) -> float:
        """How long the topic keeps records, in days; infinite for one that deletes none."""
        return self._asking(_kept_days)

    def unassigned(self) -> set[int]:
        """Partitions of the topic that no member of the group has, once it is stable."""
        return self._asking(_unassigned)

    def leave(self, worker_id: str) -> None:
        """Take this worker out of the group, which a static member's consumer never does.

        To be called when the consumer has stopped; else the group waits for the session's end.
        """
        gone = [MemberToRemove(group_instance_id=worker_id)]
        self._asking(lambda client: client.remove_group_members(topics.CONSUMER_GROUP, gone))

    def close(self) -> None:
        """Close the client; the next call opens another one."""
        client, self._client = self._client, None
        if client is not None:
            client.close()

    def _asking(self, ask: Callable[[KafkaAdminClient], T]) -> T:
        with self._turn:
            return self._ask(ask)

    def _ask(self, ask: Callable[[KafkaAdminClient], T]) -> T:
        try:
            if self._client is None:
                self._client = connect(
                    KafkaAdminClient,
                    self._kafka,
                    request_timeout_ms=_TIMEOUT_MS,
                    client_id="usage-worker-watch",
                )
            return ask(self._client)
        except KafkaRefuses:
            raise
        except KafkaError as error:
            self.close()
            raise Unavailable("kafka", type(error).__name__) from error


def _topic_id(client: KafkaAdminClient) -> str:
    described = client.describe_topics([topics.EVENTS])[0]
    if described["error_code"]:
        raise Unavailable("kafka", f"topic {topics.EVENTS} does not exist (yet)")
    return str(described["topic_id"])


def _leaders(client: KafkaAdminClient) -> Leaders:
    described = client.describe_topics([topics.EVENTS])[0]
    if described["error_code"]:
        raise Unavailable("kafka", f"topic {topics.EVENTS} does not exist (yet)")
    parts = described["partitions"]
    epochs = {part["partition_index"]: part["leader_epoch"] for part in parts}
    return Leaders(str(described["topic_id"]), epochs)


def _kept_days(client: KafkaAdminClient) -> float:
    asked = [ConfigResource("topic", topics.EVENTS)]
    answer = client.describe_configs(asked, config_filter="all")["topic"][topics.EVENTS]
    milliseconds = int(answer["retention.ms"]["value"])
    return math.inf if milliseconds < 0 else milliseconds / _DAY_MS


def _unassigned(client: KafkaAdminClient) -> set[int]:
    described = client.describe_topics([topics.EVENTS])[0]
    group = client.describe_groups([topics.CONSUMER_GROUP])[topics.CONSUMER_GROUP]
    if described["error_code"] or group["group_state"] != "Stable":
        return set()
    held = {
        partition
        for member in group["members"]
        for topic in member["member_assignment"]["assigned_partitions"]
        if topic["topic"] == topics.EVENTS
        for partition in topic["partitions"]
    }
    return {part["partition_index"] for part in described["partitions"]} - held


def _look(client: KafkaAdminClient, places: list[TopicPartition]) -> LogState:
    topic_id = _topic_id(client)
    committed = client.list_group_offsets({topics.CONSUMER_GROUP: places})[topics.CONSUMER_GROUP]
    earliest = client.list_partition_offsets(dict.fromkeys(places, OffsetSpec.EARLIEST))
    latest = client.list_partition_offsets(dict.fromkeys(places, OffsetSpec.LATEST))
    if _topic_id(client) != topic_id:
        raise Unavailable("kafka", "the topic was created again while it was looked at")
    made = {tp.partition: at for tp, at in committed.items() if at.offset >= 0}
    stale = {p for p, at in made.items() if topics.is_of_another_topic(at.metadata, topic_id)}
    return LogState(
        topic_id=topic_id,
        committed={p: at.offset for p, at in made.items() if p not in stale},
        earliest={tp.partition: at.offset for tp, at in earliest.items()},
        latest={tp.partition: at.offset for tp, at in latest.items()},
        stale=frozenset(stale),
    )
