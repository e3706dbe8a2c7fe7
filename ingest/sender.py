"""A thread that hands records to Kafka, with a producer that is made anew after a failure.

The event loop never waits for a broker; a record that has not gone out by its deadline fails.

Next: aggregators.agents
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from queue import SimpleQueue
from typing import Any

import structlog
from kafka import KafkaProducer
from kafka.errors import KafkaError

from schemas.rejects import Unavailable
from schemas.topics import RECORD_MAX_BYTES

log = structlog.get_logger()

# The lock-step of one partition sends what came together meanwhile as one batch, below the
# topics' max.message.bytes even where nothing compresses.
_BATCH_BYTES = 3 * RECORD_MAX_BYTES
_REQUEST_BYTES = 16 << 20
_RETRY_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One record: its lines, and whom to tell (on any thread) when it is acknowledged or not.

    `deadline` is in seconds of time.monotonic().
    """

    partition: int
    lines: list[bytes]
    headers: list[tuple[str, bytes]]
    deadline: float
    done: Callable[[Exception | None], object]


class Sender:
    """Sends records to one topic; `bootstrap` as in the settings."""

    def __init__(self, topic: str, *, bootstrap: str, ack_timeout_seconds: float) -> None:
        self._topic = topic
        self._bootstrap = bootstrap
        self._ack_timeout_seconds = ack_timeout_seconds
        self._queue: SimpleQueue[list[Outgoing] | None] = SimpleQueue()
        self._producer: KafkaProducer | None = None
        self._failed: KafkaProducer | None = None
        self._thread = threading.Thread(target=self._run, name=f"send-{topic}", daemon=True)

    def start(self) -> None:
        """Start the thread; it connects at once, and again and again while the broker is away."""
        self._thread.start()

    def submit(self, records: list[Outgoing]) -> None:
        """Send these records; never waits."""
        self._queue.put(records)

    def stop(self, *, timeout_seconds: float) -> None:
        """Send what is waiting, then end; what is not acknowledged in time is given up."""
        self._queue.put(None)
        self._thread.join(timeout_seconds)
        if self._producer is not None:
            self._close(self._producer, timeout_seconds)

    def partitions(self) -> int:
        """How many partitions the topic has; waits a moment, and raises Unavailable."""
        producer = self._producer
        if producer is None:
            raise Unavailable("kafka", "not connected")
        try:
            return len(producer.partitions_for(self._topic))
        except KafkaError as error:
            raise Unavailable("kafka", repr(error)) from error

    def _run(self) -> None:
        self._connect()
        while (records := self._queue.get()) is not None:
            for record in records:
                self._send(record)

    def _send(self, record: Outgoing) -> None:
        self._replace_failed()
        try:
            producer = self._connected(record.deadline)
            future = producer.send(
                self._topic,
                partition=record.partition,
                value=b"\n".join(record.lines),
                headers=record.headers,
            )
        except (KafkaError, ValueError) as error:  # ValueError: the topic lacks the partition
            self._note_failure(self._producer, record, error)
        except Unavailable as error:
            record.done(error)
        else:
            future.add_callback(lambda _: record.done(None))
            future.add_errback(partial(self._note_failure, producer, record))

    def _note_failure(
        self, producer: KafkaProducer | None, record: Outgoing, error: Exception
    ) -> None:
        log.warning(
            "record_not_sent", topic=self._topic, partition=record.partition, error=repr(error)
        )
        self._failed = producer
        record.done(Unavailable("kafka", repr(error)))

    def _replace_failed(self) -> None:
        """A producer that lost a record may have lost count of its sequence numbers as well.

        It gets the time to finish its other records; new ones go through a new producer.
        """
        producer = self._producer
        if producer is None or producer is not self._failed:
            return
        self._producer = self._failed = None
        leave_seconds = 2 * self._ack_timeout_seconds
        threading.Thread(target=self._close, args=(producer, leave_seconds), daemon=True).start()

    def _close(self, producer: KafkaProducer, timeout_seconds: float) -> None:
        try:
            producer.close(timeout=timeout_seconds)
        except KafkaError as error:
            log.warning("producer_not_closed", topic=self._topic, error=repr(error))

    def _connected(self, deadline: float) -> KafkaProducer:
        while self._producer is None:
            if time.monotonic() > deadline:
                raise Unavailable("kafka", "no broker answers")
            self._connect()
        return self._producer

    def _connect(self) -> None:
        try:
            self._producer = KafkaProducer(**self._configuration())
            log.info("kafka_connected", topic=self._topic, partitions=self.partitions())
        except (KafkaError, OSError, Unavailable) as error:
            log.warning("kafka_away", topic=self._topic, error=repr(error))
            time.sleep(_RETRY_SECONDS)

    def _configuration(self) -> dict[str, Any]:
        ack_milliseconds = int(self._ack_timeout_seconds * 1000)
        return {
            "bootstrap_servers": self._bootstrap.split(","),
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
