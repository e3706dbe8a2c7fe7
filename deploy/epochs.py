"""Opens a new life of the log, so that users can be hashed over more partitions.

Safe only while nothing moves: gateways held, everything folded. Both are checked.

Next: aggregators.epochs
"""

import time
from collections.abc import Callable
from datetime import datetime

from clickhouse_connect.driver.client import Client
from kafka import KafkaAdminClient

from deploy.log_offsets import LogOffsets, read_offsets
from schemas.topics import EVENTS, epoch_of, offset_of
from sinks.loads import Epoch, Loads

# Longer than a gateway's longest wait for an acknowledgement, so nothing is on its way unseen.
STILL_SECONDS = 12.0


class NotNow(Exception):  # noqa: N818 - named for what happened, as the style asks
    """An epoch can't be opened as things are; the text says what to do first."""


def bump(
    client: Client,
    broker: KafkaAdminClient,
    *,
    partitions: int,
    now: datetime,
    still_seconds: float = STILL_SECONDS,
    sleep: Callable[[float], None] = time.sleep,
) -> list[Epoch]:
    """Grow the topic to `partitions` and open the next epoch at the ends; its rows.

    Raises NotNow while events arrive, while any is not folded, or for fewer partitions than now.
    """
    loads = Loads(client)
    before = read_offsets(broker)
    highest = _highest(loads.epochs(), before, partitions)
    sleep(still_seconds)
    offsets = read_offsets(broker)
    if offsets.ends != before.ends or offsets.topic_id != before.topic_id:
        raise NotNow("events are still arriving: stop the gateways first")
    _check_all_folded(loads, offsets)
    if partitions > len(offsets.ends):
        broker.create_partitions({EVENTS: partitions})
    opened = [
        Epoch(offsets.topic_id, partition, offsets.ends.get(partition, 0), partitions, highest + 1)
        for partition in range(partitions)
    ]
    columns = [*Epoch._fields, "opened_at"]
    client.insert("log_epochs", [[*epoch, now] for epoch in opened], column_names=columns)
    return opened


def _highest(epochs: list[Epoch], offsets: LogOffsets, partitions: int) -> int:
    """The epoch now; NotNow when it is not this topic's, or has more partitions."""
    if not epochs or epochs[-1].topic_id != offsets.topic_id:
        raise NotNow("this topic has no epoch yet: start a worker first, it opens one")
    if partitions < epochs[-1].partitions:
        raise NotNow(f"the epoch now has {epochs[-1].partitions} partitions; they can only grow")
    return epochs[-1].epoch


def _check_all_folded(loads: Loads, offsets: LogOffsets) -> None:
    """By the broker's commits and by the store's own progress: one of them may have gone back."""
    lag = sum(offsets.lag.values())
    if lag:
        raise NotNow(f"{lag} records are not folded yet: let the workers finish, see `lag`")
    progress = loads.progress()
    epochs = {epoch.epoch for epoch in loads.epochs() if epoch.topic_id == offsets.topic_id}
    for partition, end in offsets.ends.items():
        if end == offsets.starts[partition]:
            continue
        place = progress[partition].position + 1 if partition in progress else 0
        if epoch_of(place) not in epochs or offset_of(place) != end:
            raise NotNow(f"the store lacks records of partition {partition} that are committed")
