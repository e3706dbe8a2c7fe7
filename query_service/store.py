"""The one way the query service asks ClickHouse: every question bound to the caller's tenant.

Next: query_service.report
"""

import queue
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import date, datetime
from string import Template
from typing import Any

import pyarrow as pa
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError

from query_service.blocks import blocks
from query_service.ranges import FIRST_DAY
from schemas.metrics import QueryMetrics
from schemas.rejects import Unavailable
from sinks.clickhouse import connect, query, reraise, statement
from sinks.keys import Key, tenant_secret

Row = dict[str, Any]

# Small questions that are asked before each large one: when these get no answer, none is tried.
QUICK_SECONDS = 4.0
# Together no more than the connections that clickhouse-connect keeps open to one server.
QUICK_CLIENTS = 3
LARGE_CLIENTS = 5
EXPORT_CLIENTS = 4
# No table, no database: the migrations have not run yet.
_NOT_MIGRATED = frozenset({60, 81})


class Clients:
    """A few clients, each lent to one query at a time and made when first needed.

    `wait_seconds`: how long a query waits for one before it is told to come back.
    """

    def __init__(self, make: Callable[[], Client], size: int, *, wait_seconds: float) -> None:
        self._make = make
        self._wait_seconds = wait_seconds
        self._idle: queue.LifoQueue[Client | None] = queue.LifoQueue()
        for _ in range(size):
            self._idle.put(None)

    @contextmanager
    def lend(self) -> Iterator[Client]:
        """A client; raises Unavailable when ClickHouse is away or all are busy for too long."""
        try:
            client = self._idle.get(timeout=self._wait_seconds)
        except queue.Empty as error:
            raise Unavailable("query service", "too many queries at once") from error
        try:
            client = client or self._make()
            yield client
        except (ClickHouseError, OSError) as error:
            self._drop(client)
            client = None
            if getattr(error, "code", None) in _NOT_MIGRATED:
                raise Unavailable("clickhouse", "its tables are not there yet") from error
            reraise(error)
        finally:
            self._idle.put(client)

    def close(self) -> None:
        """Close the clients that are idle."""
        with suppress(queue.Empty):
            while True:
                self._drop(self._idle.get_nowait())

    @staticmethod
    def _drop(client: Client | None) -> None:
        if client is not None:
            client.close()


