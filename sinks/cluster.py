"""The same numbered files on a cluster: Replicated engines, ON CLUSTER, and Distributed tables.

Strict: a statement of a form that is not known here is an error, never a guess.

Next: sinks.migrate
"""

import re
from dataclasses import dataclass
from string import Template

from clickhouse_connect.driver.client import Client

from sinks.clickhouse import query, statement

# Too large for one node, and every version of a row must be on one shard: by the user. All other
# tables are whole on every node, so that no question about them leaves the node that is asked.
SHARDED = ("usage_events", "usage_daily")
_SHARDING = "cityHash64(tenant, user_id)"

_NAME = re.compile(r"\w+")
_COMMENT = re.compile(r"--[^\n]*")
_CREATE = re.compile(
    r"\s*CREATE TABLE IF NOT EXISTS (?P<table>\w+)\s+"
    r"(?P<columns>\(.*\))\s+"
    r"ENGINE = (?P<engine>(?:Replacing|Aggregating)MergeTree)(?:\((?P<version>\w+)\))?\s+"
    r"(?P<rest>(?:PARTITION BY [^;]+?\s)?ORDER BY [^;]+)",
    re.DOTALL,
)
_ALTER = re.compile(r"\s*ALTER TABLE (?P<table>\w+)\s+(?P<change>.+)", re.DOTALL)
_VERBS = re.compile(
    r"\b(?:ADD|MODIFY|REMOVE|DROP|RENAME|COMMENT|RESET|CLEAR|MATERIALIZE|DELETE|UPDATE|ATTACH"
    r"|DETACH|MOVE|REPLACE|FREEZE)\b"
)
# What the Distributed table has as well, and what only the tables below it have.
_OF_BOTH = ("ADD COLUMN IF NOT EXISTS ", "MODIFY COLUMN ")
_OF_PARTS = (
    *("ADD INDEX IF NOT EXISTS ", "MODIFY TTL ", "REMOVE TTL", "MODIFY SETTING "),
    "DELETE WHERE ",
)
# Replicas take over these from each other; settings are each node's own.
_TAKEN_OVER = re.compile(
    r"(?:ADD (?:COLUMN|INDEX) IF NOT EXISTS|MODIFY (?:COLUMN|TTL|ORDER BY)|REMOVE TTL"
    r"|DELETE WHERE)\b"
)
_INSERT = re.compile(r"\s*INSERT\b")
_QUOTED = re.compile(r"'(\w+)'")


class UnknownForm(ValueError):  # noqa: N818 - named for what is wrong
    """A statement that can't be put into its clustered form; nothing was done."""


def clustered(sql: str, *, cluster: str, database: str) -> tuple[str, ...]:
    """The statements that do on a cluster what `sql`, one statement, does on one node.

    They may be repeated if `sql` may be. Raises UnknownForm.
    """
    for name in (cluster, database):
        if not _NAME.fullmatch(name):
            raise UnknownForm(f"{name!r} is not made of letters, digits and _")
    text = _COMMENT.sub("", sql).strip()
    if found := _CREATE.fullmatch(text):
        return _created(found, cluster, database)
    if found := _ALTER.fullmatch(text):
        return _altered(found["table"], found["change"], cluster)
    raise UnknownForm(f"not a form of statement that is known: {text[:80]}")


def below(table: str) -> str:
    """The table that holds one shard's part of a sharded one."""
    return f"{table}_local"


@dataclass(frozen=True)
class Stored:
    """What the store's tables are made for; `cluster` is empty for one node."""

    cluster: str
    database: str


def stored(client: Client) -> Stored | None:
    """What the tables are made for, as the store itself says; None while there are none."""
    for name, engine, full in query(client, statement("sinks.sql", "store_form")).result_rows:
        if engine == "Distributed":
            return Stored(*_QUOTED.findall(full)[:2])
        if name == SHARDED[0]:
            return Stored("", "")
    return None


def adapted(client: Client, sql: str) -> tuple[str, ...]:
    """A statement that writes, in the form that the store's tables need: an insert has but one."""
    found = stored(client)
    if not found or not found.cluster or _INSERT.match(_COMMENT.sub("", sql)):
        return (sql,)
    return clustered(sql, cluster=found.cluster, database=found.database)


def _created(found: re.Match[str], cluster: str, database: str) -> tuple[str, ...]:
    table, rest = found["table"], found["rest"]
    if "SETTINGS" in rest:
        raise UnknownForm(f"{table} is created with settings of its own")
    is_sharded = table in SHARDED
    # A table that is whole on every node has one place in Keeper, whatever the shard.
    shard, replica = ("{shard}", "{replica}") if is_sharded else ("all", "{shard}-{replica}")
    first = _fill(
        "create_on_cluster",
        table=below(table) if is_sharded else table,
        cluster=cluster,
        columns=found["columns"],
        engine=found["engine"],
        place=f"/clickhouse/tables/{shard}/{{database}}/{{table}}",
        replica=replica,
        version=f", {found['version']}" if found["version"] else "",
        rest=rest,
    )
    if not is_sharded:
        return (first,)
    over = {"table": table, "cluster": cluster, "database": database, "below": below(table)}
    return first, _fill("create_distributed", **over, sharding=_SHARDING)


def _altered(table: str, change: str, cluster: str) -> tuple[str, ...]:
    change = re.sub(r"\s+", " ", change)
    verbs = len(_VERBS.findall(change))
    if table not in SHARDED and verbs == len(_TAKEN_OVER.findall(change)):
        # Not on the cluster: nodes of two shards would make the same change of one table at once.
        return (_fill("alter", table=table, change=change),)
    if verbs != 1:
        raise UnknownForm(f"one change of {table} at a time: {change[:80]}")
    if table not in SHARDED and change.startswith("MODIFY SETTING "):
        return (_fill("alter_on_cluster", table=table, cluster=cluster, change=change),)
    if table in SHARDED and change.startswith(_OF_BOTH + _OF_PARTS):
        tables = (below(table), table) if change.startswith(_OF_BOTH) else (below(table),)
        return tuple(
            _fill("alter_on_cluster", table=name, cluster=cluster, change=change) for name in tables
        )
    raise UnknownForm(f"not a change of {table} that is known: {change[:80]}")


def _fill(name: str, **slots: str) -> str:
    return Template(_COMMENT.sub("", statement("sinks.sql", name))).substitute(slots).strip()
