"""A backup is whole or not there, and what differs by a bit is found."""

from datetime import UTC, datetime

import pytest

from deploy.backup import FIRST, LAST, in_order
from deploy.backup_files import Damaged, Draft, Manifest, TableFile, blocks, check, compressed

HEAD = b"a\tb\nString\tUInt8\n"
ROWS = [b"%d\t%d\n" % (number, number % 7) for number in range(1000)]


def written(place, rows=ROWS, *, pieces=None):
    """A backup of one table; its manifest."""
    table = TableFile(name="t", create="…", file="t.tsv.zst", rows=len(rows))
    manifest = Manifest(
        release="1",
        taken_at=datetime(2026, 3, 1, tzinfo=UTC),
        migrations={"0001_usage.sql": "1"},
        topic_id=None,
        folded=[],
        tables=[table],
    )
    with Draft(place) as draft:
        draft.write(table.file, compressed(pieces or [HEAD + b"".join(rows)]))
        draft.finish(manifest)
    return manifest


def test_what_was_written_is_read(tmp_path):
    """The manifest, and every row once, in blocks that have the head each."""
    manifest = written(place := tmp_path / "backup")
    assert check(place) == manifest
    found = list(blocks(place, manifest.tables[0], block_bytes=100))
    assert len(found) > 10
    assert all(block.startswith(HEAD) and block.endswith(b"\n") for block in found)
    assert b"".join(block.removeprefix(HEAD) for block in found) == b"".join(ROWS)


def test_a_table_without_rows_has_no_blocks(tmp_path):
    """Nothing is inserted for it."""
    manifest = written(place := tmp_path / "backup", rows=[])
    assert list(blocks(place, manifest.tables[0], block_bytes=100)) == []


def test_one_that_breaks_off_is_not_there(tmp_path):
    """Nothing has its name, nothing is left, and another one may take it."""

    def failing():
        yield HEAD
        raise OSError("no space")

    with pytest.raises(OSError, match="no space"):
        written(tmp_path / "backup", pieces=failing())
    assert list(tmp_path.iterdir()) == []
    written(tmp_path / "backup")
    with pytest.raises(FileExistsError):
        written(tmp_path / "backup")
    check(tmp_path / "backup")


@pytest.mark.parametrize("name", ["manifest.json", "t.tsv.zst"])
def test_every_byte_counts(tmp_path, name):
    """A bit that differs anywhere."""
    written(place := tmp_path / "backup")
    whole = (place / name).read_bytes()
    for at in range(0, len(whole), 7):
        changed = bytearray(whole)
        changed[at] ^= 4
        (place / name).write_bytes(changed)
        with pytest.raises(Damaged):
            check(place)
    (place / name).write_bytes(whole)
    check(place)


def test_what_vouches_is_read_first():
    """And what is vouched for last; a table that nothing is known of stands between."""
    order = in_order({*FIRST, *LAST, "a_new_table", "users"})
    assert order == [*FIRST, "a_new_table", "users", *LAST]
