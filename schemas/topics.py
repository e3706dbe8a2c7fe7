"""The log: topic names and settings, record headers and limits, partitions and positions.

A position orders everything that ever happened to one user: `epoch << 48 | offset`.

Next: ingest.publish
"""

from functools import lru_cache

from kafka.partitioner.default import murmur2

EVENTS = "usage.events"
DEAD_LETTERS = "usage.dead-letters"
CONSUMER_GROUP = "usage-worker"

DEFAULT_PARTITIONS = 12
RETENTION_DAYS = 7

# LogAppendTime: a sender's or a gateway's clock must neither make retention eat late events
# nor make the broker refuse a record.
EVENTS_CONFIG = {
    "cleanup.policy": "delete",
    "retention.ms": str(RETENTION_DAYS * 86_400_000),
    "message.timestamp.type": "LogAppendTime",
    "compression.type": "producer",
    "max.message.bytes": str(1 << 20),
}
DEAD_LETTERS_CONFIG = EVENTS_CONFIG
DEAD_LETTERS_PARTITIONS = 1

# One record carries many events, because Faust's cost is per record.
RECORD_MAX_EVENTS = 500
RECORD_MAX_BYTES = 256 * 1024

HEADER_CONTENT_TYPE = "content-type"
HEADER_SCHEMA = "schema"
HEADER_KIND = "kind"
HEADER_COUNT = "count"
HEADER_PARTITIONS = "partitions"
HEADER_REQUEST_ID = "request-id"

CONTENT_TYPE = "application/x-ndjson"
SCHEMA = "usage-event/1"
KIND_EVENTS = "events"
# Reserved by the design; a worker that does not know a kind stops instead of guessing.
KINDS_RESERVED = ("void", "control")

DEAD_LETTER_MAX_BYTES = 64 * 1024
# Headers of a dead letter; the value is the raw input, cut at DEAD_LETTER_MAX_BYTES.
HEADER_REASON = "reason"
HEADER_DETAIL = "detail"
HEADER_ORIGIN = "origin"
HEADER_TENANT = "tenant"
HEADER_RECEIVED_AT = "received-at"

_COMMIT_NOTE = "topic="

_OFFSET_BITS = 48
_OFFSET_MASK = (1 << _OFFSET_BITS) - 1


@lru_cache(maxsize=1 << 17)
def partition_of(tenant: str, user_id: str, partitions: int) -> int:
    """The one partition that holds every event of this user: murmur2 as Kafka's own clients.

    `partitions` is the setting, never the broker's metadata, so that partitions added by
    hand do no harm.
    """
    return int(murmur2(f"{tenant}\0{user_id}".encode()) & 0x7FFFFFFF) % partitions


def position(epoch: int, offset: int) -> int:
    """The log position of a record; `offset` -1 is the place just before the first one."""
    return (epoch << _OFFSET_BITS) + offset


def offset_of(position: int) -> int:
    """The Kafka offset within the epoch that `position` belongs to."""
    return position & _OFFSET_MASK


def epoch_of(position: int) -> int:
    """The life of the log that `position` belongs to."""
    return position >> _OFFSET_BITS


def commit_note(topic_id: str) -> str:
    """The metadata of a worker's commit: which life of the topic the offset belongs to."""
    return f"{_COMMIT_NOTE}{topic_id}"


def is_of_another_topic(note: str | None, topic_id: str) -> bool:
    """Whether a commit was made for another life of the topic; one without a note is not.

    Kafka deletes a group's offsets with the topic, but a worker that has not noticed yet can
    commit once more after the topic was created again.
    """
    return (note or "").startswith(_COMMIT_NOTE) and note != commit_note(topic_id)


def events_headers(*, count: int, partitions: int, request_id: str) -> list[tuple[str, bytes]]:
    """Headers of a record of `count` events."""
    return [
        (HEADER_CONTENT_TYPE, CONTENT_TYPE.encode()),
        (HEADER_SCHEMA, SCHEMA.encode()),
        (HEADER_KIND, KIND_EVENTS.encode()),
        (HEADER_COUNT, str(count).encode()),
        (HEADER_PARTITIONS, str(partitions).encode()),
        (HEADER_REQUEST_ID, request_id.encode()),
    ]


def dead_letter_headers(
    *, reason: str, detail: str, origin: str, tenant: str, received_at: str
) -> list[tuple[str, bytes]]:
    """Headers of a dead letter.

    `origin` is its identity, so that a replay does not double it: `topic/partition/position/seq`
    for a line of the log, `request/<request id>/<index>` for an event of a request.
    """
    return [
        (HEADER_REASON, reason.encode()),
        (HEADER_DETAIL, detail.encode()),
        (HEADER_ORIGIN, origin.encode()),
        (HEADER_TENANT, tenant.encode()),
        (HEADER_RECEIVED_AT, received_at.encode()),
    ]
