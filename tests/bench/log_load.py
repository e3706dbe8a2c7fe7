"""Keeps the log full: records of new events, always some ahead of the worker.

`python -m tests.bench.log_load BOOTSTRAP` runs until it is killed. The lines are written before;
only ids and days change, so that it takes little of the machine.

Next: tests.bench.growth
"""

import argparse
import time
from datetime import UTC, date, datetime, timedelta
from itertools import count

from kafka import KafkaProducer

from deploy.log_offsets import admin, read_offsets
from schemas import topics
from schemas.kafka_address import KafkaAddress
from tests.bench.loads import Load, lines, send_record
from tests.bench.plain_fold import EVENTS_A_RECORD

_LOAD = Load(events=100_000, events_a_row=5)
_AHEAD_RECORDS = 2 * _LOAD.events // EVENTS_A_RECORD
# No user-day comes twice while this runs: it would grow, and what is held of it.
_DAYS = 365


def main() -> None:
    """Send everything once more, on another day, whenever the worker comes near."""
    parser = argparse.ArgumentParser(prog="tests.bench.log_load", description=__doc__)
    parser.add_argument("bootstrap")
    bootstrap = parser.parse_args().bootstrap
    records = prepared()
    producer = KafkaProducer(bootstrap_servers=bootstrap, compression_type="lz4", linger_ms=20)
    with admin(KafkaAddress(bootstrap)) as broker:
        for turn in count():
            for partition, held in records:
                send_record(producer, partition, on_another_day(held, turn))
            producer.flush()
            while sum(read_offsets(broker).lag.values()) > _AHEAD_RECORDS:
                time.sleep(0.1)


def prepared() -> list[tuple[int, bytes]]:
    """Partition and lines of each record."""
    waiting: dict[int, list[bytes]] = {}
    records = []
    for user, line in lines(_LOAD):
        partition = topics.partition_of("bench", user, topics.DEFAULT_PARTITIONS)
        held = waiting.setdefault(partition, [])
        held.append(line)
        if len(held) == EVENTS_A_RECORD:
            records.append((partition, b"\n".join(waiting.pop(partition))))
    return records


def on_another_day(held: bytes, turn: int) -> list[bytes]:
    """The lines with ids of this turn, on one of the days before."""
    today = datetime.now(UTC).date()
    day = today - timedelta(days=turn % _DAYS)
    held = held.replace(b'"id":"', b'"id":"%d-' % turn)
    return held.replace(_time(today), _time(day)).split(b"\n")


def _time(day: date) -> bytes:
    return f'"time":"{day}'.encode()


if __name__ == "__main__":
    main()