class Store:
    """Questions to ClickHouse. `max_seconds` and `max_memory_bytes` bound each query.

    An export has `export_max_seconds`: it goes on for as long as its reader takes.
    """

    def __init__(
        self,
        dsn: str,
        *,
        max_seconds: float,
        export_max_seconds: float,
        max_memory_bytes: int,
        metrics: QueryMetrics,
    ) -> None:
        limits: dict[str, Any] = {
            "max_memory_usage": max_memory_bytes,
            # Rows never move between partitions: their day is in the key.
            "do_not_merge_across_partitions_select_final": 1,
            # Take 100 and 20 ms of planning for a report of 260 ms, whatever the data.
            "optimize_and_compare_chain": 0,
            "optimize_syntax_fuse_functions": 0,
        }
        self._quick = Clients(
            lambda: connect(dsn, timeout_seconds=QUICK_SECONDS, **limits),
            QUICK_CLIENTS,
            wait_seconds=QUICK_SECONDS,
        )
        self._large = Clients(
            lambda: connect(
                dsn, timeout_seconds=max_seconds + 5, max_execution_time=max_seconds, **limits
            ),
            LARGE_CLIENTS,
            wait_seconds=max_seconds,
        )
        self._exports = Clients(
            lambda: connect(
                dsn,
                timeout_seconds=export_max_seconds + 5,
                max_execution_time=export_max_seconds,
                **limits,
            ),
            EXPORT_CLIENTS,
            wait_seconds=QUICK_SECONDS,
        )
        self._metrics = metrics

    def ask(
        self, key: Key, name: str, parameters: Mapping[str, Any], *, sql: str | None = None
    ) -> list[Row]:
        """The rows that answer the question `name`, within the tenant and teams of `key`.

        `sql` is the composed text of a question with
        slots; without it, the file's.
        """
        text, bound = _bound(key, name, parameters, sql)
        return self._rows(self._large, name, text, bound)

    @contextmanager
    def stream(
        self,
        key: Key,
        name: str,
        parameters: Mapping[str, Any],
        *,
        sql: str | None = None,
        mark: str,
    ) -> Iterator[Iterator[pa.RecordBatch]]:
        """The same rows in blocks, as ClickHouse finds them; bound like those of `ask`.

        The blocks end when all of them are there, and raise Unavailable when they break off.
        Leaving before their end ends the query; so does `end` with the same `mark`, at any time.
        """
        text, bound = _bound(key, name, parameters, sql)
        with (
            self._metrics.query_seconds.labels(query=name).time(),
            self._exports.lend() as client,
            blocks(client, text, _bindable(bound), mark=mark) as found,
        ):
            yield found

    def end(self, mark: str) -> None:
        """End the stream of this `mark`, if it is under way."""
        with self._quick.lend() as client:
            query(client, question("end_query"), parameters={"mark": mark})

    def ask_all(self, name: str) -> list[Row]:
        """The rows that answer a small question about the store itself, of no tenant."""
        return self._rows(self._quick, name, question(name), {})

    def hasher(self, key: Key) -> bytes:
        """The secret that hides the user ids of the key's tenant."""
        with self._quick.lend() as client:
            secret = tenant_secret(client, key.tenant)
        if secret is None:
            raise Unavailable("tenant", "it has no secret yet")
        return secret

    def user_ids(self, key: Key, hashes: Sequence[str]) -> list[str]:
        """The users that `hashes` stand for; hashes that stand for nobody choose nobody."""
        sql = compose("user_ids", hashed=question("hashed_user_id"))
        rows = self.ask(key, "user_ids", {"hashes": list(hashes)}, sql=sql)
        return [row["user_id"] for row in rows]

    @contextmanager
    def client(self) -> Iterator[Client]:
        """A client for the functions of `sinks`, which say themselves what they are bound to."""
        with self._large.lend() as client:
            yield client

    @contextmanager
    def quick_client(self) -> Iterator[Client]:
        """The same for small questions: no answer within seconds means that ClickHouse is away."""
        with self._quick.lend() as client:
            yield client

    def close(self) -> None:
        """Close all idle connections."""
        self._quick.close()
        self._large.close()
        self._exports.close()

    def _rows(
        self, clients: Clients, name: str, sql: str, parameters: Mapping[str, Any]
    ) -> list[Row]:
        with self._metrics.query_seconds.labels(query=name).time(), clients.lend() as client:
            return list(query(client, sql, parameters=_bindable(parameters)).named_results())


def question(name: str) -> str:
    """The text of `name`.sql."""
    return statement("query_service.sql", name)


def compose(name: str, **slots: str) -> str:
    """`name`.sql with its slots filled: texts of files and names of allow-lists, never values."""
    return Template(question(name)).substitute(slots)


def _bound(
    key: Key, name: str, parameters: Mapping[str, Any], sql: str | None
) -> tuple[str, dict[str, Any]]:
    """The text and the parameters of a question. This is the only place that binds a tenant."""
    text = sql or question(name)
    if "{tenant:String}" not in text or "tenant" in parameters:
        raise ValueError(f"{name} must be bound to the caller's tenant, and by the store alone")
    bound = {**parameters, "tenant": key.tenant, "allowed_teams": sorted(key.teams)}
    return text, bound


def _bindable(parameters: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _written(value) for name, value in parameters.items()}


def _written(value: Any) -> Any:
    """Times and dates as ClickHouse reads them, whatever the zone of this machine."""
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%S}.{value.microsecond // 1000:03d}"
    if isinstance(value, date):
        return max(value, FIRST_DAY).isoformat()
    return value
