"""One KafkaProducer's life: the records it took, and whether it can still be trusted.

It is ended after the first failure: kafka-python 3.0 can hang for good when the broker goes away
while it asks for a new producer epoch, and then not even its own time-outs fire.

Next: aggregators.agents
"""

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import structlog
from kafka import KafkaProducer
from kafka.errors import KafkaError

from schemas.kafka_address import KafkaAddress
from schemas.kafka_clients import connect
from schemas.rejects import Unavailable
from schemas.topics import RECORD_MAX_BYTES

log = structlog.get_logger()

# While a partition waits for an answer its records gather into one batch: as large as the topic's
# max.message.bytes allows even where nothing compresses.
_BATCH_BYTES = 3 * RECORD_MAX_BYTES
_REQUEST_BYTES = 16 << 20
_OVERDUE_SECONDS = 2.0
_GIVE_UP_SECONDS = 5.0


@dataclass(frozen=True, slots=True, eq=False)
class Outgoing:
    """One record: its lines, and whom to tell (on any thread) when it is acknowledged or not.

    `deadline` is in seconds of time.monotonic().
    """

    partition: int
    lines: list[bytes]
    headers: list[tuple[str, bytes]]
    deadline: float
    done: Callable[[Exception | None], object]


class Session:
    """Connects when made, which takes a while; raises KafkaError or OSError."""

    def __init__(self, topic: str, *, kafka: KafkaAddress, ack_timeout_seconds: float) -> None:
        self._topic = topic
        self._lock = threading.Lock()
        self._waiting: dict[Outgoing, None] = {}
        self._failed = False
        settings = _configuration(ack_timeout_seconds)
        self._producer = connect(KafkaProducer, kafka, **settings)

    def send(self, record: Outgoing) -> None:
        """Take this record; it is told what becomes of it."""
        with self._lock:
            self._waiting[record] = None
        try:
            future = self._producer.send(
                self._topic,
                partition=record.partition,
                value=b"\n".join(record.lines),
                headers=record.headers,
            )
        except (KafkaError, ValueError) as error:  # ValueError: the topic lacks the partition
            self._fail(record, error)
        else:
            future.add_callback(lambda _: self._told(record, None))
            future.add_errback(lambda error: self._fail(record, error))

    def is_sound(self) -> bool:
        """Whether it has failed nothing, and nothing it holds is overdue."""
        with self._lock:
            oldest = next(iter(self._waiting), None)
        overdue = oldest is not None and time.monotonic() > oldest.deadline + _OVERDUE_SECONDS
        return not (self._failed or overdue)

    def partitions(self) -> int:
        """How many partitions the topic has; waits a moment, and raises Unavailable."""
        try:
            return len(self._producer.partitions_for(self._topic))
        except KafkaError as error:
            raise Unavailable("kafka", repr(error)) from error

    def end(self, *, timeout_seconds: float) -> None:
        """Wait for what it holds at most so long, give up the rest, and disconnect."""
        try:
            self._producer.close(timeout=timeout_seconds)
        except KafkaError as error:
            log.warning("records_given_up", topic=self._topic, error=repr(error))
            self._give_up()

    def _give_up(self) -> None:
        """Fail what is left: close() raises before it comes to this, and leaves its thread."""
        thread = self._producer._sender  # noqa: SLF001
        thread.force_close()
        thread.join(_GIVE_UP_SECONDS)
        with suppress(KafkaError):
            self._producer.close(timeout=0)

    def _fail(self, record: Outgoing, error: Exception) -> None:
        if not self._failed:
            self._failed = True
            log.warning("record_failed", topic=self._topic, error=repr(error))
        self._told(record, Unavailable("kafka", repr(error)))

    def _told(self, record: Outgoing, error: Exception | None) -> None:
        with self._lock:
            del self._waiting[record]
        record.done(error)


def _configuration(ack_timeout_seconds: float) -> dict[str, Any]:
    ack_milliseconds = int(ack_timeout_seconds * 1000)
    return {
        "acks": "all",
        "enable_idempotence": True,
        "compression_type": "lz4",
        "batch_size": _BATCH_BYTES,
        "max_request_size": _REQUEST_BYTES,
        "allow_auto_create_topics": False,
        "metadata_max_age_ms": 10_000,
        "delivery_timeout_ms": ack_milliseconds,
        # Two attempts fit into the time there is for an acknowledgement.
        "request_timeout_ms": ack_milliseconds // 2,
        "bootstrap_timeout_ms": ack_milliseconds // 2,
        "max_block_ms": min(1000, ack_milliseconds),
        "reconnect_backoff_max_ms": 500,
        "metrics_enabled": False,
    }
