"""A record of the log as the worker takes it: many events, one position, and its headers checked.

Next: aggregators.intake
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from aggregators.epochs import Epochs
from schemas import topics
from schemas.rejects import PersonNeeded

_DIGITS_MAX = 9


@dataclass(frozen=True, slots=True)
class Delivered:
    """A record as the consumer delivered it, with the generation it was fetched in.

    `timestamp` is the broker's append time in seconds.
    """

    generation: int
    partition: int
    offset: int
    timestamp: float
    headers: tuple[tuple[str, bytes], ...]
    value: bytes


@dataclass(frozen=True, slots=True)
class Record:
    """One Kafka record of `usage.events`.

    `position` is `epoch << 48 | offset`; `appended_at` is the broker's clock (LogAppendTime).
    `count` is the number of lines that the gateway says it wrote; `whole` is False for a record
    that no gateway wrote, which becomes one dead letter without being looked into.
    """

    partition: int
    offset: int
    position: int
    appended_at: datetime
    value: bytes
    count: int
    whole: bool = True


def read_headers(
    pairs: Iterable[tuple[str, bytes]] | None, *, value: bytes, partitions: int
) -> tuple[int, bool]:
    """The (count, whole) of a record with these headers.

    A record without our schema, or with headers that can't be read, is poison: (1, False).
    Raises PersonNeeded for a kind of record this release does not know, and for a record
    hashed over another number of partitions than its epoch's.
    """
    # Kafka allows a header without a value.
    headers = {name: text for name, text in pairs or () if text is not None}
    kind = headers.get(topics.HEADER_KIND, topics.KIND_EVENTS.encode()).decode(errors="replace")
    if kind != topics.KIND_EVENTS:
        raise PersonNeeded(
            "unknown_kind",
            f"a record of kind {kind!r} is on the log.",
            remedy="install the release that wrote it, then start the worker.",
        )
    if headers.get(topics.HEADER_SCHEMA) != topics.SCHEMA.encode():
        return 1, False
    count = headers.get(topics.HEADER_COUNT, b"")
    hashed_over = headers.get(topics.HEADER_PARTITIONS, b"")
    if not (_is_number(count) and _is_number(hashed_over) and value):
        return 1, False
    if int(hashed_over) != partitions:
        raise PersonNeeded(
            "partitions_differ",
            f"a gateway hashed over {int(hashed_over)} partitions, the epoch says {partitions}.",
            remedy="start every gateway with USAGE_PARTITIONS as in `usage-report epoch show`.",
        )
    return int(count), True


def _is_number(text: bytes) -> bool:
    # No gateway writes more digits, and more would not fit into the ledger.
    return text.isdigit() and len(text) <= _DIGITS_MAX


def no_epoch(partition: int) -> PersonNeeded:
    """A record where no gateway writes: in a partition added by hand."""
    return PersonNeeded(
        "no_epoch",
        f"partition {partition} has a record, but no epoch hashes to it.",
        remedy="see `usage-report epoch show`; only gateways may write to the log.",
    )


def read(delivered: Delivered, epochs: Epochs) -> Record:
    """The record with its position; raises PersonNeeded as `read_headers` does."""
    life = epochs.life(delivered.partition, delivered.offset)
    if life is None:
        raise no_epoch(delivered.partition)
    count, whole = read_headers(
        delivered.headers, value=delivered.value, partitions=life.partitions
    )
    return Record(
        partition=delivered.partition,
        offset=delivered.offset,
        position=topics.position(life.epoch, delivered.offset),
        appended_at=datetime.fromtimestamp(delivered.timestamp, UTC),
        value=delivered.value,
        count=count,
        whole=whole,
    )


def batches(delivered: Iterable[Delivered], *, max_bytes: int) -> Iterator[list[Delivered]]:
    """The records in their order, in lists of about `max_bytes` of values; never an empty one."""
    batch: list[Delivered] = []
    size = 0
    for record in delivered:
        batch.append(record)
        size += len(record.value)
        if size >= max_bytes:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch
