"""Reads a topic's records from where it stood when the reader was made, or last asked.

Next: schemas.topics
"""

import time
from contextlib import closing
from typing import Any, Self

import orjson
from kafka import KafkaConsumer, TopicPartition

READ_SECONDS = 60.0


class TopicReader:
    """Every record that came to `topic` since it was made, or all with `from_start`."""

    def __init__(self, bootstrap: str, topic: str, *, from_start: bool = False) -> None:
        self._consumer = KafkaConsumer(bootstrap_servers=bootstrap, check_crcs=True)
        places = [TopicPartition(topic, number) for number in self._numbers(topic)]
        self._consumer.assign(places)
        self._places = places
        if from_start:
            self._consumer.seek_to_beginning(*places)
        else:
            self.skip()

    def skip(self) -> None:
        """Pass over what is there."""
        for place, offset in self._consumer.end_offsets(self._places).items():
            self._consumer.seek(place, offset)

    def _numbers(self, topic: str) -> set[int]:
        deadline = time.monotonic() + READ_SECONDS
        while not (numbers := self._consumer.partitions_for_topic(topic)):
            if time.monotonic() > deadline:
                raise TimeoutError(topic)
        return numbers

    def records(self) -> list[Any]:
        """The records since the last call, up to the present ends."""
        ends = self._consumer.end_offsets(self._places)
        found = []
        deadline = time.monotonic() + READ_SECONDS
        while any(self._consumer.position(place) < end for place, end in ends.items()):
            if time.monotonic() > deadline:
                raise TimeoutError("the records did not arrive")
            for group in self._consumer.poll(timeout_ms=200).values():
                found += group
                # A long log takes as long as it takes; one that does not come is told.
                deadline = time.monotonic() + READ_SECONDS
        return found

    def lines(self) -> list[dict[str, str]]:
        """The events in the records since the last call."""
        return [line for record in self.records() for line in lines_of(record)]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with closing(self._consumer):
            pass


def lines_of(record: Any) -> list[dict[str, str]]:
    """The events in one record."""
    return [orjson.loads(line) for line in record.value.split(b"\n")]
