"""What the tests of the ClickHouse server send to it, by clickhouse-connect and by hand.

Next: tests.support.clickhouse_process
"""

import gzip
import socket
import time
import uuid
from contextlib import contextmanager
from datetime import UTC, date, datetime
from decimal import Decimal
from urllib.parse import unquote, urlencode, urlsplit

import clickhouse_connect
import httpx
import lz4.frame
import pyarrow as pa
import zstandard

EVENTS = """CREATE TABLE {table} (
    tenant String, id String, day Date, at DateTime64(3, 'UTC'), kind LowCardinality(String),
    tokens Decimal(18, 4), position UInt64, first UInt128 MATERIALIZED bitNot(toUInt128(position))
) ENGINE = ReplacingMergeTree(first) ORDER BY (tenant, day, id) PARTITION BY toYYYYMM(day)"""
SLOW = "SELECT count() FROM numbers(1000000000000) WHERE sipHash64(number) = 1"


def connected(dsn: str, **options):
    """A client as the project makes them."""
    return clickhouse_connect.get_client(dsn=dsn, autogenerate_session_id=False, **options)


def sample(count: int, *, at: int = 0) -> pa.Table:
    """Sample events, every one with an identity of its own."""
    numbers = range(at, at + count)
    return pa.table(
        {
            "tenant": pa.array(["sample"] * count),
            "id": pa.array([f"event-{number}" for number in numbers]),
            "day": pa.array([date(2026, 1, 2)] * count),
            "at": pa.array([datetime(2026, 1, 2, 3, 4, 5, 678000, UTC)] * count).cast(
                pa.timestamp("ms", "UTC")
            ),
            "kind": pa.array(["launch"] * count),
            "tokens": pa.array([Decimal("1.2500")] * count, pa.decimal128(18, 4)),
            "position": pa.array(numbers, pa.uint64()),
        }
    )


def count(client, table: str) -> int:
    """The rows of a table."""
    return client.query(f"SELECT count() FROM {table}").result_rows[0][0]


def auth_of(dsn: str) -> tuple[str, str]:
    """The user and password of a DSN."""
    url = urlsplit(dsn)
    return unquote(url.username or "default"), unquote(url.password or "")


def address_of(dsn: str) -> str:
    """The address that a DSN names."""
    url = urlsplit(dsn)
    return f"http://{url.hostname}:{url.port}"


def posted(dsn: str, path: str = "/", **request) -> httpx.Response:
    """A request beside clickhouse-connect."""
    return httpx.post(address_of(dsn) + path, auth=auth_of(dsn), timeout=60, **request)


def begun(dsn: str, fields: dict[str, str], headers: str, body: bytes) -> socket.socket:
    """A POST sent by hand, on a connection that a test may break off."""
    url = urlsplit(dsn)
    user, password = auth_of(dsn)
    path = "/?" + urlencode({"user": user, "password": password, **fields})
    connection = socket.create_connection((url.hostname, url.port))
    head = f"POST {path} HTTP/1.1\r\nHost: sample\r\n{headers}\r\n\r\n"
    connection.sendall(head.encode() + body)
    return connection


def compressed(data: bytes, encoding: str) -> bytes:
    """One frame of an encoding."""
    if encoding == "gzip":
        return gzip.compress(data)
    if encoding == "lz4":
        return lz4.frame.compress(data)
    return zstandard.ZstdCompressor().compress(data)


@contextmanager
def endless(dsn: str, client):
    """A query under way that never ends, until its client goes; counts it among those running."""
    mark = uuid.uuid4().hex
    query = f"{SLOW} AND '{mark}' != ''".encode()
    seen = f"SELECT count() FROM system.processes WHERE query LIKE '%AND ''{mark}%'"
    fields = {"cancel_http_readonly_queries_on_client_close": "1"}
    with begun(dsn, fields, f"Content-Length: {len(query)}", query):
        assert eventually(lambda: client.query(seen).result_rows == [(1,)])
        yield lambda: client.query(seen).result_rows[0][0]


def eventually(holds) -> bool:
    """Whether something becomes true within a minute."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if holds():
            return True
        time.sleep(0.05)
    return False
