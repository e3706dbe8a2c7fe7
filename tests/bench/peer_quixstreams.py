"""A peer of the worker: Quix Streams with a sink of its own, one event a record.

Its documentation batches writes to a database by checkpoints: `commit_every` events or
`commit_interval` seconds, and a sink whose `flush` writes. `BatchingSink` would write each of the
twelve partitions alone; `BaseSink` writes the batch in one piece, which is faster here.

Next: tests.bench.peer_bytewax
"""

import os
from typing import Any

from quixstreams import Application
from quixstreams.sinks import BaseSink

from tests.bench.plain_fold import BATCH_EVENTS, WITHIN_SECONDS, PlainFold


class ClickHouseSink(BaseSink):
    """Folds what it is given, and writes at each checkpoint."""

    def __init__(self) -> None:
        super().__init__()
        self._fold = PlainFold()

    def add(self, value: dict[str, str], *_: Any, **__: Any) -> None:
        """One event."""
        self._fold.add(value)

    def flush(self) -> None:
        """The checkpoint is due; afterwards offsets are committed."""
        self._fold.flush()


def main() -> None:
    """Run until killed."""
    app = Application(
        broker_address=os.environ["KAFKA_BOOTSTRAP"],
        consumer_group=os.environ["BENCH_GROUP"],
        auto_offset_reset="earliest",
        commit_every=BATCH_EVENTS,
        commit_interval=WITHIN_SECONDS,
        loglevel="WARNING",
    )
    topic = app.topic(os.environ["BENCH_TOPIC"], value_deserializer="json")
    app.dataframe(topic).sink(ClickHouseSink())
    app.run()


if __name__ == "__main__":
    main()
