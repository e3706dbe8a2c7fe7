"""What the worker reads back comes within its time, however long the names of what it asks for.

A list of keys above 1 MiB is no constant to ClickHouse: unless it is a subquery, the set is built
anew for each block, a minute for twenty thousand keys, and the worker asks again for ever.

Next: sinks.loads
"""

from datetime import UTC, date, datetime

import polars as pl
import pytest

from sinks.clickhouse import connect
from sinks.inserts import Inserts
from sinks.loads import Loads

# Several granules, so that there are several blocks.
MANY = 60_000
DAY = date(2026, 3, 1)
AT = datetime(2026, 3, 1, tzinfo=UTC)
TENANT = "sample-tenant-of-long-names-" * 2
EVENT = {
    "tenant": TENANT,
    "received_at": AT,
    "source": "sample-studio",
    "type": "product.launched",
    "time": AT,
    "team_id": "sample-team",
    "product_id": "sample-product",
    "access": "subscription",
    "product_version": "",
    "day": DAY,
}


@pytest.fixture
def loads(store):
    """The reads of the worker, with the time it has for them."""
    client = connect(store.dsn)
    client.command("TRUNCATE TABLE usage_events")
    client.command("TRUNCATE TABLE usage_daily")
    yield Loads(client)
    client.close()


def insert_events(store, users: list[str]) -> None:
    """An event of each of `users`, in their order."""
    numbers = range(len(users))
    frame = pl.DataFrame(
        {
            "user_id": users,
            "id": [f"sample-event-{number}" for number in numbers],
            "partition": pl.Series([0] * len(users), dtype=pl.UInt16),
            "position": pl.Series(numbers, dtype=pl.UInt64),
            "seq": pl.Series([0] * len(users), dtype=pl.UInt32),
        }
    ).with_columns(
        *(pl.lit(value).alias(name) for name, value in EVENT.items()),
        tokens=pl.lit("0").cast(pl.Decimal(18, 4)),
    )
    insert(store, "usage_events", frame)


def insert(store, table: str, frame: pl.DataFrame) -> None:
    """As the worker does."""
    client = connect(store.dsn)
    Inserts(client).insert(table, frame)
    client.close()


def test_identities_of_one_hot_user(store, loads):
    """Twenty thousand of a user-day that has too many to hold."""
    insert_events(store, ["hot"] * MANY)
    keys = [(TENANT, "hot", DAY, "sample-studio", f"sample-event-{n}") for n in range(20_000)]
    found = loads.some_identities(keys)
    assert {(row[3], row[4]) for row in found} == {
        (f"13:sample-studiosample-event-{n}", n) for n in range(20_000)
    }


def test_identities_of_many_users(store, loads):
    """Twenty thousand user-days with an event each."""
    users = [f"sample-user-{number}" for number in range(MANY)]
    insert_events(store, users)
    found = loads.identities([(TENANT, user, DAY) for user in users[:20_000]], limit=10)
    assert {(row[1], row[4]) for row in found} == {(users[n], n) for n in range(20_000)}


def test_rows_of_many_users(store, loads):
    """Twenty thousand user-days with a row each."""
    users = [f"sample-user-{number}" for number in range(MANY)]
    frame = pl.DataFrame({"user_id": users}).with_columns(
        *(
            pl.lit(EVENT[name]).alias(name)
            for name in ("tenant", "product_id", "product_version", "team_id", "access", "day")
        ),
        launches=pl.lit(1, pl.UInt64),
        tokens=pl.lit("0").cast(pl.Decimal(38, 4)),
        first_at=pl.lit(AT),
        last_at=pl.lit(AT),
        partition=pl.lit(0, pl.UInt16),
        position=pl.int_range(MANY, dtype=pl.UInt64),
        fold_version=pl.lit(1, pl.UInt16),
    )
    insert(store, "usage_daily", frame)
    found = loads.rows([(TENANT, user, DAY) for user in users[:20_000]])
    assert {(row[1], row[-1]) for row in found} == {(users[n], n) for n in range(20_000)}
