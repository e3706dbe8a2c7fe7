"""`backup` while events arrive, `restore` into an empty store, `replay`: all is counted once."""

import json
import shutil
import stat
from contextlib import ExitStack, closing
from pathlib import Path

import pytest
from kafka import KafkaProducer, TopicPartition

from deploy import local
from deploy.backup_files import MANIFEST, SUMS, Draft, Manifest
from deploy.log_offsets import read_offsets
from schemas.topics import DEAD_LETTERS, EVENTS, dead_letter_headers
from sinks import keys
from sinks.clickhouse import connect
from tests.support.clickhouse_process import ClickHouseProcess
from tests.support.kafka_process import KafkaProcess
from tests.support.steady_load import SteadyLoad
from tests.support.worker_world import WorkerWorld, migrated

PERSON_NEEDED = 78
SECRETS = "SELECT tenant, secret FROM tenants FINAL ORDER BY tenant"
TABLES = "SELECT name FROM system.tables WHERE database = 'usage'"


@pytest.fixture
def world(tmp_path):
    """A log and a store that is this test's own: it loses its data directory."""
    with ExitStack() as stack:
        store = ClickHouseProcess(tmp_path / "clickhouse").start()
        stack.callback(store.kill)
        migrated(store)
        made = WorkerWorld(tmp_path, store, stack.enter_context(KafkaProcess(tmp_path / "kafka")))
        stack.callback(made.close)
        yield made


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


@pytest.mark.faults
def test_backup_under_load_then_restore_and_replay(world):
    """Every event of before, during and after the backup is counted once; keys and hashes stay."""
    key = said(world, "keys", "create", "--tenant", "acme", "--scope", "read")
    secrets = world.client.query(SECRETS).result_rows
    place = world.root / "backup"
    worker = world.worker()
    with SteadyLoad(world) as load:
        world.until(lambda: world.counted()[1] > 100)
        told = said(world, "backup", str(place))
        counted = world.counted()[1]
        refused_by_a_gateway(world)
        world.until(lambda: world.counted()[1] > counted + 100)
    world.until_counted(load.sent)
    world.until(lambda: letters(world) == 1)
    assert not worker.entries("making_way"), "workers go on"
    assert worker.terminate() == 0
    assert 0 < told["rows"]["usage_events"] < load.sent

    empty_the_store(world)
    assert said(world, "restore", str(place)) == {
        "migrations": [],
        "next": "usage-report replay --from progress",
        "lost_records": 0,
    }
    assert world.client.query(SECRETS).result_rows == secrets
    assert [each.key_id for each in keys.read_keys(world.client)] == [key["key_id"]]
    stopped = world.worker()
    assert stopped.exit_status() == PERSON_NEEDED
    assert stopped.entries("stopped")[-1]["reason"] == "store_went_back"
    assert letters(world) == 0
    said(world, "replay", "--from", "progress")
    world.worker()
    settled(world, load.sent)
    world.until(lambda: letters(world) == 1)

    again = world.command("restore", str(place))
    assert again.returncode == 1
    assert "not empty" in again.stderr


def test_what_a_backup_has(world):
    """Every table that there is, readable by its owner alone; its age is known to the store."""
    place = world.root / "backup"
    told = said(world, "backup", str(place))
    manifest = Manifest.model_validate_json((place / MANIFEST).read_bytes())
    assert {table.name for table in manifest.tables} == set(told["rows"]) == tables(world)
    assert {table.file for table in manifest.tables} | {MANIFEST, SUMS} == {
        file.name for file in place.iterdir()
    }
    assert stat.S_IMODE(place.stat().st_mode) == 0o700
    assert {stat.S_IMODE(file.stat().st_mode) for file in place.iterdir()} == {0o600}
    noted = world.client.query("SELECT taken_at FROM backups FINAL").result_rows
    assert len(noted) == 1
    again = world.command("backup", str(place))
    assert again.returncode == 1
    assert "is there already" in again.stderr
    assert world.client.query("SELECT count() FROM backups FINAL").first_row == (1,)


def flip(file: Path) -> None:
    """One bit of a file is another."""
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)


def test_a_backup_that_is_not_whole_is_refused(world):
    """A bit, a file, a table's checksum: it is found before anything is written."""
    place = world.root / "backup"
    said(world, "backup", str(place))
    empty_the_store(world)
    for damage in (
        lambda copy: flip(copy / "tenants.tsv.zst"),
        lambda copy: flip(copy / MANIFEST),
        lambda copy: (copy / "users.tsv.zst").unlink(),
        lambda copy: (copy / SUMS).unlink(),
        lambda copy: (copy / SUMS).write_text((copy / SUMS).read_text().replace("keys", "none")),
        lambda copy: (copy / SUMS).write_text(""),
    ):
        copy = world.root / "copy"
        shutil.copytree(place, copy)
        damage(copy)
        done = world.command("restore", str(copy))
        assert done.returncode == 1, done.stderr
        assert "Nothing was written" in done.stderr
        assert tables(world) == set()
        shutil.rmtree(copy)


def rewritten(world, place: Path, **changes) -> Path:
    """The same backup with another manifest and right checksums."""
    manifest = Manifest.model_validate_json((place / MANIFEST).read_bytes())
    with Draft(other := world.root / "rewritten") as draft:
        for table in manifest.tables:
            draft.write(table.file, [(place / table.file).read_bytes()])
        draft.finish(manifest.model_copy(update=changes))
    return other


