"""What the rest relies on in the ClickHouse that `deploy.clickhouse` serves, and in any other one.

With CLICKHOUSE_DSN set, the same promises are asked of that server (what kills or stops a server
is always asked of our own). Next: deploy.clickhouse
"""

import csv
import io
import os
import socket
import threading
import time
import uuid
from contextlib import contextmanager
from datetime import UTC, date, datetime
from decimal import Decimal
from urllib.parse import unquote, urlencode, urlsplit

import clickhouse_connect
import httpx
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from clickhouse_connect.driver.exceptions import ClickHouseError
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.clickhouse_process import ClickHouseProcess

EVENTS = """CREATE TABLE {table} (
    tenant String, id String, day Date, at DateTime64(3, 'UTC'), kind LowCardinality(String),
    tokens Decimal(18, 4), position UInt64, first UInt128 MATERIALIZED bitNot(toUInt128(position))
) ENGINE = ReplacingMergeTree(first) ORDER BY (tenant, day, id) PARTITION BY toYYYYMM(day)"""
SLOW = "SELECT count() FROM numbers(1000000000000) WHERE sipHash64(number) = 1"


@pytest.fixture(scope="module")
def dsn(tmp_path_factory):
    """The server under test: the one of CLICKHOUSE_DSN, or our own on a free port."""
    given_dsn = os.environ.get("CLICKHOUSE_DSN")
    if given_dsn:
        yield given_dsn
        return
    server = ClickHouseProcess(tmp_path_factory.mktemp("clickhouse")).start()
    yield server.dsn
    assert server.stop() == 0


def connected(dsn: str, **options):
    """A client as the project makes them."""
    return clickhouse_connect.get_client(dsn=dsn, autogenerate_session_id=False, **options)


@pytest.fixture
def client(dsn):
    """A client that puts parameters into a form, as those of the project do."""
    with connected(dsn, form_encode_query_params=True) as client:
        yield client


@pytest.fixture
def table(client):
    """A table of sample events, gone after the test."""
    name = f"sample_{uuid.uuid4().hex}"
    client.command(EVENTS.format(table=name))
    yield name
    client.command(f"DROP TABLE {name}")


@pytest.fixture
def own(tmp_path):
    """A server of our own that a test may kill."""
    server = ClickHouseProcess(tmp_path / "clickhouse").start()
    yield server
    server.kill()


def sample(count: int, *, at: int = 0) -> pa.Table:
    """Sample events, every one with an identity of its own."""
    numbers = range(at, at + count)
    return pa.table(
        {
            "tenant": pa.array(["sample"] * count),
            "id": pa.array([f"event-{number}" for number in numbers]),
            "day": pa.array([date(2026, 1, 2)] * count),
            "at": pa.array([datetime(2026, 1, 2, 3, 4, 5, 678000, UTC)] * count).cast(
                pa.timestamp("ms", "UTC")
            ),
            "kind": pa.array(["launch"] * count),
            "tokens": pa.array([Decimal("1.2500")] * count, pa.decimal128(18, 4)),
            "position": pa.array(numbers, pa.uint64()),
        }
    )


def count(client, table: str) -> int:
    """The rows of a table."""
    return client.query(f"SELECT count() FROM {table}").result_rows[0][0]


def auth_of(dsn: str) -> tuple[str, str]:
    """The user and password of a DSN."""
    url = urlsplit(dsn)
    return unquote(url.username or "default"), unquote(url.password or "")


def address_of(dsn: str) -> str:
    """The address that a DSN names."""
    url = urlsplit(dsn)
    return f"http://{url.hostname}:{url.port}"


def posted(dsn: str, path: str = "/", **request) -> httpx.Response:
    """A request beside clickhouse-connect."""
    return httpx.post(address_of(dsn) + path, auth=auth_of(dsn), timeout=60, **request)


def begun(dsn: str, fields: dict[str, str], headers: str, body: bytes) -> socket.socket:
    """A POST sent by hand, on a connection that a test may break off."""
    url = urlsplit(dsn)
    user, password = auth_of(dsn)
    path = "/?" + urlencode({"user": user, "password": password, **fields})
    connection = socket.create_connection((url.hostname, url.port))
    head = f"POST {path} HTTP/1.1\r\nHost: sample\r\n{headers}\r\n\r\n"
    connection.sendall(head.encode() + body)
    return connection


