"""The lives of the log: which epoch a record belongs to, so that positions never fall.

Offsets are comparable only within one life of the topic and one number of partitions.

Next: aggregators.records
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import polars as pl

from schemas import topics

_SCHEMA = pl.Schema(
    {
        "topic_id": pl.String(),
        "partition": pl.UInt16(),
        "first_offset": pl.UInt64(),
        "partitions": pl.UInt16(),
        "epoch": pl.UInt16(),
        "opened_at": pl.Datetime("ms", "UTC"),
    }
)


class EpochRow(Protocol):
    """One partition's part of one life of the log, as in table `log_epochs`."""

    @property
    def topic_id(self) -> str:
        """The broker's id of the topic, new with each creation."""
        ...

    @property
    def partition(self) -> int:
        """A partition."""
        ...

    @property
    def first_offset(self) -> int:
        """The first offset of this partition that belongs to the epoch."""
        ...

    @property
    def partitions(self) -> int:
        """How many partitions users are hashed over."""
        ...

    @property
    def epoch(self) -> int:
        """The number of this life, from 1."""
        ...


@dataclass(frozen=True)
class Life:
    """A partition's epoch: its number, where it starts and how many partitions it hashes over."""

    epoch: int
    first_offset: int
    partitions: int


class Epochs:
    """Positions as a pure function of the record, for one topic id."""

    def __init__(self, topic_id: str, rows: Sequence[EpochRow]) -> None:
        self.topic_id = topic_id
        self.highest = max((row.epoch for row in rows), default=0)
        self._known = frozenset(
            (row.topic_id, row.partition, row.first_offset, row.partitions, row.epoch)
            for row in rows
        )
        self._lives: dict[int, list[Life]] = {}
        for row in sorted(rows, key=lambda row: row.epoch):
            if row.topic_id == topic_id:
                life = Life(row.epoch, row.first_offset, row.partitions)
                self._lives.setdefault(row.partition, []).append(life)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Epochs):
            return NotImplemented
        return (self.topic_id, self._known) == (other.topic_id, other._known)

    __hash__ = None  # type: ignore[assignment] # compared, never a key

    def hashes_to(self, partition: int) -> bool:
        """Whether any epoch of this topic uses the partition (one added by hand stays empty)."""
        return partition in self._lives

    @property
    def is_open(self) -> bool:
        """Whether this topic id has an epoch at all."""
        return bool(self._lives)

    def life(self, partition: int, offset: int) -> Life | None:
        """The epoch of a record: the highest whose first offset is not above the record's.

        None for a partition that no epoch hashes to (one added by hand).
        """
        lives = self._lives.get(partition, [])
        return next((life for life in reversed(lives) if life.first_offset <= offset), None)

    def next_offset(self, partition: int, position: int | None) -> int:
        """The offset to fold after the folded `position`; of another topic's, the first offset.

        Where an epoch was opened below what is folded (the log lost its tail), all from there on
        has to be folded again.
        """
        lives = self._lives[partition]
        if position is None or topics.epoch_of(position + 1) not in {life.epoch for life in lives}:
            return lives[0].first_offset
        folded_in, offset = topics.epoch_of(position + 1), topics.offset_of(position + 1)
        return min([offset, *(li.first_offset for li in lives if li.epoch > folded_in)])

    def floor(self) -> int:
        """The first position of the highest epoch; rows below may carry another partition."""
        return topics.position(self.highest, 0)


def first_epoch(topic_id: str, *, highest: int, partitions: int, now: datetime) -> pl.DataFrame:
    """Rows of `log_epochs` for a topic seen for the first time: a new epoch from offset 0.

    Two workers that see it at once write the same rows.
    """
    rows = [(topic_id, p, 0, partitions, highest + 1, now) for p in range(partitions)]
    return pl.DataFrame(rows, schema=_SCHEMA, orient="row")
