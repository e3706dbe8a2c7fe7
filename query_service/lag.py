"""How many records of the log are not committed yet, from the broker, in bounded time.

Next: query_service.routes.operations
"""

import threading
import time
from concurrent.futures import Future
from concurrent.futures import TimeoutError as TooLate

import structlog
from kafka import KafkaAdminClient, TopicPartition
from kafka.admin import OffsetSpec
from kafka.errors import (
    CoordinatorLoadInProgressError,
    CoordinatorNotAvailableError,
    NotCoordinatorError,
)

from schemas.kafka_address import KafkaAddress
from schemas.kafka_clients import KafkaRefuses, connect
from schemas.topics import CONSUMER_GROUP, EVENTS

COORDINATOR_SECONDS = 10.0
COORDINATOR_AWAY = (
    *(CoordinatorNotAvailableError, NotCoordinatorError, CoordinatorLoadInProgressError),
)

log = structlog.get_logger()


class LagReader:
    """Asks the broker at most once at a time; a broker that is away holds up nobody."""

    def __init__(self, kafka: KafkaAddress, *, partitions: int, wait_seconds: float = 1.0) -> None:
        self._kafka = kafka
        self._places = [TopicPartition(EVENTS, number) for number in range(partitions)]
        self._wait_seconds = wait_seconds
        self._lock = threading.Lock()
        self._asked: Future[int | None] | None = None

    def read(self) -> int | None:
        """Records that no worker has committed; None when the broker does not say in time."""
        with self._lock:
            if self._asked is None or self._asked.done():
                self._asked = Future()
                # Made while the broker is silent, a client can block for seconds.
                threading.Thread(target=self._answer, args=(self._asked,), daemon=True).start()
            asked = self._asked
        try:
            return asked.result(timeout=self._wait_seconds)
        except TooLate:
            return None

    def _answer(self, asked: Future[int | None]) -> None:
        try:
            asked.set_result(self._ask())
        except KafkaRefuses as error:
            log.error("kafka_refuses", error=str(error))  # noqa: TRY400 - the message says it all
            asked.set_result(None)
        except Exception as error:  # noqa: BLE001 - the thread's edge: any failure is "unknown"
            log.warning("lag_not_read", error=type(error).__name__)
            asked.set_result(None)

    def _ask(self) -> int | None:
        client = connect(KafkaAdminClient, self._kafka)
        try:
            starts = client.list_partition_offsets(dict.fromkeys(self._places, OffsetSpec.EARLIEST))
            ends = client.list_partition_offsets(dict.fromkeys(self._places, OffsetSpec.LATEST))
            committed = _committed(client)
        finally:
            client.close()
        behind = (
            int(ends[place].offset) - max(int(starts[place].offset), _offset(committed, place))
            for place in self._places
        )
        return sum(max(0, records) for records in behind)


def _committed(client: KafkaAdminClient) -> dict[TopicPartition, object]:
    # The first question of a broker's life makes it create the topic that it keeps offsets in.
    deadline = time.monotonic() + COORDINATOR_SECONDS
    while True:
        try:
            return dict(client.list_group_offsets({CONSUMER_GROUP: None})[CONSUMER_GROUP])
        except COORDINATOR_AWAY:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)


def _offset(committed: dict[TopicPartition, object], place: TopicPartition) -> int:
    """The committed offset, or -1 where nothing was committed yet."""
    return int(getattr(committed.get(place), "offset", -1))