class TestConnecting:
    """The handshake, users and databases."""

    def test_a_client_learns_version_zone_and_settings(self, client):
        """The DSN's database is used, and what a client asks for at its start is answered."""
        assert client.server_version[:2].isdigit()
        assert str(client.server_tz) == "UTC"
        assert client.server_settings["max_execution_time"].readonly == 0
        assert client.query("SELECT currentDatabase()").result_rows == [("usage",)]

    def test_ping(self, dsn, client):
        """A health check needs no user."""
        assert client.ping()
        assert httpx.get(address_of(dsn) + "/ping").text == "Ok.\n"

    def test_a_wrong_password_is_refused(self, dsn):
        """403 and code 516, and nothing is run."""
        answer = httpx.post(address_of(dsn), content="SELECT 1", auth=("default", "wrong"))
        assert answer.status_code == 403
        assert answer.headers["X-ClickHouse-Exception-Code"] == "516"

    def test_an_unknown_database_is_refused(self, dsn):
        """404 and code 81."""
        answer = posted(dsn, "/?database=nowhere", content="SELECT 1")
        assert answer.status_code == 404
        assert answer.headers["X-ClickHouse-Exception-Code"] == "81"

    def test_a_get_cannot_write(self, dsn, table):
        """A GET is read-only, as ClickHouse has it."""
        params = {"query": f"TRUNCATE TABLE {table}", "database": "usage"}
        answer = httpx.get(address_of(dsn), params=params, auth=auth_of(dsn))
        assert answer.headers["X-ClickHouse-Exception-Code"] == "164"


class TestParameters:
    """Typed parameters on the server's side, and settings."""

    def test_every_type_we_use(self, client):
        """Values come back as they went."""
        values = {
            "s": 'it\'s \\ a \t \n "tab" é ✓',
            "d": date(2026, 2, 28),
            "n": 2**63,
            "a": ["x", "y'"],
            "t": [("a", "b'\\", date(2026, 1, 2))],
            "o": None,
        }
        sql = """SELECT {s:String}, {d:Date}, {n:UInt64}, {a:Array(String)},
            {t:Array(Tuple(String, String, Date))}, {o:Nullable(String)}"""
        assert client.query(sql, parameters=values).result_rows == [tuple(values.values())]

    @settings(max_examples=50, deadline=None)
    @given(text=st.text(st.characters(exclude_categories=["Cs"])))
    def test_any_text(self, dsn, text):
        """Any string survives, in the URL and in a form, alone and within an array."""
        sql = "SELECT {s:String}, {a:Array(String)}"
        for form in (False, True):
            with connected(dsn, form_encode_query_params=form, compress=False) as client:
                answer = client.query(sql, parameters={"s": text, "a": [text]})
            assert answer.result_rows == [(text, [text])]

    def test_the_text_of_a_query_is_kept(self, client):
        """Line ends and quotes within a statement are its own, in a form too."""
        sql = "SELECT 'a\r\nb\rc\n--x', {n:UInt8} -- FORMAT CSV"
        assert client.query(sql, parameters={"n": 1}).result_rows == [("a\r\nb\rc\n--x", 1)]

    def test_fifty_thousand_tuples(self, client):
        """The load of a large batch's user-days is one parameter of 5 MB."""
        keys = [(f"tenant-{n}", f"{n:064x}", date(2026, 1, 2)) for n in range(50_000)]
        sql = "SELECT length({keys:Array(Tuple(String, String, Date))} AS k), k[50000].2"
        answer = client.query(sql, parameters={"keys": keys})
        assert answer.result_rows == [(50_000, f"{49_999:064x}")]

    def test_settings_are_those_of_one_query(self, client):
        """A setting in the URL holds for its query, and for no later one."""
        ask = "SELECT getSetting('max_block_size')"
        usual = client.query(ask).result_rows
        assert client.query(ask, settings={"max_block_size": 1234}).result_rows == [(1234,)]
        assert client.query(ask).result_rows == usual

    def test_the_settings_we_use_are_known(self, client):
        """None of those that the project sends is refused."""
        used = {
            "max_execution_time": 5,
            "max_memory_usage": 1_000_000_000,
            "do_not_merge_across_partitions_select_final": 1,
            "async_insert": 0,
            "insert_quorum": "auto",
            "insert_quorum_parallel": 0,
            "insert_deduplicate": 0,
            "select_sequential_consistency": 1,
            "distributed_foreground_insert": 1,
            "wait_end_of_query": 1,
            "max_result_rows": 10,
        }
        assert client.query("SELECT 1", settings=used).result_rows == [(1,)]

    def test_an_unknown_setting_is_refused(self, client):
        """404 in HTTP, and code 115."""
        with pytest.raises(ClickHouseError) as raised:
            client.query("SELECT 1", settings={"no_such_setting": 1})
        assert raised.value.code == 115

    def test_the_time_limit_holds(self, client):
        """A query that takes too long ends with code 159."""
        with pytest.raises(ClickHouseError) as raised:
            client.query(SLOW, settings={"max_execution_time": 0.3})
        assert raised.value.code == 159

    def test_the_memory_limit_holds(self, client):
        """A query that takes too much memory ends with code 241."""
        sql = "SELECT length(groupArray(number)) FROM numbers(100000000)"
        with pytest.raises(ClickHouseError) as raised:
            client.query(sql, settings={"max_memory_usage": 10_000_000})
        assert raised.value.code == 241

    def test_readonly_holds(self, client, table):
        """A read-only query cannot write."""
        with pytest.raises(ClickHouseError) as raised:
            client.command(f"TRUNCATE TABLE {table}", settings={"readonly": 1})
        assert raised.value.code == 164

    def test_the_query_id_comes_back(self, client):
        """The id that a client chose stands in the answer."""
        answer = client.query("SELECT 1", settings={"query_id": (chosen := str(uuid.uuid4()))})
        assert answer.summary["query_id"] == chosen

    def test_a_session_id_is_accepted(self, dsn):
        """A client with a session works."""
        with clickhouse_connect.get_client(dsn=dsn, session_id=str(uuid.uuid4())) as client:
            assert client.query("SELECT 1").result_rows == [(1,)]


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


