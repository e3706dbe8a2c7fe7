"""What comes back from ClickHouse: streams, documents and errors.

Next: deploy.clickhouse_answer
"""

import csv
import io

import pyarrow.parquet as pq
import pytest
from clickhouse_connect.driver.exceptions import ClickHouseError

from tests.support.clickhouse_client import (
    posted,
    sample,
)


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
