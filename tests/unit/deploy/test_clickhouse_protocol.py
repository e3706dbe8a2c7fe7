"""How the ClickHouse server of one machine reads a request, without a server.

Next: deploy.clickhouse_protocol
"""

import io

import pytest

from deploy.clickhouse_body import BrokenBody, decoded, form_fields, receive
from deploy.clickhouse_protocol import (
    Request,
    encoding_of,
    insert_of,
    statement_of,
    status_of,
    without_values,
)


@pytest.mark.parametrize(
    ("head", "sql", "data_format", "data"),
    [
        (b"INSERT INTO t FORMAT CSV\n1,2", "INSERT INTO t", "CSV", b"1,2"),
        (b"INSERT INTO t FORMAT CSV 1,2", "INSERT INTO t", "CSV", b"1,2"),
        (b"insert into `a b`.t (`x)`, y) format Native\n\x01", "insert into `a b`.t (`x)`, y)",
         "Native", b"\x01"),
        (b"INSERT INTO t SETTINGS a = 1 FORMAT RowBinary;\r\n\n", "INSERT INTO t SETTINGS a = 1",
         "RowBinary", b"\n"),
        ("INSERT INTO `é` FORMAT CSV\né".encode(), "INSERT INTO `é`", "CSV", "é".encode()),
    ],
)  # fmt: skip
def test_an_insert_is_parted_from_its_rows(head, sql, data_format, data):
    """Statement, format, and the first byte of the rows, as ClickHouse parts them."""
    insert = insert_of(head)
    assert insert is not None
    assert (insert.sql, insert.format, head[insert.data_at :]) == (sql, data_format, data)


@pytest.mark.parametrize(
    "head",
    [
        b"INSERT INTO t VALUES (' FORMAT CSV ')",
        b"INSERT INTO t (a) VALUES (1)",
        b"INSERT INTO t SELECT 1",
        b"SELECT 1 FORMAT CSV",
    ],
)
def test_other_statements_have_no_rows_after_them(head):
    """VALUES and SELECT are the engine's to read."""
    assert insert_of(head) is None


@pytest.mark.parametrize(
    ("text", "sql", "answer_format", "more", "rows"),
    [
        ("SELECT 1\n FORMAT Native", "SELECT 1", "Native", "", True),
        ("SELECT 1;", "SELECT 1", "TabSeparated", "", True),
        ("-- x\nwith 1 AS a SELECT a FORMAT JSON SETTINGS b = 1;", "-- x\nwith 1 AS a SELECT a",
         "JSON", " SETTINGS b = 1", True),
        ("SELECT ' FORMAT x'", "SELECT ' FORMAT x'", "TabSeparated", "", True),
        ("ALTER TABLE t DELETE WHERE 1", "ALTER TABLE t DELETE WHERE 1", "TabSeparated", "", False),
    ],
)  # fmt: skip
def test_a_statement_is_parted_from_its_format(text, sql, answer_format, more, rows):
    """The FORMAT clause is cut off at the end only."""
    statement = statement_of(text, default_format="TabSeparated")
    parts = (statement.sql, statement.format, statement.settings, statement.rows)
    assert parts == (sql, answer_format, more, rows)


def test_fields_are_sorted_by_what_they_are_for():
    """Parameters, settings and the protocol's own fields."""
    fields = {"param_a": "1", "max_threads": "2", "query_id": "q", "wait_end_of_query": "1"}
    request = Request.of(fields, database="usage", new_id="n")
    assert (request.params, request.settings) == ({"a": "1"}, {"max_threads": "2"})
    assert (request.query_id, request.database, request.wait) == ("q", "usage", True)


def test_statuses():
    """Known codes have ClickHouse's status, all others are 500."""
    assert [status_of(code) for code in (60, 62, 516, 159, 241, 9999)] == [
        404,
        400,
        403,
        408,
        500,
        500,
    ]


def test_encodings():
    """The first encoding that can be written; none is no error."""
    assert [encoding_of(text) for text in ("br, zstd;q=1, gzip", "", "br")] == [
        "zstd",
        "none",
        "none",
    ]


def test_a_log_line_has_no_values():
    """String literals are left out, escaped quotes in them too."""
    assert without_values(r"SELECT 'a\'b', 'c''d', x") == "SELECT '?', '?', x"


@pytest.mark.parametrize(
    "body", [b"", b"5\r\nabc", b"3\r\nabcX\r\n0\r\n\r\n", b"3\r\nabc\r\n", b"0\r\n", b"zz\r\n"]
)
def test_a_broken_chunked_body_is_refused(body):
    """Neither a missing end nor a wrong size passes."""
    with pytest.raises((BrokenBody, ValueError)):
        receive(io.BytesIO(body), None, io.BytesIO())


def test_a_whole_chunked_body_is_taken():
    """Chunks are joined, extensions and trailers are dropped."""
    into = io.BytesIO()
    receive(io.BytesIO(b"3;x=1\r\nabc\r\n2\r\nde\r\n0\r\nT: 1\r\n\r\n"), None, into)
    assert into.read() == b"abcde"


def test_an_unknown_encoding_is_refused():
    """No body is taken for plain because its encoding is unknown."""
    with pytest.raises(BrokenBody, match="br"):
        list(decoded(io.BytesIO(b"x"), "br"))


def test_a_file_in_a_form_is_refused():
    """External tables are no part of what is served."""
    form = b'--b\r\nContent-Disposition: form-data; name="t"; filename="t"\r\n\r\n1\r\n--b--\r\n'
    with pytest.raises(BrokenBody, match="external"):
        form_fields(form, "multipart/form-data; boundary=b")


def test_an_insert_of_many_columns_from_a_query():
    """It has no rows in its body, which is seen without trying every way to split the names."""
    columns = ", ".join(f"a_rather_long_column_name_{number}" for number in range(40))
    sql = f"INSERT INTO usage.sample ({columns}) SELECT 'FORMAT', * FROM usage.other"
    assert insert_of(sql.encode()) is None
