"""What is done to a store that is backed up, lost and restored, and what is asked of it after.

Next: tests.integration.test_backup
"""

import json
import shutil
from contextlib import closing

from kafka import KafkaProducer

from deploy.log_offsets import read_offsets
from schemas.topics import DEAD_LETTERS, dead_letter_headers

TABLES = "SELECT name FROM system.tables WHERE database = 'usage'"


def said(world, *arguments: str) -> dict:
    """The answer of a command that succeeds."""
    done = world.command(*arguments, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def empty_the_store(world) -> None:
    """The server is there again, over an empty data directory."""
    world.store.stop()
    shutil.rmtree(world.store.data_dir)
    world.store.start()


def settled(world, events: int) -> None:
    """So many events in rows, nothing to fold; books balance, rows are what events add up to."""
    world.until_counted(events)
    world.until(lambda: sum(read_offsets(world.broker).lag.values()) == 0)
    assert world.counted() == (events, events)
    assert world.unbalanced() == 0
    assert world.verified() == 0


def tables(world) -> set[str]:
    """The tables of the store."""
    return {name for (name,) in world.client.query(TABLES).result_rows}


def refused_by_a_gateway(world) -> None:
    """A dead letter that no record of events has."""
    headers = dead_letter_headers(
        reason="unknown_type",
        detail="sample",
        origin="sample/0",
        tenant="acme",
        received_at="2026-03-01T00:00:00.000Z",
    )
    with closing(KafkaProducer(bootstrap_servers=world.kafka.bootstrap)) as producer:
        producer.send(DEAD_LETTERS, b"{}", headers=headers).get(30)


def letters(world) -> int:
    """Dead letters in the store."""
    return world.client.query("SELECT count() FROM dead_letters FINAL").first_row[0]
