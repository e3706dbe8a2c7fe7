"""The worker's place in the consumer group, through Faust's consumer.

Offsets are committed here and not by Faust: it acknowledges records that it skips while a
rebalance runs, and such a gap of one lets it commit past a record that was never folded
(deploy/decisions/0001-own-commits.md).

Next: aggregators.pipeline
"""

from collections.abc import Mapping
from typing import Any

import faust
from faust.types import TP


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

    async def commit(self, offsets: Mapping[int, int], *, generation: int) -> bool:
        """Commit the next offset of each partition that is still assigned.

        False when `generation` is over: the next owner begins at the older offset. Faust would
        commit in the present generation, and so take back what another owner committed between.
        """
        if generation != self.generation():
            return False
        mine = set(self.partitions())
        places = {TP(self._topic, p): offset for p, offset in offsets.items() if p in mine}
        # Faust has no public way to commit given offsets; its version is pinned.
        consumer: Any = self._app.consumer
        return bool(places) and bool(await consumer._commit(places))  # noqa: SLF001
