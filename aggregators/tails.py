"""The unfolded tail of a life of the log that is over: what was seen of it and never folded.

A deleted topic can't be asked any more, so workers note how far it reached while it is there.

Next: aggregators.watchdog
"""

import itertools
from collections.abc import Iterable, Mapping

import polars as pl

from aggregators.epochs import EpochRow
from aggregators.fold import Progress
from schemas import topics
from sinks.loads import LogEnd, PartitionProgress

_SCHEMA = pl.Schema(
    {
        "epoch": pl.UInt16(),
        "partition": pl.UInt16(),
        "seen_end": pl.UInt64(),
        "folded": pl.UInt64(),
    }
)


def seen_now(ends: Mapping[int, int], durable: Mapping[int, Progress]) -> pl.DataFrame:
    """Rows of table `log_ends`: the ends seen last, and how far each partition is stored."""
    rows = [
        (topics.epoch_of(done.position + 1), partition, ends.get(partition, 0), done.offset + 1)
        for partition, done in durable.items()
    ]
    return pl.DataFrame(rows, schema=_SCHEMA, orient="row")


def folded_at_last(epoch: int, stored: Mapping[int, PartitionProgress]) -> pl.DataFrame:
    """Rows of table `log_ends`: how far `epoch`, which is over, was folded as the store says."""
    rows = [
        (epoch, partition, 0, topics.offset_of(known.position + 1))
        for partition, known in stored.items()
        if topics.epoch_of(known.position + 1) == epoch
    ]
    return pl.DataFrame(rows, schema=_SCHEMA, orient="row")


def lost(epochs: Iterable[EpochRow], ends: Iterable[LogEnd]) -> dict[int, dict[int, int]]:
    """Records by partition that were seen and never folded, of each epoch that ended so.

    At least so many: what came after the last look at a topic can't be known. An epoch that was
    followed by another of the same topic lost nothing by its end.
    """
    topic_ids = {row.epoch: row.topic_id for row in epochs}
    numbers = sorted(topic_ids)
    ended = {
        epoch
        for epoch, following in itertools.pairwise(numbers)
        if topic_ids[epoch] != topic_ids[following]
    }
    found: dict[int, dict[int, int]] = {}
    for end in ends:
        if end.epoch in ended and end.seen_end > end.folded:
            found.setdefault(end.epoch, {})[end.partition] = end.seen_end - end.folded
    return found
