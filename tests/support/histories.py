"""Records of the log for tests: lines valid by default, few users, few ids, so that much collides.

Next: tests.support.plain_fold
"""

import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from aggregators.records import Delivered, Record, read_headers
from schemas import events, topics

PARTITIONS = 2
DAYS = ("2026-03-01", "2026-03-02")
APPENDED_AT = datetime(2026, 3, 3, 8, tzinfo=UTC).timestamp()

_LINE = {
    "tenant": "acme",
    "received_at": "2026-03-03T08:00:00.000Z",
    "source": "studio",
    "id": "1",
    "type": events.LAUNCHED,
    "user_id": "user-1",
    "time": "2026-03-01T12:00:00.000Z",
    "team_id": "team-1",
    "product_id": "product-1",
    "access": "subscription",
    "tokens": "0",
    "product_version": "2026",
    "session_id": "",
    "feature_id": "",
    "cost_center": "",
}
# Lines that no gateway writes, each bad in its own way.
BAD_LINES = (
    b"bad",
    b"{}",
    b"[]",
    b'{"tenant":"acme"}',
    json.dumps(_LINE | {"time": "yesterday"}).encode(),
    json.dumps(_LINE | {"type": "product.crashed"}).encode(),
    json.dumps(_LINE | {"tokens": "many"}).encode(),
    json.dumps(_LINE | {"user_id": ""}).encode(),
)


def line(**changed: str) -> bytes:
    """A line of the log: a launch, valid by default."""
    return json.dumps(_LINE | changed).encode()


def event_line(user: int, event_id: int, kind: int, minute: int) -> bytes:
    """A valid line out of small numbers, which choose among few users, days, ids and rows."""
    tokens = kind % 3 == 0
    return line(
        tenant=f"tenant-{user % 2}",
        user_id=f"user-{user // 2}",
        id=str(event_id),
        time=f"{DAYS[event_id % 2]}T{minute // 60 % 24:02}:{minute % 60:02}:00.000Z",
        type=events.CONSUMED if tokens else events.LAUNCHED,
        access="flex" if tokens else "subscription",
        tokens=f"{1 + event_id}.0001" if tokens else "0",
        product_id=f"product-{kind % 2}",
        received_at=f"2026-03-0{3 + minute % 2}T08:00:00.000Z",
    )


def partition_of(user: int) -> int:
    """The partition of an `event_line`'s user."""
    return topics.partition_of(f"tenant-{user % 2}", f"user-{user // 2}", PARTITIONS)


def delivered(
    offset: int,
    lines: Sequence[bytes],
    *,
    partition: int = 0,
    generation: int = 1,
    headers: Iterable[tuple[str, bytes]] | None = None,
) -> Delivered:
    """A record as the consumer delivers it."""
    if headers is None:
        headers = topics.events_headers(
            count=len(lines), partitions=PARTITIONS, request_id="request-1"
        )
    return Delivered(
        generation=generation,
        partition=partition,
        offset=offset,
        timestamp=APPENDED_AT + offset,
        headers=tuple(headers),
        value=b"\n".join(lines) + b"\n",
    )


def record(given: Delivered, *, epoch: int = 1) -> Record:
    """The record with its position."""
    count, whole = read_headers(given.headers, value=given.value, partitions=PARTITIONS)
    return Record(
        partition=given.partition,
        offset=given.offset,
        position=topics.position(epoch, given.offset),
        appended_at=datetime.fromtimestamp(given.timestamp, UTC),
        value=given.value,
        count=count,
        whole=whole,
    )
