"""Sets the workers' place in the log, so that records are delivered again, or again from here.

Records that were folded before change nothing: rows carry the position they were folded up to.
No worker may be in the group: see deploy.maintenance.

Next: aggregators.assignment
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from clickhouse_connect.driver.client import Client
from kafka import KafkaAdminClient, TopicPartition
from kafka.admin import OffsetSpec
from kafka.errors import NoError
from kafka.structs import OffsetAndMetadata

from aggregators.assignment import NEVER
from aggregators.epochs import Epochs
from aggregators.flush import progress_frame
from aggregators.fold import Progress
from deploy.log_offsets import LogOffsets, read_offsets
from deploy.losses import Loss, settle
from deploy.maintenance import LEAVE_SECONDS, NotNow
from schemas.topics import (
    CONSUMER_GROUP,
    DEAD_LETTERS,
    DEAD_LETTERS_PARTITIONS,
    EVENTS,
    position,
)
from sinks.inserts import Inserts
from sinks.leases import Lease
from sinks.loads import Loads

# `progress`: what the store knows. `earliest`: the oldest record there is.
Start = Literal["progress", "earliest"] | datetime
_POLL_SECONDS = 0.3


@dataclass(frozen=True)
class Place:
    """Where a partition starts again; `lost` records before it were deleted and never folded."""

    partition: int
    before: int | None
    start: int
    lost: int


def plan(client: Client, broker: KafkaAdminClient, start: Start) -> list[Place]:
    """Where each partition would start again. A start the store needs earlier is made earlier."""
    loads, log = Loads(client), read_offsets(broker)
    epochs = Epochs(str(log.topic_id), loads.epochs())
    progress = loads.progress()
    if not epochs.is_open:
        # A copy of the store from before the first worker, or none yet: nothing is folded.
        return [Place(p, log.committed.get(p), first, 0) for p, first in log.starts.items()]
    wanted = _wanted(broker, log, start)
    places = []
    for partition, earliest in log.starts.items():
        if epochs.hashes_to(partition):
            known = progress.get(partition)
            folded = epochs.next_offset(partition, known.position if known else None)
            begin = max(earliest, min(folded, wanted.get(partition, folded)))
            lost = max(0, earliest - folded)
            places.append(Place(partition, log.committed.get(partition), begin, lost))
    return places


def apply(client: Client, broker: KafkaAdminClient, lease: Lease, places: list[Place]) -> None:
    """Set the group's offsets; where records were lost, note that the store goes on after them.

    Raises NotNow when a worker stays in the group.
    """
    offsets = {
        TopicPartition(EVENTS, place.partition): OffsetAndMetadata(place.start, "", -1)
        for place in places
    }
    if any(place.start < (place.before or 0) for place in places):
        offsets |= _letters(broker)
    # One that found no lease just before it was taken may join now: it takes nothing and leaves.
    deadline = time.monotonic() + LEAVE_SECONDS
    while refused := _refusals(broker, offsets):
        if time.monotonic() > deadline:
            raise NotNow(
                f"Kafka refused ({', '.join(sorted(refused))}): a worker that does not know of"
                " maintenance has joined; stop it, wait 10 s, try again"
            )
        time.sleep(_POLL_SECONDS)
        lease.check()
    if lost := [place for place in places if place.lost]:
        _note_losses(client, broker, lease, lost)


def _letters(broker: KafkaAdminClient) -> dict[TopicPartition, OffsetAndMetadata]:
    """Where the dead letters begin: a store that went back lacks some, and knows the others."""
    places = [TopicPartition(DEAD_LETTERS, p) for p in range(DEAD_LETTERS_PARTITIONS)]
    found = broker.list_partition_offsets(dict.fromkeys(places, OffsetSpec.EARLIEST))
    return {place: OffsetAndMetadata(found[place].offset, "", -1) for place in places}


def _refusals(
    broker: KafkaAdminClient, offsets: Mapping[TopicPartition, OffsetAndMetadata]
) -> set[str]:
    answers = broker.alter_group_offsets(CONSUMER_GROUP, offsets)
    return {answer.__name__ for answer in answers.values() if answer is not NoError}


def _wanted(broker: KafkaAdminClient, log: LogOffsets, start: Start) -> Mapping[int, int]:
    if start == "progress":
        return {}
    if start == "earliest":
        return log.starts
    at_ms = int(start.timestamp() * 1000)
    places = {TopicPartition(EVENTS, partition): at_ms for partition in log.starts}
    found = broker.list_partition_offsets(places)
    return {tp.partition: at.offset for tp, at in found.items() if at.offset >= 0}


def _note_losses(
    client: Client, broker: KafkaAdminClient, lease: Lease, places: list[Place]
) -> None:
    loads = Loads(client)
    epochs, stored = Epochs(str(read_offsets(broker).topic_id), loads.epochs()), loads.progress()
    progress, losses = {}, []
    for place in places:
        life = epochs.life(place.partition, place.start)
        if life is not None:
            at = position(life.epoch, place.start - 1)
            progress[place.partition] = Progress(at, place.start - 1, NEVER)
            known = stored.get(place.partition)
            losses.append(Loss(place.partition, known.position if known else 0, at + 1))
    settle(client, losses, check=lease.check)
    Inserts(client).insert("progress", progress_frame(progress, caught_up_at=NEVER))


def parse_start(text: str) -> Start:
    """`progress`, `earliest`, or a time in RFC 3339. Raises ValueError for anything else."""
    if text in ("progress", "earliest"):
        return "progress" if text == "progress" else "earliest"
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("a time needs a zone, as in 2026-03-01T00:00:00Z")
    return moment.astimezone(UTC)
