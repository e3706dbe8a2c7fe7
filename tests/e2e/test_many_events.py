"""A big load through every part, against an independent count: DuckDB over the generator's file."""

import time
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from sinks.clickhouse import connect

TENANT = "sample-count"
EVENTS = 200_000
QUIET_SECONDS = 240

COUNT = """
WITH events AS (
    SELECT DISTINCT ON (subject, time::DATE, source, id) *
    FROM read_json($file, format = 'newline_delimited', columns = {
        id: 'VARCHAR', source: 'VARCHAR', type: 'VARCHAR', subject: 'VARCHAR', time: 'TIMESTAMP',
        data: 'STRUCT(team_id VARCHAR, product_id VARCHAR, product_version VARCHAR,
                      access VARCHAR, tokens DECIMAL(18, 4))'
    })
)
SELECT
    subject, data.product_id, data.product_version, data.team_id,
    coalesce(data.access, if(type = 'tokens.consumed', 'flex', 'subscription')) AS paid_by,
    time::DATE::VARCHAR AS day,
    count(*) FILTER (type = 'product.launched'),
    coalesce(sum(data.tokens), 0)
FROM events
GROUP BY ALL
"""

ROWS = """
SELECT user_id, product_id, product_version, team_id, access, toString(day), launches, tokens
FROM usage_daily FINAL
WHERE tenant = {tenant:String}
"""


def by_key(rows) -> dict[tuple, tuple[int, Decimal]]:
    """Rows by their key, with launches and tokens."""
    return {tuple(row[:6]): (int(row[6]), Decimal(row[7])) for row in rows}


@pytest.mark.timeout(900)
def test_the_rows_equal_an_independent_count(up, tmp_path):
    """200,000 events with duplicates and late ones: each row is what DuckDB counts in the file."""
    file: Path = tmp_path / "load.ndjson"
    shares = ("--duplicates", "10%", "--late", "5%", "--seed", 4)
    made = up.ask("generate", file, "--events", EVENTS, "--users", 2_000, *shares)
    assert made["distinct"] == EVENTS * 9 // 10
    key = up.new_key(TENANT, "ingest", "admin")

    sent = up.ask("send", file, key=key)
    assert (sent["accepted"], sent["rejected"]) == (EVENTS, 0)

    deadline = time.monotonic() + QUIET_SECONDS
    while up.ask("lag")["lag_records"]:
        assert time.monotonic() < deadline, "the worker never came to an end"
        time.sleep(0.5)
    counted = by_key(duckdb.execute(COUNT, {"file": str(file)}).fetchall())
    client = connect(up.ready["clickhouse_url"])
    assert by_key(client.query(ROWS, parameters={"tenant": TENANT}).result_rows) == counted

    [day] = up.ask("ledger", key=key)["days"][-1:]
    assert (day["stored"], day["duplicate"], day["difference"]) == (
        made["distinct"],
        EVENTS - made["distinct"],
        0,
    )
    assert up.ask("verify", key=key)["differences"] == 0
    totals = up.ask("report", key=key)["totals"]
    launches = sum(launches for launches, _ in counted.values())
    tokens = sum(tokens for _, tokens in counted.values())
    assert (totals["launches"], Decimal(totals["tokens_used"])) == (launches, tokens)
