"""A peer of the worker: a Bytewax dataflow, one event a record; `python -m bytewax.run` runs it.

Its documentation raises `batch_size` for throughput, and its own connector for ClickHouse gathers
writes by `collect`, up to a size or a time.

Next: tests.bench.bare_consume
"""

import os
from datetime import timedelta

import bytewax.operators as op
import orjson
from bytewax.connectors.kafka import KafkaSource, KafkaSourceMessage
from bytewax.dataflow import Dataflow
from bytewax.outputs import DynamicSink, StatelessSinkPartition

from schemas.topics import DEFAULT_PARTITIONS
from tests.bench.plain_fold import BATCH_EVENTS, WITHIN_SECONDS, PlainFold


class ClickHousePartition(StatelessSinkPartition):
    """Folds collected batches, and writes each."""

    def __init__(self) -> None:
        self._fold = PlainFold()

    def write_batch(self, items: list[tuple[str, list[dict[str, str]]]]) -> None:
        """Batches under their one key."""
        for _, events in items:
            for event in events:
                self._fold.add(event)
            self._fold.flush()


class ClickHouseSink(DynamicSink):
    """One writer for the one worker."""

    def build(self, *_: object) -> ClickHousePartition:
        """The worker's writer."""
        return ClickHousePartition()


def keyed(message: KafkaSourceMessage) -> tuple[str, dict[str, str]]:
    """The event, under one key for all: they are written together."""
    return "all", orjson.loads(message.value)


flow = Dataflow("peer")
# It asks every partition in turn before it hands anything on: together they give one batch.
source = KafkaSource(
    [os.environ["KAFKA_BOOTSTRAP"]],
    [os.environ["BENCH_TOPIC"]],
    batch_size=BATCH_EVENTS // DEFAULT_PARTITIONS,
)
messages = op.input("messages", flow, source)
events = op.map("decode", messages, keyed)
batches = op.collect(
    "batches", events, timeout=timedelta(seconds=WITHIN_SECONDS), max_size=BATCH_EVENTS
)
op.output("clickhouse", batches, ClickHouseSink())
