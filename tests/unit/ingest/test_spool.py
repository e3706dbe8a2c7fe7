"""Lines on disk: none is removed that was not sent, whatever happens beside."""

import time

from ingest.spool import Spool

LINE = b"x" * 60_000


def spool_of(directory):
    """A spool with room for everything."""
    return Spool(directory, max_bytes=1 << 30, max_age_seconds=1e9, now=time.time)


def sent_all(spool):
    """Take and send what there is; the lines."""
    found = []
    while piece := spool.next(max_lines=7, max_bytes=1 << 20):
        found += piece.lines
        spool.sent(piece)
    return found


def test_a_line_that_comes_before_a_file_goes_is_kept(tmp_path):
    """Between the look at a file and its end a thread may write to it, and to the next one."""
    spool = spool_of(tmp_path)
    spool.append(b"first")
    assert sent_all(spool) == [b"first"]
    spool.append(b"second")
    piece = spool.next(max_lines=7, max_bytes=1 << 20)
    spool.sent(piece)
    # Here the sender found nothing more to send, and then others wrote until the file was full.
    lines = [b"%d" % number + LINE for number in range(20)]
    for line in lines:
        spool.append(line)
    assert spool._path != piece.file
    spool._end(piece.file, piece.end)
    assert sent_all(spool) == lines
    spool.close()


def test_sending_goes_on_without_room_for_notes(tmp_path):
    """What was sent is known to the process, though it can't be noted, and its file goes."""
    spool = spool_of(tmp_path)
    for number in range(40):
        spool.append(b"%d" % number + LINE)
    for file in list(tmp_path.glob("*/*.ndjson")):
        file.with_suffix(".sent").mkdir()
    assert len(sent_all(spool)) == 40
    assert len(list(tmp_path.glob("*/*.ndjson"))) == 1
    spool.close()


def test_nothing_is_left_of_what_was_sent(tmp_path):
    """After the end of a process that has sent everything there is an empty directory."""
    spool = spool_of(tmp_path)
    spool.append(b"first")
    sent_all(spool)
    spool.close()
    spool.close()
    assert list(tmp_path.iterdir()) == []