def compressed(data: bytes, encoding: str) -> bytes:
    """One frame of an encoding."""
    import gzip  # noqa: PLC0415

    import lz4.frame  # noqa: PLC0415
    import zstandard  # noqa: PLC0415

    if encoding == "gzip":
        return gzip.compress(data)
    if encoding == "lz4":
        return lz4.frame.compress(data)
    return zstandard.ZstdCompressor().compress(data)


class TestAnswers:
    """Streamed results, and what fails."""

    def test_streams(self, client):
        """Blocks, Arrow batches and raw bytes, each of a million rows."""
        sql = "SELECT number, toString(number) AS s FROM numbers(1000000)"
        with client.query_row_block_stream(sql) as blocks:
            assert sum(len(block) for block in blocks) == 1_000_000
        with client.query_arrow_stream(sql) as batches:
            assert sum(batch.num_rows for batch in batches) == 1_000_000
        raw = client.raw_stream(sql, fmt="CSV").read()
        assert raw.count(b"\n") == 1_000_000

    def test_whole_documents(self, client):
        """Formats with a head or a tail are one document, however many blocks there are."""
        sql = "SELECT number FROM numbers(300000)"
        names = client.raw_query(sql, fmt="CSVWithNames").decode()
        assert len(list(csv.DictReader(io.StringIO(names)))) == 300_000
        parquet = pq.read_table(io.BytesIO(client.raw_query(sql, fmt="Parquet")))
        assert parquet.num_rows == 300_000
        assert client.raw_query("SELECT 1 AS x", fmt="JSONEachRow") == b'{"x":1}\n'
        assert client.raw_query("SELECT 'a', 1", fmt="TabSeparated") == b"a\t1\n"

    def test_no_rows(self, client):
        """An answer without rows is an answer, with its columns when asked for."""
        assert client.query("SELECT 1 AS x WHERE 0").result_rows == []
        assert client.query("SELECT 1 AS x LIMIT 0").column_names == ("x",)

    def test_the_summary(self, client, table):
        """What was read and written stands in the headers."""
        assert client.insert_arrow(table, sample(100)).written_rows == 100
        answer = client.query(f"SELECT id FROM {table}")
        assert int(answer.summary["read_rows"]) == 100

    @pytest.mark.parametrize(
        ("sql", "failure"),
        [
            ("SELECT * FROM nowhere", (60, "UNKNOWN_TABLE", 404)),
            ("SELECT 1 +", (62, "SYNTAX_ERROR", 400)),
            ("SELECT no_such_function(1)", (46, "UNKNOWN_FUNCTION", 404)),
            ("SELECT throwIf(1)", (395, "FUNCTION_THROW_IF_VALUE_IS_NON_ZERO", 500)),
            ("SELECT {missing:String}", (456, "UNKNOWN_QUERY_PARAMETER", 500)),
            ("INSERT INTO nowhere FORMAT CSV\n1\n", (60, "UNKNOWN_TABLE", 404)),
        ],
    )
    def test_errors(self, dsn, client, sql, failure):
        """Code, name and HTTP status are those of ClickHouse, and the connection lives on."""
        code, name, status = failure
        answer = posted(dsn, content=sql)
        assert answer.headers["X-ClickHouse-Exception-Code"] == str(code)
        assert (answer.status_code, f"({name})" in answer.text) == (status, True)
        assert answer.text.startswith(f"Code: {code}. DB::Exception: ")
        with pytest.raises(ClickHouseError) as raised:
            client.command(sql)
        assert (raised.value.code, raised.value.name) == (code, name)
        assert client.query("SELECT 1").result_rows == [(1,)]

    def test_an_error_in_mid_stream(self, client):
        """Rows went out before the error: every kind of stream raises, none ends quietly."""
        sql = "SELECT number, throwIf(number > 2500000) FROM numbers(3000000)"
        no_spool = {"wait_end_of_query": 0}
        with (
            pytest.raises(Exception, match=r"(?i)fail|broken|premature|395|closed"),
            client.query_row_block_stream(sql, settings=no_spool) as blocks,
        ):
            list(blocks)
        raw = client.raw_stream(sql, fmt="CSV", settings=no_spool)
        with pytest.raises(Exception, match=r"(?i)broken|premature|incomplete"):
            raw.read()

    @pytest.mark.parametrize("good_rows", [100_000, 150_000, 400_000, 2_000_000])
    def test_a_part_is_never_taken_for_the_whole(self, client, good_rows):
        """Wherever the error falls, an Arrow stream (which ends itself) does not just end."""
        sql = f"SELECT number, throwIf(number > {good_rows}) FROM numbers(3000000)"
        with (
            pytest.raises(Exception, match=r"(?i)broken|premature|395|expected"),
            client.query_arrow_stream(sql, settings={"wait_end_of_query": 0}) as batches,
        ):
            list(batches)

    def test_the_whole_answer_is_awaited_when_asked(self, client):
        """With wait_end_of_query an error after many rows is a clean one."""
        with pytest.raises(ClickHouseError) as raised:
            client.query("SELECT number, throwIf(number > 900000) FROM numbers(1000000)")
        assert raised.value.code == 395


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


