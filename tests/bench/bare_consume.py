"""The bare limit of a worker: aiokafka's `getmany` and decode of the records' lines, nothing else.

It reads the product's own topic, and decodes lines to columns of text in the cheapest way there is.

Next: tests.bench.worker_speed
"""

import asyncio
import io
import os

import polars as pl
import uvloop
from aiokafka import AIOKafkaConsumer

from schemas.events import COLUMNS
from schemas.topics import EVENTS
from tests.bench.plain_fold import BATCH_EVENTS, EVENTS_A_RECORD, print_flush

_SCHEMA = dict.fromkeys(COLUMNS, pl.String)
_WAIT_MILLISECONDS = 200
_MAX_RECORDS = BATCH_EVENTS // EVENTS_A_RECORD


async def main() -> None:
    """Read until killed."""
    consumer = AIOKafkaConsumer(
        EVENTS,
        bootstrap_servers=os.environ["KAFKA_BOOTSTRAP"],
        group_id=os.environ["BENCH_GROUP"],
        auto_offset_reset="earliest",
        enable_auto_commit=False,
    )
    await consumer.start()
    while True:
        found = await consumer.getmany(timeout_ms=_WAIT_MILLISECONDS, max_records=_MAX_RECORDS)
        values = [record.value for records in found.values() for record in records]
        if values:
            print_flush(pl.read_ndjson(io.BytesIO(b"\n".join(values)), schema=_SCHEMA).height)


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main())
