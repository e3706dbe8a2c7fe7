"""Many rows of usage at once, made by ClickHouse itself, and how it leaves them after some hours.

Next: tests.contract.exports.test_broken_exports
"""

import time

from clickhouse_connect.driver.client import Client

_MERGES_SECONDS = 1200.0
_INSERT = """
INSERT INTO usage_daily
SELECT
    {tenant:String}, concat('user-', toString(number)), concat('product-', toString(number % 50)),
    '2026', concat('team-', toString(number % 20)), if(number % 3 = 0, 'flex', 'subscription'),
    toDate('2026-05-31') - number % 60,
    1 + number % 9, if(number % 3 = 0, toDecimal64(number % 1000, 4) / 8, 0),
    toDateTime64('2026-05-31 08:00:00.000', 3, 'UTC') - INTERVAL number % 60 DAY,
    toDateTime64('2026-05-31 09:00:00.123', 3, 'UTC') - INTERVAL number % 60 DAY,
    0, 1 + number, 1
FROM numbers({rows:UInt64})
"""
_MONTHS = """
SELECT DISTINCT partition FROM system.parts
WHERE active AND database = currentDatabase() AND table = 'usage_daily'
    AND partition < toString(toYYYYMM(today()))
"""


def insert_many(client: Client, tenant: str, rows: int) -> None:
    """So many users with a row each, over 60 days."""
    client.command(_INSERT, parameters={"tenant": tenant, "rows": rows})


def settle(client: Client) -> None:
    """Merge as the tables' settings have it done in time: all but the month that is written to."""
    months = client.query(_MONTHS).result_rows
    for (month,) in months:
        client.command(f"OPTIMIZE TABLE usage_daily PARTITION {month} FINAL")
    for table in ("users", "team_members", "seat_changes"):
        client.command(f"OPTIMIZE TABLE {table} FINAL")


def wait_for_merges(client: Client) -> None:
    """Until what was inserted is merged as it stays; else a question is measured beside it."""
    deadline = time.monotonic() + _MERGES_SECONDS
    while client.command("SELECT count() FROM system.merges"):
        if time.monotonic() > deadline:
            raise RuntimeError("merges do not end")
        time.sleep(0.5)
