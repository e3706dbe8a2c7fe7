"""Whether the log is still the one that was folded: the same topic, with the records it had.

A broker that lost its end gives the same offsets to other records. Its leader epoch rises when it
comes back, and a record's append time tells whether it is the one that was taken.

Next: aggregators.pipeline
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from aggregators.assignment import NEVER, log_replaced
from aggregators.broker import Leaders
from aggregators.epochs import Epochs
from aggregators.fold import Progress
from aggregators.records import Record
from schemas import topics
from sinks.loads import PartitionProgress


@dataclass
class Lineage:
    """What was taken of one log: `last` has the newest record of each partition.

    `leaders` is what the broker said before `last` was compared with the log the last time.
    """

    leaders: Leaders
    last: dict[int, Progress]

    def places(self, now: Leaders) -> dict[int, int]:
        """The offsets to look at again: of partitions whose leader epoch is another one now."""
        before = self.leaders.epochs
        return {
            partition: done.offset
            for partition, done in self.last.items()
            if now.epochs.get(partition) != before.get(partition)
        }

    def compare(self, found: Mapping[int, datetime | None]) -> None:
        """Raise PersonNeeded unless the records at the places are those that were taken.

        None is for one that the log does not reach any more; one that is not in `found` was
        deleted at the log's beginning, which says nothing.
        """
        for partition, appended_at in found.items():
            done = self.last[partition]
            if appended_at != done.appended_at:
                raise log_replaced(partition, done.offset, done.appended_at, appended_at)

    def take(self, records: Iterable[Record], leaders: Leaders) -> None:
        """Go on with records that were delivered before `leaders` was asked for."""
        self.leaders = leaders
        for record in records:
            done = Progress(record.position, record.offset, record.appended_at)
            self.last[record.partition] = done


def stored_last(
    partitions: Iterable[int], stored: Mapping[int, PartitionProgress], epochs: Epochs
) -> dict[int, Progress]:
    """The newest record of each partition that the store knows, where it is one of this log."""
    found = {}
    for partition in partitions:
        known = stored.get(partition)
        if known is not None:
            offset = topics.offset_of(known.position)
            life = epochs.life(partition, offset)
            appended_at = known.last_appended_at.replace(tzinfo=UTC)
            is_record = life and topics.position(life.epoch, offset) == known.position
            if is_record and appended_at > NEVER:
                found[partition] = Progress(known.position, offset, appended_at)
    return found
