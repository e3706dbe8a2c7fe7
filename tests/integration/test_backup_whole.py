"""What a backup has, and which ones are refused before anything is written."""

import shutil
import stat
from contextlib import closing
from pathlib import Path

from deploy import local
from deploy.backup_files import MANIFEST, SUMS, Draft, Manifest
from sinks.clickhouse import connect
from tests.support.clickhouse_process import ClickHouseProcess
from tests.support.lost_store import empty_the_store, said, tables

PERSON_NEEDED = 78


def test_what_a_backup_has(own_world):
    """Every table that there is, readable by its owner alone; its age is known to the store."""
    place = own_world.root / "backup"
    told = said(own_world, "backup", str(place))
    manifest = Manifest.model_validate_json((place / MANIFEST).read_bytes())
    assert {table.name for table in manifest.tables} == set(told["rows"]) == tables(own_world)
    assert {table.file for table in manifest.tables} | {MANIFEST, SUMS} == {
        file.name for file in place.iterdir()
    }
    assert stat.S_IMODE(place.stat().st_mode) == 0o700
    assert {stat.S_IMODE(file.stat().st_mode) for file in place.iterdir()} == {0o600}
    noted = own_world.client.query("SELECT taken_at FROM backups FINAL").result_rows
    assert len(noted) == 1
    again = own_world.command("backup", str(place))
    assert again.returncode == 1
    assert "is there already" in again.stderr
    assert own_world.client.query("SELECT count() FROM backups FINAL").first_row == (1,)


def flip(file: Path) -> None:
    """One bit of a file is another."""
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)


def test_a_backup_that_is_not_whole_is_refused(own_world):
    """A bit, a file, a table's checksum: it is found before anything is written."""
    place = own_world.root / "backup"
    said(own_world, "backup", str(place))
    empty_the_store(own_world)
    for damage in (
        lambda copy: flip(copy / "tenants.tsv.zst"),
        lambda copy: flip(copy / MANIFEST),
        lambda copy: (copy / "users.tsv.zst").unlink(),
        lambda copy: (copy / SUMS).unlink(),
        lambda copy: (copy / SUMS).write_text((copy / SUMS).read_text().replace("keys", "none")),
        lambda copy: (copy / SUMS).write_text(""),
    ):
        copy = own_world.root / "copy"
        shutil.copytree(place, copy)
        damage(copy)
        done = own_world.command("restore", str(copy))
        assert done.returncode == 1, done.stderr
        assert "Nothing was written" in done.stderr
        assert tables(own_world) == set()
        shutil.rmtree(copy)


def rewritten(world, place: Path, **changes) -> Path:
    """The same backup with another manifest and right checksums."""
    manifest = Manifest.model_validate_json((place / MANIFEST).read_bytes())
    with Draft(other := world.root / "rewritten") as draft:
        for table in manifest.tables:
            draft.write(table.file, [(place / table.file).read_bytes()])
        draft.finish(manifest.model_copy(update=changes))
    return other


def test_newer_is_refused_and_older_is_brought_forward(own_world):
    """A schema that this release does not know: 78, nothing written. What is missing is applied."""
    own_world.client.command("DROP TABLE backups")
    own_world.client.command(
        "ALTER TABLE schema_migrations DELETE WHERE name = '0013_backups.sql'"
        " SETTINGS mutations_sync = 2"
    )
    place = own_world.root / "backup"
    # Its record has no table, so it is taken as that older release did.
    assert own_world.command("backup", str(place)).returncode != 0
    manifest = Manifest.model_validate_json((place / MANIFEST).read_bytes())
    empty_the_store(own_world)
    newer = rewritten(own_world, place, migrations={**manifest.migrations, "9999_new.sql": "0"})
    done = own_world.command("restore", str(newer))
    assert done.returncode == PERSON_NEEDED
    assert "9999_new.sql" in done.stderr
    assert tables(own_world) == set()
    assert said(own_world, "restore", str(place))["migrations"] == ["0013_backups.sql"]
    assert "backups" in tables(own_world)


def test_into_the_directory_of_an_up_that_does_not_run(own_world):
    """Its ClickHouse is filled; one that runs, and one that is full, are left alone."""
    own_world.send(range(10))
    own_world.worker()
    own_world.until_counted(10)
    place, data_dir = own_world.root / "backup", own_world.root / "up"
    said(own_world, "backup", str(place))
    data_dir.mkdir()
    with local.alone(data_dir):
        done = own_world.command("restore", str(place), "--data-dir", str(data_dir))
        assert done.returncode == 1
        assert "stop it" in done.stderr
    told = said(own_world, "restore", str(place), "--data-dir", str(data_dir))
    assert told["lost_records"] is None
    full = own_world.command("restore", str(place), "--data-dir", str(data_dir))
    assert full.returncode == 1
    assert "not empty" in full.stderr
    filled = ClickHouseProcess(data_dir / "clickhouse").start()
    try:
        with closing(connect(filled.dsn)) as client:
            count = "SELECT sum(launches) FROM usage_daily FINAL"
            assert client.query(count).first_row == (10,)
    finally:
        filled.kill()
