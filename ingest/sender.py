"""A thread that hands records to Kafka, through a new session whenever one has failed.

The event loop never waits for a broker; a record that has not gone out by its deadline fails.

Next: ingest.session
"""

import threading
import time
from queue import Empty, SimpleQueue

import structlog
from kafka.errors import KafkaError

from ingest.session import Outgoing, Session
from schemas.failpoints import reach
from schemas.kafka_address import KafkaAddress
from schemas.kafka_clients import KafkaRefuses
from schemas.rejects import Unavailable

log = structlog.get_logger()

_RETRY_SECONDS = 0.1
_WATCH_SECONDS = 1.0


class Sender:
    """Sends records to one topic of `kafka`."""

    def __init__(self, topic: str, *, kafka: KafkaAddress, ack_timeout_seconds: float) -> None:
        self._topic = topic
        self._kafka = kafka
        self._ack_timeout_seconds = ack_timeout_seconds
        self._queue: SimpleQueue[list[Outgoing] | None] = SimpleQueue()
        self._session: Session | None = None
        self._trouble = "not connected"
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
        if self._session is not None:
            self._session.end(timeout_seconds=timeout_seconds)

    def partitions(self) -> int:
        """How many partitions the topic has; waits a moment, and raises Unavailable."""
        session = self._session
        if session is None:
            raise Unavailable("kafka", self._trouble)
        return session.partitions()

    def _run(self) -> None:
        self._connect()
        while (records := self._next()) is not None:
            self._replace_failed()
            if self._session is None:
                self._connect()
            for record in records:
                self._send(record)

    def _next(self) -> list[Outgoing] | None:
        try:
            return self._queue.get(timeout=_WATCH_SECONDS)
        except Empty:
            return []

    def _send(self, record: Outgoing) -> None:
        while self._session is None:
            if time.monotonic() > record.deadline:
                record.done(Unavailable("kafka", self._trouble))
                return
            self._connect()
        self._session.send(record)
        reach("sent")

    def _connect(self) -> None:
        session = None
        try:
            session = Session(
                self._topic,
                kafka=self._kafka,
                ack_timeout_seconds=self._ack_timeout_seconds,
            )
            log.info("kafka_connected", topic=self._topic, partitions=session.partitions())
            self._session = session
        except KafkaRefuses as error:
            # Nobody but a person can help, at Kafka or here: senders wait, and it is said aloud.
            self._trouble = str(error)
            log.error("kafka_refuses", topic=self._topic, error=str(error))  # noqa: TRY400
            time.sleep(_RETRY_SECONDS)
        except (KafkaError, OSError, Unavailable) as error:
            self._trouble = "no broker answers"
            log.warning("kafka_away", topic=self._topic, error=repr(error))
            if session is not None:  # a broker is there, and the topic is not
                session.end(timeout_seconds=_RETRY_SECONDS)
            time.sleep(_RETRY_SECONDS)

    def _replace_failed(self) -> None:
        """Leave a failed session the time that its other records have; new ones go elsewhere."""
        session = self._session
        if session is None or session.is_sound():
            return
        self._session = None
        leave = {"timeout_seconds": self._ack_timeout_seconds}
        threading.Thread(target=session.end, kwargs=leave, daemon=True).start()
