"""Opens a new life of the log: over more partitions, or after a broker lost the log's tail.

Both under the lease of maintenance; the first also with the gateways held, which is checked.

Next: aggregators.epochs
"""

import time
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta

from clickhouse_connect.driver.client import Client
from kafka import KafkaAdminClient, TopicPartition

from aggregators.epochs import Epochs
from deploy import replay
from deploy.log_offsets import LogOffsets, read_offsets
from deploy.maintenance import NotNow
from schemas.topics import EVENTS, offset_of
from sinks.clickhouse import query, statement
from sinks.leases import Lease
from sinks.loads import Epoch, Loads

# Longer than a gateway's longest wait for an acknowledgement, so nothing is on its way unseen.
STILL_SECONDS = 12.0
# An epoch is opened after such a stillness: the clocks of broker and command may differ by this.
_CLOCKS_SECONDS = 5


def opened_already(client: Client, broker: KafkaAdminClient, partitions: int) -> list[Epoch]:
    """The rows of the present epoch if it hashes over `partitions` already, else none."""
    epochs, topic_id = Loads(client).epochs(), read_offsets(broker).topic_id
    present = [epoch for epoch in epochs if epoch.epoch == epochs[-1].epoch]
    wanted = {(epoch.topic_id, epoch.partitions) for epoch in present}
    return present if wanted == {(topic_id, partitions)} else []


def bump(
    client: Client,
    broker: KafkaAdminClient,
    alone: AbstractContextManager[Lease],
    *,
    partitions: int,
    clock: Callable[[], datetime],
    still_seconds: float = STILL_SECONDS,
    sleep: Callable[[float], None] = time.sleep,
) -> list[Epoch]:
    """Grow the topic to `partitions` and open the next epoch at the ends; its rows.

    `alone` is entered when all is folded: the workers are needed until then. Raises NotNow while
    events arrive, while any is not folded, or for fewer partitions than now.
    """
    loads = Loads(client)
    before = read_offsets(broker)
    highest = _highest(loads.epochs(), before, partitions)
    sleep(still_seconds)
    _check_all_folded(loads, _still(broker, before))
    with alone as lease:
        offsets = _still(broker, before)
        _check_all_folded(loads, offsets)
        lease.check()
        if partitions > len(offsets.ends):
            broker.create_partitions({EVENTS: partitions})
        firsts = {partition: offsets.ends.get(partition, 0) for partition in range(partitions)}
        return _open(client, offsets.topic_id, firsts, highest + 1, clock())


def after_loss(
    client: Client, broker: KafkaAdminClient, lease: Lease, *, clock: Callable[[], datetime]
) -> list[Epoch]:
    """Open the next epoch where the log begins, and have all that is left folded again; its rows.

    What was folded before the tail was lost is known by its identities and counted no second
    time; events at offsets that were used again are new, at positions above all rows. One that
    was opened so and of which nothing is folded yet is taken up, not opened again. None is opened
    for a topic without an epoch: nothing of it is folded, and a worker opens its first at 0, to
    which commits that the store knows nothing of are set back.
    """
    loads, offsets = Loads(client), read_offsets(broker)
    rows = loads.epochs()
    if not _is_of(offsets, rows):
        replay.apply(client, broker, lease, replay.plan(client, broker, "progress"))
        return []
    highest = rows[-1].epoch
    present = [row for row in rows if row.epoch == highest]
    if not _waits_to_be_folded(loads, offsets, present):
        firsts = _first_offsets(client, broker, offsets, rows)
        lease.check()
        present = _open(client, offsets.topic_id, firsts, highest + 1, clock())
    lease.check()
    replay.apply(client, broker, lease, replay.plan(client, broker, "progress"))
    return present


def _highest(epochs: list[Epoch], offsets: LogOffsets, partitions: int) -> int:
    """The epoch now; NotNow when it is not this topic's, or has more partitions."""
    if not _is_of(offsets, epochs):
        raise NotNow("this topic has no epoch yet: start a worker first, it opens one")
    if partitions < epochs[-1].partitions:
        raise NotNow(f"the epoch now has {epochs[-1].partitions} partitions; they can only grow")
    return epochs[-1].epoch


