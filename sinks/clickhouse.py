"""The one way to ClickHouse: a client by DSN, SQL from files, and what counts as "away".

Next: sinks.inserts
"""

import re
from functools import cache
from importlib.resources import files
from typing import Any, NoReturn

import clickhouse_connect
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import DatabaseError, OperationalError, ProgrammingError
from clickhouse_connect.driver.query import QueryResult
from urllib3.exceptions import HTTPError

from schemas.clickhouse_address import is_tls
from schemas.rejects import Unavailable

# ClickHouse's answers that mean "not now" rather than "never": time-outs, memory, too many
# parts or queries, no space, read-only, a shard away, no quorum or a replica behind it, keeper
# away, ended by someone, shutting down; 395: what a question looked at before is too old by now
# (throwIf).
_PASSING_CODES = frozenset(
    {159, 160, 164, 202, 203, 209, 210, 225, 241, 242, 243, 252, 254, 279, 285, 286, 289, 319}
    | {394, 395, 425, 999}
)

# What goes with every statement on a cluster. Written is what most replicas have and all shards
# have answered for, one insert of a table after another; read is what was written so, or nothing:
# a load from a replica that lags would be a silent loss.
CLUSTER_SETTINGS: dict[str, Any] = {
    "insert_quorum": "auto",
    "insert_quorum_parallel": 0,
    "distributed_foreground_insert": 1,
    "select_sequential_consistency": 1,
    # The replica that was written to has everything; the others of its shard stand by.
    "load_balancing": "in_order",
    # What a shard must know of the others' rows is asked once and sent along.
    "distributed_product_mode": "global",
    "parallel_distributed_insert_select": 0,
    # A change is made when every replica has made it.
    "alter_sync": 2,
    "mutations_sync": 2,
}

_ADDRESS = re.compile(r"url: \S+")


def connect(dsn: str, *, timeout_seconds: float = 10.0, **settings: Any) -> Client:
    """A client of its own (not shared between threads that query at once).

    `dsn` is clickhouse://user:password@host:port/database, clickhouses:// for TLS; `settings` go
    with every query, and where the store's tables are a cluster's, so do CLUSTER_SETTINGS: nothing
    else has to be told. Raises Unavailable when the server can't be reached.
    """
    try:
        client = clickhouse_connect.get_client(
            dsn=dsn,
            # It does not look at the scheme itself.
            interface="https" if is_tls(dsn) else None,
            connect_timeout=5,
            send_receive_timeout=timeout_seconds,
            autogenerate_session_id=False,
            # Thousands of keys are parameters of one query: they go in the body, not the URL.
            form_encode_query_params=True,
            settings=settings or None,
        )
        if is_clustered(client):
            obey_cluster(client)
    except (OperationalError, DatabaseError, HTTPError, OSError) as error:
        reraise(error)
    return client


def is_clustered(client: Client) -> bool:
    """Whether the tables are distributed over a cluster, as the store itself says."""
    rows = query(client, statement("sinks.sql", "store_form")).result_rows
    return any(row[1] == "Distributed" for row in rows)


def obey_cluster(client: Client) -> None:
    """From now on send CLUSTER_SETTINGS with every statement of `client`."""
    for name, value in CLUSTER_SETTINGS.items():
        client.set_client_setting(name, value)


def query(client: Client, sql: str, /, **options: Any) -> QueryResult:
    """The answer to a question; `options` as of `Client.query`.

    Raises Unavailable for one that ClickHouse did not give, besides what the driver raises: to the
    driver a 200 without a body is a table without rows, whoever sent it, and rows that are taken
    for absent are counted again from nothing.
    """
    answer = client.query(sql, **options)
    if not answer.summary.get("query_id"):
        raise Unavailable("clickhouse", "an answer without the id of a query: not its own")
    return answer


@cache
def statement(package: str, name: str) -> str:
    """The text of `name`.sql in `package`."""
    return files(package).joinpath(f"{name}.sql").read_text(encoding="utf-8")


def reraise(error: Exception) -> NoReturn:
    """Raise Unavailable where `error` says that ClickHouse is away, else `error` itself."""
    if is_passing(error):
        raise Unavailable("clickhouse", _first_line(error)) from error
    raise error


def is_passing(error: Exception) -> bool:
    """Whether the same statement may succeed later: no answer, or an answer that says so."""
    if isinstance(error, ProgrammingError):
        return False
    if isinstance(error, DatabaseError):
        code = getattr(error, "code", None)
        return code in _PASSING_CODES if code else isinstance(error, OperationalError)
    return isinstance(error, (HTTPError, OSError))


def _first_line(error: Exception) -> str:
    # The address carries the parameters, and those name users.
    return _ADDRESS.sub("url: …", str(error).split("\n", 1)[0])[:300]
