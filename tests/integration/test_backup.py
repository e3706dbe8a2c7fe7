"""`backup` while events arrive, `restore` into an empty store, `replay`: all is counted once."""

import pytest
from kafka import TopicPartition

from deploy import server_backup
from deploy.log_offsets import read_offsets
from deploy.maintenance import backing_up
from schemas.topics import EVENTS
from sinks import keys
from sinks.leases import Lost
from tests.support.kafka_process import KafkaProcess
from tests.support.lost_store import (
    empty_the_store,
    letters,
    refused_by_a_gateway,
    said,
    settled,
    tables,
)
from tests.support.steady_load import SteadyLoad

PERSON_NEEDED = 78
SECRETS = "SELECT tenant, secret FROM tenants FINAL ORDER BY tenant"


@pytest.mark.faults
def test_backup_under_load_then_restore_and_replay(own_world):
    """Every event of before, during and after the backup is counted once; keys and hashes stay."""
    key = said(own_world, "keys", "create", "--tenant", "acme", "--scope", "read")
    secrets = own_world.client.query(SECRETS).result_rows
    place = own_world.root / "backup"
    worker = own_world.worker()
    with SteadyLoad(own_world) as load:
        own_world.until(lambda: own_world.counted()[1] > 100)
        told = said(own_world, "backup", str(place))
        counted = own_world.counted()[1]
        refused_by_a_gateway(own_world)
        own_world.until(lambda: own_world.counted()[1] > counted + 100)
    own_world.until_counted(load.sent)
    own_world.until(lambda: letters(own_world) == 1)
    assert not worker.entries("making_way"), "workers go on"
    assert worker.terminate() == 0
    assert 0 < told["rows"]["usage_events"] < load.sent

    empty_the_store(own_world)
    assert said(own_world, "restore", str(place)) == {
        "migrations": [],
        "next": "usage-report replay --from progress",
        "lost_records": 0,
    }
    assert own_world.client.query(SECRETS).result_rows == secrets
    assert [each.key_id for each in keys.read_keys(own_world.client)] == [key["key_id"]]
    stopped = own_world.worker()
    assert stopped.exit_status() == PERSON_NEEDED
    assert stopped.entries("stopped")[-1]["reason"] == "store_went_back"
    assert letters(own_world) == 0
    said(own_world, "replay", "--from", "progress")
    own_world.worker()
    settled(own_world, load.sent)
    own_world.until(lambda: letters(own_world) == 1)

    again = own_world.command("restore", str(place))
    assert again.returncode == 1
    assert "not empty" in again.stderr


def test_records_deleted_since_the_backup_are_told(own_world):
    """Kafka keeps no more of them: how many, and the command that goes on without."""
    worker = own_world.worker()
    own_world.send(range(40))
    own_world.until_counted(40)
    place = own_world.root / "backup"
    said(own_world, "backup", str(place))
    own_world.send(range(40, 80))
    own_world.until_counted(80)
    assert worker.terminate() == 0
    ends = read_offsets(own_world.broker).ends
    gone = sum(ends.values())
    own_world.broker.delete_records({TopicPartition(EVENTS, p): end for p, end in ends.items()})
    empty_the_store(own_world)
    told = said(own_world, "restore", str(place))
    assert 0 < told["lost_records"] < gone
    assert told["next"] == "usage-report replay --from progress --accept-loss"
    said(own_world, *told["next"].split()[1:])
    own_world.worker()
    own_world.send(range(80))
    settled(own_world, 80)


def test_kafka_is_new_too(own_world, tmp_path):
    """Rows and books are brought up to the events of the backup; the new log counts from there."""
    worker = own_world.worker()
    own_world.send(range(40))
    own_world.until_counted(40)
    worker.kill()
    own_world.send(range(40, 80))
    # Events of a batch are stored, and not their rows: as in a backup of that very moment.
    own_world.worker(failpoints="stored_usage_events:1").exit_status()
    rows, events = own_world.counted()
    assert rows < events
    place = own_world.root / "backup"
    said(own_world, "backup", str(place))
    empty_the_store(own_world)
    with KafkaProcess(tmp_path / "new-kafka") as kafka:
        own_world.disconnect()
        own_world.kafka = kafka
        own_world.make_topics()
        own_world.connect()
        refused = own_world.command("restore", str(place))
        assert refused.returncode == 1
        assert "--log-is-gone" in refused.stderr
        assert tables(own_world) == set()
        assert said(own_world, "restore", str(place), "--log-is-gone")["next"] is None
        assert own_world.counted() == (events, events)
        assert own_world.verified() == 0
        assert own_world.unbalanced() == 0
        own_world.worker()
        # What senders still have counts once: the lost ones for the first time.
        own_world.send(range(100))
        settled(own_world, 100)
        own_world.close()


def test_clickhouses_own_backup_is_none_without_the_lease_at_its_end(own_world):
    """Workers may have been at work meanwhile: what they folded may be ahead of their rows."""
    place = f"File('{own_world.store.data_dir}/backups/late')"
    with backing_up(own_world.store.dsn) as lease:
        own_world.client.command("TRUNCATE TABLE leases")
        with pytest.raises(Lost):
            server_backup.take(own_world.client, place, lease=lease)


def test_clickhouses_own_backup(own_world):
    """BACKUP while no worker is at work, RESTORE into an empty database, and the rest by replay."""
    place = f"File('{own_world.store.data_dir}/backups/one')"
    worker = own_world.worker()
    with SteadyLoad(own_world) as load:
        own_world.until(lambda: own_world.counted()[1] > 100)
        said(own_world, "backup", place)
        counted = own_world.counted()[1]
        own_world.until(lambda: own_world.counted()[1] > counted + 100)
    own_world.until_counted(load.sent)
    assert worker.entries("making_way")
    assert worker.terminate() == 0
    assert "not empty" in own_world.command("restore", place).stderr
    # What is in the data directory is the server's only disk here.
    for name in tables(own_world):
        own_world.client.command(f"DROP TABLE {name} SYNC")
    told = said(own_world, "restore", place)
    assert told == {
        "migrations": [],
        "next": "usage-report replay --from progress",
        "lost_records": 0,
    }
    said(own_world, "replay", "--from", "progress")
    own_world.worker()
    settled(own_world, load.sent)
