"""A peer of the worker: a plain Faust agent as its documentation has it, one event a record.

Batches by `take`, as the documentation recommends for sinks; Faust commits.

Next: tests.bench.peer_quixstreams
"""

import os
import sys

import faust
import orjson
import uvloop

from tests.bench.plain_fold import BATCH_EVENTS, WITHIN_SECONDS, PlainFold

uvloop.install()
app = faust.App(
    os.environ["BENCH_GROUP"],
    broker=f"kafka://{os.environ['KAFKA_BOOTSTRAP']}",
    web_enabled=False,
    topic_disable_leader=True,
    topic_allow_declare=False,
    consumer_auto_offset_reset="earliest",
    stream_buffer_maxsize=16_384,
)
topic = app.topic(os.environ["BENCH_TOPIC"], value_serializer="raw")
plain_fold = PlainFold()


@app.agent(topic, concurrency=1)
async def fold(stream):
    """Fold a batch, insert its events and rows."""
    async for values in stream.take(BATCH_EVENTS, within=WITHIN_SECONDS):
        for value in values:
            plain_fold.add(orjson.loads(value))
        plain_fold.flush()


if __name__ == "__main__":
    sys.argv = ["plain_faust", "worker", "-l", "warn", "--without-web"]
    app.main()
