"""What `send` reads: NDJSON as it is, CSV as CloudEvents, both with line numbers."""

import json

import pytest

from deploy.batches import UnreadableFile, batches, lines_of, read_csv, read_ndjson

HEADER = "time,type,user_id,team_id,product_id,tokens\n"
ROW = "2026-03-01T10:00:00Z,tokens.consumed,sample-user-1,sample-team-1,sample-product-cad,1.5\n"


def events(*rows: str) -> list[dict]:
    """The events of a CSV file with these lines."""
    return [json.loads(line.text) for line in read_csv(iter(rows), "sample.csv")]


def test_ndjson_lines_keep_their_numbers():
    """Empty lines are no events, but count as lines; text is left as it is, bad lines too."""
    found = list(read_ndjson([b'{"id":"a"}\n', b"\n", b"not json\r\n"]))
    assert [(line.number, line.text) for line in found] == [(1, b'{"id":"a"}'), (3, b"not json")]


def test_a_csv_row_becomes_a_cloudevent():
    """Columns become attributes or data; empty cells are absent."""
    [event] = events(HEADER.replace("tokens", "tokens,feature_id"), ROW.replace("1.5", "1.5,"))
    assert event["subject"] == "sample-user-1"
    assert event["source"] == "csv/sample.csv"
    assert event["data"] == {
        "team_id": "sample-team-1",
        "product_id": "sample-product-cad",
        "tokens": "1.5",
    }


def test_csv_ids_are_the_same_each_time_and_differ_by_row():
    """The same file gives the same ids; two equal rows are two events."""
    first, second = events(HEADER, ROW, ROW)
    assert first["id"] != second["id"]
    assert [first, second] == events(HEADER, ROW, ROW)


@pytest.mark.parametrize("header", ["time,type\n", HEADER.replace("tokens", "tokenz")])
def test_a_wrong_header_is_refused(header):
    """A missing or unknown column stops before anything is sent, and names the columns."""
    with pytest.raises(UnreadableFile, match="columns: id, source"):
        events(header, ROW)


def test_a_wrong_header_is_told_in_words():
    """What is missing and what is unknown, each only if there is any."""
    with pytest.raises(UnreadableFile, match="the header has unknown team, x; columns: id, "):
        events(HEADER.replace("tokens", "team,x"))
    with pytest.raises(UnreadableFile, match="the header lacks time and has unknown when; "):
        events(HEADER.replace("time", "when"))


def test_files_are_told_by_their_name_and_can_be_entered_late(tmp_path):
    """.csv is CSV, anything else NDJSON; `after` leaves out what is sent already."""
    table = tmp_path / "sample.csv"
    table.write_text(HEADER + ROW * 3)
    assert [line.number for line in lines_of(table, after=2)] == [3, 4]
    plain = tmp_path / "sample.ndjson"
    plain.write_text('{"id":"a"}\n' * 5)
    assert [line.number for line in lines_of(plain, after=3)] == [4, 5]


def test_batches_cover_every_line_in_order(tmp_path):
    """Batches have the asked size, but for the last one."""
    plain = tmp_path / "sample.ndjson"
    plain.write_text('{"id":"a"}\n' * 25)
    cut = list(batches(lines_of(plain), 10))
    assert [len(batch) for batch in cut] == [10, 10, 5]
    assert [line.number for batch in cut for line in batch] == list(range(1, 26))