class TestTogether:
    """Many clients at once."""

    def test_an_insert_does_not_wait_for_a_query(self, dsn, client, table):
        """While a query runs that would never end, a batch is inserted and read."""
        with endless(dsn, client) as running:
            client.insert_arrow(table, sample(100_000))
            assert count(client, table) == 100_000
            assert running() == 1

    def test_sixteen_clients(self, dsn, table):
        """Each gets its own answers, and every row is there."""
        right: list[int] = []

        def work(number: int):
            with connected(dsn) as client:
                for at in range(20):
                    client.insert_arrow(table, sample(10, at=number * 1000 + at * 10))
                    echo = client.query("SELECT {n:UInt64}", parameters={"n": number})
                    right.append(echo.result_rows[0][0] == number)

        threads = [threading.Thread(target=work, args=(number,)) for number in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert right == [True] * 320
        with connected(dsn) as client:
            assert count(client, table) == 3200

    def test_a_client_that_goes_away(self, dsn, client):
        """Its query is stopped, and nobody else notices."""
        with endless(dsn, client) as running:
            pass
        assert eventually(lambda: running() == 0)


@contextmanager
def endless(dsn: str, client):
    """A query under way that never ends, until its client goes; counts it among those running."""
    mark = uuid.uuid4().hex
    query = f"{SLOW} AND '{mark}' != ''".encode()
    seen = f"SELECT count() FROM system.processes WHERE query LIKE '%AND ''{mark}%'"
    fields = {"cancel_http_readonly_queries_on_client_close": "1"}
    with begun(dsn, fields, f"Content-Length: {len(query)}", query):
        assert eventually(lambda: client.query(seen).result_rows == [(1,)])
        yield lambda: client.query(seen).result_rows[0][0]


def eventually(holds) -> bool:
    """Whether something becomes true within a minute."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if holds():
            return True
        time.sleep(0.05)
    return False


class TestLife:
    """Starting, stopping and dying; asked of our own server."""

    def test_kill_while_inserting(self, own):
        """After kill -9 every acknowledged batch is there, and each batch is there whole or not."""
        with connected(own.dsn) as client:
            client.command(EVENTS.format(table="events"))
        acknowledged: list[int] = []
        for turn in range(3):
            inserting = threading.Thread(
                target=insert_until_failure, args=(own, turn, acknowledged)
            )
            inserting.start()
            before = len(acknowledged)
            assert eventually(lambda before=before: len(acknowledged) > before + 20)
            own.kill()
            inserting.join()
            own.start()
        with connected(own.dsn) as client:
            rows = client.query(
                "SELECT intDiv(position, 1000) AS batch, count() FROM events GROUP BY batch"
            ).result_rows
        assert {batch for batch, _ in rows} >= set(acknowledged)
        assert {size for _, size in rows} == {1000}

    def test_sigterm_stops_it(self, own):
        """With a query under way and a client that takes no answer it still stops, status 0."""
        query = b"SELECT number FROM numbers(1000000000000) FORMAT CSV"
        with begun(own.dsn, {}, f"Content-Length: {len(query)}", query):
            with connected(own.dsn) as client:
                running = "SELECT count() FROM system.processes WHERE query LIKE '%FORMAT CSV%'"
                assert eventually(lambda: client.query(running).result_rows[0][0] >= 1)
            assert own.stop() == 0

    def test_a_data_directory_has_one_server(self, own):
        """A second server on the same directory refuses to start; the first one lives on."""
        second = ClickHouseProcess(own.data_dir)
        with pytest.raises(RuntimeError, match="AlreadyServed"):
            second.start()
        with connected(own.dsn) as client:
            assert client.query("SELECT 1").result_rows == [(1,)]

    def test_a_taken_port_is_refused(self, own, tmp_path):
        """It fails loudly where its port is taken."""
        second = ClickHouseProcess(tmp_path / "second", port=own.port)
        with pytest.raises(RuntimeError, match="Address already in use"):
            second.start()

    def test_its_query_log_has_no_values(self, own):
        """Each statement has a line with its code and time, without what it was asked about."""
        with connected(own.dsn) as client:
            client.query("SELECT {u:String}, 'secret-2'", parameters={"u": "secret-1"})
            client.command("CREATE TABLE sample (a String) ENGINE = Memory COMMENT 'secret-3'")
        log = (own.data_dir / "query_log.jsonl").read_text()
        assert '"query":"SELECT {u:String}, \'?\'"' in log
        assert "secret" not in log

    def test_memory_is_bounded(self, own):
        """A large answer that is taken slowly is not held in memory."""
        import psutil  # noqa: PLC0415

        with connected(own.dsn, compress=False) as client:
            raw = client.raw_stream("SELECT number FROM numbers(100000000)", fmt="CSV")
            raw.read(1000)
            time.sleep(1)
            held = psutil.Process(own.process.pid).memory_info().rss
            raw.close()
        assert held < 1024**3


def insert_until_failure(server: ClickHouseProcess, turn: int, acknowledged: list[int]) -> None:
    """Insert batches of 1,000 one by one, and note each that was acknowledged."""
    with connected(server.dsn, query_retries=0) as client:
        batch = turn * 1_000_000
        while True:
            batch += 1
            try:
                client.insert_arrow("events", sample(1000, at=batch * 1000))
            except Exception:  # noqa: BLE001 - whatever a killed server looks like from here
                return
            acknowledged.append(batch)
