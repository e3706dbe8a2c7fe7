"""What the rest relies on in the ClickHouse that `deploy.clickhouse` serves, and in any other.

Connecting, parameters, settings, and many clients at once. Next: deploy.clickhouse
"""

import threading
import uuid
from datetime import date

import clickhouse_connect
import httpx
import pytest
from clickhouse_connect.driver.exceptions import ClickHouseError
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.clickhouse_client import (
    SLOW,
    address_of,
    auth_of,
    connected,
    count,
    endless,
    eventually,
    posted,
    sample,
)


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