def test_newer_is_refused_and_older_is_brought_forward(world):
    """A schema that this release does not know: 78, nothing written. What is missing is applied."""
    world.client.command("DROP TABLE backups")
    world.client.command(
        "ALTER TABLE schema_migrations DELETE WHERE name = '0013_backups.sql'"
        " SETTINGS mutations_sync = 2"
    )
    place = world.root / "backup"
    # Its record has no table, so it is taken as that older release did.
    assert world.command("backup", str(place)).returncode != 0
    manifest = Manifest.model_validate_json((place / MANIFEST).read_bytes())
    empty_the_store(world)
    newer = rewritten(world, place, migrations={**manifest.migrations, "9999_new.sql": "0"})
    done = world.command("restore", str(newer))
    assert done.returncode == PERSON_NEEDED
    assert "9999_new.sql" in done.stderr
    assert tables(world) == set()
    assert said(world, "restore", str(place))["migrations"] == ["0013_backups.sql"]
    assert "backups" in tables(world)


def test_records_deleted_since_the_backup_are_told(world):
    """Kafka keeps no more of them: how many, and the command that goes on without."""
    worker = world.worker()
    world.send(range(40))
    world.until_counted(40)
    place = world.root / "backup"
    said(world, "backup", str(place))
    world.send(range(40, 80))
    world.until_counted(80)
    assert worker.terminate() == 0
    ends = read_offsets(world.broker).ends
    gone = sum(ends.values())
    world.broker.delete_records({TopicPartition(EVENTS, p): end for p, end in ends.items()})
    empty_the_store(world)
    told = said(world, "restore", str(place))
    assert 0 < told["lost_records"] < gone
    assert told["next"] == "usage-report replay --from progress --accept-loss"
    said(world, *told["next"].split()[1:])
    world.worker()
    world.send(range(80))
    settled(world, 80)


def test_kafka_is_new_too(world, tmp_path):
    """Rows and books are brought up to the events of the backup; the new log counts from there."""
    worker = world.worker()
    world.send(range(40))
    world.until_counted(40)
    worker.kill()
    world.send(range(40, 80))
    # Events of a batch are stored, and not their rows: as in a backup of that very moment.
    world.worker(failpoints="stored_usage_events:1").exit_status()
    rows, events = world.counted()
    assert rows < events
    place = world.root / "backup"
    said(world, "backup", str(place))
    empty_the_store(world)
    with KafkaProcess(tmp_path / "new-kafka") as kafka:
        world.disconnect()
        world.kafka = kafka
        world.make_topics()
        world.connect()
        refused = world.command("restore", str(place))
        assert refused.returncode == 1
        assert "--log-is-gone" in refused.stderr
        assert tables(world) == set()
        assert said(world, "restore", str(place), "--log-is-gone")["next"] is None
        assert world.counted() == (events, events)
        assert world.verified() == 0
        assert world.unbalanced() == 0
        world.worker()
        # What senders still have counts once: the lost ones for the first time.
        world.send(range(100))
        settled(world, 100)
        world.close()


def test_clickhouses_own_backup(world):
    """BACKUP while no worker is at work, RESTORE into an empty database, and the rest by replay."""
    place = f"File('{world.store.data_dir}/backups/one')"
    worker = world.worker()
    with SteadyLoad(world) as load:
        world.until(lambda: world.counted()[1] > 100)
        said(world, "backup", place)
        counted = world.counted()[1]
        world.until(lambda: world.counted()[1] > counted + 100)
    world.until_counted(load.sent)
    assert worker.entries("making_way")
    assert worker.terminate() == 0
    assert "not empty" in world.command("restore", place).stderr
    # What is in the data directory is the server's only disk here.
    for name in tables(world):
        world.client.command(f"DROP TABLE {name} SYNC")
    told = said(world, "restore", place)
    assert told == {
        "migrations": [],
        "next": "usage-report replay --from progress",
        "lost_records": 0,
    }
    said(world, "replay", "--from", "progress")
    world.worker()
    settled(world, load.sent)


def test_into_the_directory_of_an_up_that_does_not_run(world):
    """Its ClickHouse is filled; one that runs, and one that is full, are left alone."""
    world.send(range(10))
    world.worker()
    world.until_counted(10)
    place, data_dir = world.root / "backup", world.root / "up"
    said(world, "backup", str(place))
    data_dir.mkdir()
    with local.alone(data_dir):
        done = world.command("restore", str(place), "--data-dir", str(data_dir))
        assert done.returncode == 1
        assert "stop it" in done.stderr
    told = said(world, "restore", str(place), "--data-dir", str(data_dir))
    assert told["lost_records"] is None
    full = world.command("restore", str(place), "--data-dir", str(data_dir))
    assert full.returncode == 1
    assert "not empty" in full.stderr
    filled = ClickHouseProcess(data_dir / "clickhouse").start()
    try:
        with closing(connect(filled.dsn)) as client:
            count = "SELECT sum(launches) FROM usage_daily FINAL"
            assert client.query(count).first_row == (10,)
    finally:
        filled.kill()
