"""Retention by setting, on the real engine: each table's TTL, changed only where it differs."""

import math
from contextlib import closing

import pytest

from deploy.retention import apply
from schemas.rejects import PersonNeeded
from schemas.settings import StoreSettings
from sinks.clickhouse import connect

TABLES = ("usage_events", "usage_daily", "dead_letters")


@pytest.fixture
def client(store):
    """A client of the module's store, which keeps as long as it does by default afterwards."""
    with closing(connect(store.dsn)) as made:
        yield made
        apply(made, StoreSettings(), log_days=7)


def ttl(client, table: str) -> str:
    """The TTL as the engine writes it; empty without one."""
    engine = client.query(
        "SELECT engine_full FROM system.tables WHERE database = currentDatabase() AND name ="
        " {table:String}",
        parameters={"table": table},
    ).result_rows[0][0]
    return engine.partition(" TTL ")[2].partition(" SETTINGS")[0]


def test_the_defaults_change_nothing(client):
    """A migrated store is what the settings say: events and letters for their time, rows for ever.

    Read from the environment of the tests, in which nothing is set.
    """
    assert apply(client, StoreSettings(), log_days=7) == []
    assert [ttl(client, table) for table in TABLES] == [
        "day + toIntervalDay(408)",
        "",
        "toDate(received_at) + toIntervalDay(400)",
    ]


def test_each_table_by_its_setting_and_once(client):
    """What is set is there, the second time nothing is left to do, and back again."""
    asked = StoreSettings(
        events_retention_days=100, daily_retention_days=500, dead_letters_retention_days=30
    )
    assert apply(client, asked, log_days=7) == list(TABLES)
    assert [ttl(client, table) for table in TABLES] == [
        "day + toIntervalDay(108)",
        "day + toIntervalDay(500)",
        "toDate(received_at) + toIntervalDay(30)",
    ]
    assert apply(client, asked, log_days=7) == []
    assert apply(client, StoreSettings(), log_days=7) == list(TABLES)
    assert ttl(client, "usage_daily") == ""


@pytest.mark.parametrize(
    ("asked", "log_days"),
    [
        ({"events_retention_days": 36}, 7),
        ({"events_retention_days": 100}, math.inf),
        ({"daily_retention_days": 407}, 7),
        ({"events_retention_days": 100, "daily_retention_days": 107}, 7),
    ],
)
def test_what_would_count_wrongly_is_refused(client, asked, log_days):
    """Events forgotten before the log forgets them, rows before their events: nothing changes."""
    before = [ttl(client, table) for table in TABLES]
    with pytest.raises(PersonNeeded):
        apply(client, StoreSettings(dead_letters_retention_days=30, **asked), log_days=log_days)
    assert [ttl(client, table) for table in TABLES] == before


def test_a_ttl_of_a_person_is_left(client):
    """One that moves or compresses, and none at all: who wrote that knows why."""
    client.command(
        "ALTER TABLE usage_events MODIFY TTL day + INTERVAL 9 DAY RECOMPRESS CODEC(ZSTD(3)),"
        " day + INTERVAL 60 DAY"
    )
    client.command("ALTER TABLE dead_letters REMOVE TTL")
    asked = StoreSettings(events_retention_days=100, dead_letters_retention_days=30)
    assert apply(client, asked, log_days=7) == []
    for table, day in (("usage_events", "day"), ("dead_letters", "toDate(received_at)")):
        client.command(f"ALTER TABLE {table} MODIFY TTL {day} + INTERVAL 99 DAY")
