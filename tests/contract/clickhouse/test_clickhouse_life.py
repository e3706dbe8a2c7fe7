"""Starting, stopping and killing the ClickHouse server of one machine.

Next: deploy.clickhouse
"""

import threading
import time

import psutil
import pytest

from tests.support.clickhouse_client import EVENTS, begun, connected, eventually, sample
from tests.support.clickhouse_process import ClickHouseProcess


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
