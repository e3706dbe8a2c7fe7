"""The clustered form of every migration: what it must hold, and that a guess is never made."""

import re

import chdb
import pytest

from sinks.clickhouse import statement
from sinks.cluster import SHARDED, UnknownForm, clustered
from sinks.migrate import migrations
from tests.support.sources import sources

STATEMENTS = [
    statement("sinks.sql", "create_schema_migrations"),
    statement("sinks.sql", "drop_rows"),
    *(sql for migration in migrations() for sql in migration.statements),
]
BOTH = ["MODIFY COLUMN tokens Decimal(38, 4)", "ADD COLUMN IF NOT EXISTS note String"]
_ALTERS = re.compile(r"^ALTER TABLE ", re.MULTILINE)
LATER = [
    path
    for path in sources("sinks")
    if path.parent.name == "sql" and _ALTERS.search(path.read_text(encoding="utf-8"))
    if path.stem != "settle_drop"  # months are settled on one node alone
]


def on_main(sql):
    """The clustered form on a cluster of that name."""
    return clustered(sql, cluster="main", database="usage")


def creating():
    """(table, its plain statement, its clustered ones)."""
    found = [(re.search(r"CREATE TABLE IF NOT EXISTS (\w+)", sql), sql) for sql in STATEMENTS]
    return [(match[1], sql, on_main(sql)) for match, sql in found if match]


@pytest.mark.parametrize("sql", STATEMENTS, ids=lambda sql: " ".join(sql.split())[:60])
def test_the_engine_parses_what_is_made_of_every_statement(sql):
    """Each clustered statement is one that ClickHouse's own parser takes."""
    for text in on_main(sql):
        # The parameter of the one statement that has one.
        made = re.sub(r"\{keys:[^}]+\}", "[('a', 'b')]", text)
        parsed = chdb.query(f"EXPLAIN AST {made}", "TabSeparated").bytes().decode()
        assert parsed.startswith(("CreateQuery", "AlterQuery"))


def test_every_table_is_replicated_on_every_host_without_deduplication():
    """No table keeps its rows on one server, and no block is dropped for having been there."""
    assert len(creating()) >= 22
    for table, _, made in creating():
        assert " ON CLUSTER main\n" in made[0], table
        assert re.search(r"ENGINE = Replicated\w+MergeTree\('/clickhouse/", made[0]), table
        assert made[0].endswith("SETTINGS replicated_deduplication_window = 0"), table


def test_a_table_keeps_its_columns_version_key_partitions_and_ttl():
    """But for the engine's replication, the clustered table is the plain one."""
    for table, plain, made in creating():
        clean = re.sub(r"--[^\n]*", "", plain).strip()
        back = made[0].replace(f"{table}_local ON CLUSTER main", table)
        back = back.replace(f"{table} ON CLUSTER main", table)
        back = re.sub(r"Replicated(\w+)\('[^']+', '[^']+', (\w+)\)", r"\1(\2)", back)
        back = re.sub(r"Replicated(\w+)\('[^']+', '[^']+'\)", r"\1", back)
        back = back.removesuffix("SETTINGS replicated_deduplication_window = 0")
        assert " ".join(back.split()) == " ".join(clean.split())


def test_only_events_and_daily_rows_are_sharded_and_by_the_user():
    """Every version of a row is on one shard; every other table is whole on every node."""
    for table, _, made in creating():
        if table in SHARDED:
            lower, over = made
            assert f"{table}_local ON CLUSTER" in lower
            assert "'/clickhouse/tables/{shard}/{database}/{table}', '{replica}'" in lower
            key = "cityHash64(tenant, user_id)"
            assert over.endswith(f"Distributed('main', 'usage', '{table}_local', {key})")
            assert re.search(r"ORDER BY \(tenant, user_id, ", lower)
        else:
            (only,) = made
            assert "'/clickhouse/tables/all/{database}/{table}', '{shard}-{replica}'" in only


