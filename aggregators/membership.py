"""The worker's place in the consumer group, through Faust's consumer.

Offsets are committed here and not by Faust: it acknowledges records that it skips while a
rebalance runs, and such a gap of one lets it commit past a record that was never folded
(deploy/decisions/0001-own-commits.md).

Next: aggregators.pipeline
"""

from collections.abc import Mapping
from typing import Any

import faust
from aiokafka import AIOKafkaConsumer, OffsetAndMetadata, TopicPartition
from aiokafka.errors import CommitFailedError

from schemas.topics import commit_note


class GroupMember:
    """Membership for one topic of an app."""

    def __init__(self, app: faust.App, topic: str) -> None:
        self._app = app
        self._topic = topic

    def generation(self) -> int:
        """The generation of the present assignment."""
        return int(self._app.consumer_generation_id)

    def partitions(self) -> list[int]:
        """The partitions of the topic assigned now."""
        assigned = self._app.consumer.assignment()
        return sorted(tp.partition for tp in assigned if tp.topic == self._topic)

    async def commit(
        self, offsets: Mapping[int, int], *, generation: int, topic_id: str = ""
    ) -> bool:
        """Commit the next offset of each partition that is still assigned.

        `topic_id` is noted with it: offsets of one life of the topic say nothing about another.
        False when `generation` is over: the next owner begins at the older offset. Faust would
        commit in the present generation, and so take back what another owner committed between.
        """
        if generation != self.generation():
            return False
        mine = set(self.partitions())
        note = commit_note(topic_id) if topic_id else ""
        places = {
            TopicPartition(self._topic, partition): OffsetAndMetadata(offset, note)
            for partition, offset in offsets.items()
            if partition in mine
        }
        # Faust has no public way to commit given offsets with a note; its version is pinned.
        consumer: Any = self._app.consumer
        thread = consumer._thread  # noqa: SLF001
        return bool(places) and bool(await thread.call_thread(_commit, thread, places))


async def _commit(thread: Any, places: Mapping[TopicPartition, OffsetAndMetadata]) -> bool:
    """On the consumer's thread; False when the group has moved on, other errors are raised."""
    consumer: AIOKafkaConsumer = thread._ensure_consumer()  # noqa: SLF001
    assigned = consumer.assignment()
    mine = {place: offset for place, offset in places.items() if place in assigned}
    try:
        await consumer.commit(mine)
    except CommitFailedError:
        return False
    return bool(mine)
