"""The query service, told to end, ends as if nothing were wrong."""

from tests.support.query_process import QueryProcess


def test_told_to_end_it_ends_with_status_0(clickhouse_dsn, store_client, tmp_path):
    """Like every process of ours; 143 would look like a crash to whoever counts those."""
    process = QueryProcess(clickhouse_dsn, tmp_path).start()
    process.stop()
    assert process.process.returncode == 0
    assert "Finished server process" in process.log.read_text()