def _is_of(offsets: LogOffsets, epochs: list[Epoch]) -> bool:
    """Whether the last epoch is of the topic as it is now."""
    return bool(epochs) and epochs[-1].topic_id == offsets.topic_id


def _still(broker: KafkaAdminClient, before: LogOffsets) -> LogOffsets:
    """The offsets now; NotNow when the log has moved."""
    offsets = read_offsets(broker)
    if offsets.ends != before.ends or offsets.topic_id != before.topic_id:
        raise NotNow("events are still arriving: stop the gateways first")
    return offsets


def _check_all_folded(loads: Loads, offsets: LogOffsets) -> None:
    """By the broker's commits and by the store's own progress: one of them may have gone back."""
    lag = sum(offsets.lag.values())
    if lag:
        raise NotNow(f"{lag} records are not folded yet: let the workers finish, see `lag`")
    progress, epochs = loads.progress(), Epochs(offsets.topic_id, loads.epochs())
    for partition, end in offsets.ends.items():
        if end == offsets.starts[partition]:
            continue
        place = progress[partition].position if partition in progress else None
        if not epochs.hashes_to(partition) or epochs.next_offset(partition, place) != end:
            raise NotNow(f"the store lacks records of partition {partition} that are committed")


def _open(
    client: Client, topic_id: str, firsts: dict[int, int], epoch: int, now: datetime
) -> list[Epoch]:
    opened = [
        Epoch(topic_id, partition, first, len(firsts), epoch) for partition, first in firsts.items()
    ]
    columns = [*Epoch._fields, "opened_at"]
    client.insert("log_epochs", [[*row, now] for row in opened], column_names=columns)
    return opened


def _waits_to_be_folded(loads: Loads, offsets: LogOffsets, present: Iterable[Epoch]) -> bool:
    """Whether the epoch was opened after a loss, and nothing is folded in it yet."""
    progress, epochs = loads.progress(), Epochs(offsets.topic_id, loads.epochs())
    again = False
    for row in present:
        known = progress.get(row.partition)
        place = known.position if known else None
        if offsets.ends[row.partition] < row.first_offset:
            return False
        if epochs.next_offset(row.partition, place) != row.first_offset:
            return False
        again = again or (place is not None and offset_of(place + 1) > row.first_offset)
    return again


def _first_offsets(
    client: Client, broker: KafkaAdminClient, offsets: LogOffsets, rows: list[Epoch]
) -> dict[int, int]:
    """Where each partition's records begin that are hashed over the present number of partitions.

    That is the log's start, or where the topic grew. Offsets are used again after a loss, so the
    time tells where it grew, and not the offset alone.
    """
    count = rows[-1].partitions
    of_topic = [row for row in rows if row.topic_id == offsets.topic_id]
    grown = min(row.epoch for row in of_topic if row.partitions == count)
    if grown == of_topic[0].epoch:
        return {partition: offsets.starts[partition] for partition in range(count)}
    since = _opened_at(client, grown) - timedelta(seconds=_CLOCKS_SECONDS)
    at_ms = int(since.timestamp() * 1000)
    places = {TopicPartition(EVENTS, partition): at_ms for partition in range(count)}
    later = {tp.partition: at.offset for tp, at in broker.list_partition_offsets(places).items()}
    began = {row.partition: row.first_offset for row in of_topic if row.epoch == grown}
    firsts = {}
    for partition in range(count):
        appended = later[partition] if later[partition] >= 0 else offsets.ends[partition]
        firsts[partition] = max(offsets.starts[partition], min(began[partition], appended))
    return firsts


def _opened_at(client: Client, epoch: int) -> datetime:
    found = query(client, statement("sinks.sql", "epoch_opened"), parameters={"epoch": epoch})
    moment: datetime = found.result_rows[0][0]
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
