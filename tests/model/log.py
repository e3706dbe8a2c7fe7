"""The log and the consumer group's offsets and generation, as the broker keeps them.

Next: tests.model.store
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from aggregators.broker import LogState
from aggregators.records import Delivered
from tests.model.store import TOPIC_ID
from tests.support.histories import delivered


class SimulatedLog:
    """Partitions of records; offsets are committed by the present generation alone."""

    def __init__(self, partitions: int) -> None:
        self.partitions = partitions
        self.records: list[list[Delivered]] = [[] for _ in range(partitions)]
        self.committed: dict[int, int] = {}
        self.generation = 0
        self.dead_letters: set[tuple[int, int, int]] = set()

    def append(self, partition: int, lines: Sequence[bytes], *, poison: bool = False) -> None:
        """One record; poison has none of our headers."""
        records = self.records[partition]
        headers = () if poison else None
        records.append(delivered(len(records), lines, partition=partition, headers=headers))

    def read(self, partition: int, offset: int, count: int, generation: int) -> list[Delivered]:
        """Records from an offset on, as fetched in a generation."""
        return [
            replace(record, generation=generation)
            for record in self.records[partition][offset : offset + count]
        ]

    def commit(self, generation: int, offsets: Mapping[int, int]) -> bool:
        """Move the offsets, unless the generation is over."""
        if generation != self.generation or not offsets:
            return False
        self.committed.update(offsets)
        return True

    def look(self, partitions: Sequence[int]) -> LogState:
        """As aggregators.broker.Broker.look."""
        return LogState(
            topic_id=TOPIC_ID,
            committed={p: self.committed[p] for p in partitions if p in self.committed},
            earliest=dict.fromkeys(partitions, 0),
            latest={p: len(self.records[p]) for p in partitions},
        )

    def is_done(self) -> bool:
        """Whether everything is committed."""
        return all(
            self.committed.get(p, 0) == len(records) for p, records in enumerate(self.records)
        )