@pytest.mark.parametrize("change", BOTH)
def test_a_column_of_a_sharded_table_is_changed_below_and_then_above(change):
    """The table that is read never has a column that a shard lacks."""
    lower, over = on_main(f"ALTER TABLE usage_daily {change}")
    assert lower == f"ALTER TABLE usage_daily_local ON CLUSTER main {change}"
    assert over == f"ALTER TABLE usage_daily ON CLUSTER main {change}"


@pytest.mark.parametrize(
    "change",
    [
        "MODIFY TTL day + INTERVAL 9 DAY",
        "MODIFY SETTING a = 1, b = 2",
        "ADD INDEX IF NOT EXISTS i id TYPE minmax GRANULARITY 1",
        "DELETE WHERE day = '2026-01-01'",
    ],
)
def test_what_a_distributed_table_does_not_have_is_changed_below_alone(change):
    """Parts, their settings, indexes and rows."""
    (lower,) = on_main(f"ALTER TABLE usage_daily {change}")
    assert lower == f"ALTER TABLE usage_daily_local ON CLUSTER main {change}"


def test_replicas_of_a_whole_table_take_a_change_over_but_for_settings():
    """Two shards must not make the same change of one table at once; settings are each node's."""
    change = "ADD COLUMN IF NOT EXISTS claim String, MODIFY ORDER BY (name, claim)"
    assert on_main(f"ALTER TABLE leases {change}") == (f"ALTER TABLE leases {change}",)
    (settings,) = on_main("ALTER TABLE users MODIFY SETTING a = 1")
    assert settings == "ALTER TABLE users ON CLUSTER main MODIFY SETTING a = 1"


@pytest.mark.parametrize(
    "sql",
    [
        "DROP TABLE usage_daily",
        "CREATE TABLE usage_daily (a String) ENGINE = ReplacingMergeTree(a) ORDER BY a",
        "CREATE TABLE IF NOT EXISTS t (a String) ENGINE = Memory",
        "CREATE TABLE IF NOT EXISTS t (a String) ENGINE = MergeTree ORDER BY a",
        (
            "CREATE TABLE IF NOT EXISTS t (a String) ENGINE = ReplacingMergeTree(a) ORDER BY a"
            " SETTINGS index_granularity = 1"
        ),
        "CREATE MATERIALIZED VIEW v TO t AS SELECT 1",
        "ALTER TABLE usage_daily ADD COLUMN IF NOT EXISTS a Int8, MODIFY TTL day",
        "ALTER TABLE usage_daily MODIFY ORDER BY (tenant)",
        "ALTER TABLE usage_daily DROP COLUMN tokens",
        "ALTER TABLE usage_daily ADD COLUMN a Int8",
        "ALTER TABLE users DROP COLUMN email",
        "ALTER TABLE users ADD COLUMN IF NOT EXISTS a Int8, MODIFY SETTING b = 1",
        "RENAME TABLE a TO b",
    ],
)
def test_a_statement_of_another_form_is_refused(sql):
    """What the form of a statement does not tell is left to a person."""
    with pytest.raises(UnknownForm):
        on_main(sql)


@pytest.mark.parametrize("name", ["", "a-b", "main; DROP", "a'"])
def test_a_name_that_is_no_word_is_refused(name):
    """The name stands in the text of statements."""
    with pytest.raises(UnknownForm):
        clustered(STATEMENTS[0], cluster=name, database="usage")


@pytest.mark.parametrize("path", LATER, ids=lambda path: path.stem)
def test_what_changes_tables_later_has_a_clustered_form(path):
    """Erasures, retention and repairs reach the tables that have the rows."""
    text = path.read_text().replace("$table", "usage_daily").replace("$change", "REMOVE TTL")
    for sql in clustered(text.replace("ON CLUSTER $cluster ", ""), cluster="c", database="d"):
        assert "ALTER TABLE usage_events " not in sql
        assert "ALTER TABLE usage_daily " not in sql
