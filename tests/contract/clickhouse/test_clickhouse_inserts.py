"""Rows that go to ClickHouse: every format and encoding, and what is cut short.

Next: deploy.clickhouse_body
"""

import time
from datetime import UTC, date, datetime
from decimal import Decimal

import httpx
import pyarrow as pa
import pytest
from clickhouse_connect.driver.exceptions import ClickHouseError

from tests.support.clickhouse_client import (
    address_of,
    auth_of,
    begun,
    compressed,
    connected,
    count,
    posted,
    sample,
)


class TestInserting:
    """Rows in every format and encoding that we send."""

    def test_types_survive(self, client, table):
        """Decimal, DateTime64, LowCardinality and UInt128 come back exact, native and Arrow."""
        client.insert_arrow(table, sample(1, at=2**60))
        at = datetime(2026, 1, 3, 1, 2, 3, 4000, UTC)
        row = ["sample", "é", date(2026, 1, 3), at, "call", Decimal("99999999999999.9999"), 7]
        names = ["tenant", "id", "day", "at", "kind", "tokens", "position"]
        client.insert(table, [row], column_names=names)
        read = f"SELECT * REPLACE (toString(at) AS at), first FROM {table} ORDER BY position"
        rows = client.query(read).result_rows
        row[3] = "2026-01-03 01:02:03.004"
        assert rows[0] == (*row, 2**128 - 1 - 7)
        assert rows[1][3] == "2026-01-02 03:04:05.678"
        assert rows[1][5:] == (Decimal("1.2500"), 2**60, 2**128 - 1 - 2**60)
        arrow = client.query_arrow(f"SELECT at, tokens FROM {table} ORDER BY position")
        assert arrow.column("tokens").to_pylist() == [
            Decimal("99999999999999.9999"),
            Decimal("1.2500"),
        ]

    @pytest.mark.parametrize("compress", [False, "lz4", "zstd", "gzip"])
    def test_encodings(self, dsn, table, compress):
        """Bodies and answers are compressed either way, with the same rows."""
        with connected(dsn, compress=compress) as client:
            rows = [[f"event-{n}", n] for n in range(3000)]
            summary = client.insert(table, rows, column_names=["id", "position"])
            assert summary.written_rows == 3000
            answer = client.query(f"SELECT id, position FROM {table} ORDER BY position")
            assert [list(row) for row in answer.result_rows] == rows
        with httpx.stream(
            "POST",
            address_of(dsn) + "/?enable_http_compression=1",
            content="SELECT 1",
            auth=auth_of(dsn),
            headers={"Accept-Encoding": compress or "identity"},
        ) as raw:
            assert raw.headers.get("Content-Encoding", False) == compress

    @pytest.mark.parametrize(
        ("data_format", "body"),
        [
            ("JSONEachRow", b'{"id":"a","position":1}\n{"id":"b","position":2}\n'),
            ("CSV", b'"a",1\n"b",2\n'),
            ("TabSeparated", b"a\t1\nb\t2\n"),
            ("RowBinary", b"\x01a\x01" + bytes(7) + b"\x01b\x02" + bytes(7)),
        ],
    )
    def test_formats(self, client, table, data_format, body):
        """Text and binary rows, with the statement in the body and in the URL."""
        client.raw_insert(table, ["id", "position"], body, fmt=data_format)
        client.raw_insert(table, ["id", "position"], iter([body[:3], body[3:]]), fmt=data_format)
        rows = client.query(f"SELECT id, position FROM {table} ORDER BY id, position").result_rows
        assert rows == [("a", 1), ("a", 1), ("b", 2), ("b", 2)]

    def test_other_ways_to_insert(self, client, table):
        """VALUES, VALUES with parameters, and SELECT."""
        columns = f"INSERT INTO {table} (id, position)"
        client.command(f"{columns} VALUES ('a FORMAT CSV', 1), ('b', 2)")
        client.command(columns + " VALUES ({i:String}, {p:UInt64})", parameters={"i": "c", "p": 3})
        summary = client.command(f"{columns} SELECT toString(number), number FROM numbers(4)")
        assert summary.written_rows == 4
        assert count(client, table) == 7

    def test_a_streamed_insert(self, client, table):
        """A body without a length, larger than what is held in memory."""
        pad = "x" * 1000
        lines = [f'{{"id":"{pad}{n}","position":{n}}}\n'.encode() for n in range(20_000)]
        body = (b"".join(lines[n : n + 1000]) for n in range(0, 20_000, 1000))
        client.raw_insert(table, ["id", "position"], body, fmt="JSONEachRow")
        assert count(client, table) == 20_000

    def test_bad_rows_insert_nothing(self, client, table):
        """One bad row, and none of its batch is there."""
        body = b'{"id":"a","position":1}\n' * 1000 + b'{"id":"a","position":"x"}\n'
        with pytest.raises(ClickHouseError) as raised:
            client.raw_insert(table, ["id", "position"], body, fmt="JSONEachRow")
        assert raised.value.code in {26, 27, 72, 117}
        assert count(client, table) == 0

    @pytest.mark.parametrize("framing", ["Content-Length: 1000000", "Transfer-Encoding: chunked"])
    def test_a_body_cut_short_inserts_nothing(self, dsn, client, table, framing):
        """A sender that dies in mid-body leaves nothing, though every row it sent was good."""
        rows = b'{"id":"a","position":1}\n' * 1000
        body = b"%x\r\n%b\r\n" % (len(rows), rows) if "chunked" in framing else rows
        query = f"INSERT INTO usage.{table} FORMAT JSONEachRow"
        begun(dsn, {"query": query}, framing, body).close()
        time.sleep(0.3)
        assert count(client, table) == 0

    def test_a_compressed_body_cut_short_inserts_nothing(self, dsn, client, table):
        """A frame that never ends is not taken for the whole, in any encoding."""
        rows = b'{"id":"a","position":1}\n' * 100_000
        for encoding in ("gzip", "lz4", "zstd"):
            body = compressed(rows, encoding)
            answer = posted(
                dsn,
                f"/?database=usage&query=INSERT+INTO+{table}+FORMAT+JSONEachRow",
                content=body[: len(body) // 2],
                headers={"Content-Encoding": encoding},
            )
            assert answer.status_code >= 400
        assert count(client, table) == 0

    def test_no_room_is_no_success(self, client, table):
        """Rows that could not be written are never reported as written: a full disk is code 243."""
        room = "min_free_disk_bytes_to_perform_insert"
        client.command(f"ALTER TABLE {table} MODIFY SETTING {room} = {1 << 60}")
        for insert in (
            lambda: client.insert_arrow(table, sample(10)),
            lambda: client.insert(table, [["event-1", 1]], column_names=["id", "position"]),
            lambda: client.raw_insert(table, ["id", "position"], b"a\t1\n", fmt="TabSeparated"),
        ):
            with pytest.raises(ClickHouseError) as refused:
                insert()
            assert refused.value.code == 243
        client.command(f"ALTER TABLE {table} RESET SETTING {room}")
        assert count(client, table) == 0
        client.insert_arrow(table, sample(10))
        assert count(client, table) == 10


class TestTables:
    """What the tables of the project are made of."""

    def test_final_keeps_the_first_copy(self, client, table):
        """ReplacingMergeTree with FINAL: of an identity's copies, the lowest position stays."""
        for at in (50, 10, 30):
            copies = sample(1, at=at).set_column(1, "id", pa.array(["same"]))
            client.insert_arrow(table, copies)
        read = f"SELECT position FROM {table} FINAL"
        assert client.query(read).result_rows == [(10,)]
        client.command(f"OPTIMIZE TABLE {table} FINAL")
        assert client.query(f"SELECT position FROM {table}").result_rows == [(10,)]

    def test_old_rows_expire(self, client, table):
        """A TTL removes what is past it."""
        client.insert_arrow(table, sample(10))
        client.command(f"ALTER TABLE {table} MODIFY TTL day + INTERVAL 1 DAY")
        client.command(f"OPTIMIZE TABLE {table} FINAL")
        assert count(client, table) == 0

    def test_statements(self, client, table):
        """ALTER, DESCRIBE, SHOW, EXISTS, EXPLAIN, SYSTEM and TRUNCATE."""
        client.command(f"ALTER TABLE {table} ADD COLUMN extra UInt8 DEFAULT 3")
        assert ("extra", "UInt8") in [
            row[:2] for row in client.query(f"DESCRIBE TABLE {table}").result_rows
        ]
        assert table in client.command(f"SHOW CREATE TABLE {table}")
        assert client.command(f"EXISTS TABLE {table}") == 1
        assert client.command(f"EXPLAIN SELECT 1 FROM {table}")
        client.command(f"SYSTEM STOP MERGES {table}")
        client.command(f"SYSTEM START MERGES {table}")
        client.insert_arrow(table, sample(5))
        client.command(f"ALTER TABLE {table} DELETE WHERE position = 3 SETTINGS mutations_sync = 1")
        assert count(client, table) == 4
        client.command(f"TRUNCATE TABLE {table}")
        assert count(client, table) == 0
