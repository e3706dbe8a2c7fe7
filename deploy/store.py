"""ClickHouse for a command's moment: opened, asked, closed, and in plain words when it is away.

Next: sinks.clickhouse
"""

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import DatabaseError

from schemas.rejects import Unavailable
from sinks.clickhouse import connect, is_passing

# Unknown table, unknown database: a server without our tables.
_NOT_MIGRATED = frozenset({60, 81})

# What OpenSSL says, without the place in its source.
_REFUSED = re.compile(r"\[SSL: [^\]]+\][^(]*(?= \(_ssl)")


@contextmanager
def store(dsn: str, *, timeout_seconds: float = 30.0) -> Iterator[Client]:
    """A client for what the command asks.

    Raises Unavailable, with what to do, when nothing answers or there are no tables.
    """
    # The driver logs each failed request; the command says it once, in one line.
    logging.getLogger("clickhouse_connect").setLevel(logging.CRITICAL)
    # Without its user and password.
    place = urlsplit(dsn).netloc.rpartition("@")[2]
    client = None
    try:
        client = connect(dsn, timeout_seconds=timeout_seconds)
        yield client
    except Unavailable as error:
        if error.what != "clickhouse":
            raise
        raise Unavailable("ClickHouse", _away(place, error)) from error
    except DatabaseError as error:
        if getattr(error, "code", None) in _NOT_MIGRATED:
            raise Unavailable("the store", _bare(place)) from error
        if is_passing(error):
            raise Unavailable("ClickHouse", _away(place, error)) from error
        raise
    finally:
        if client:
            client.close()


def _away(place: str, error: Exception) -> str:
    if refused := _REFUSED.search(str(error)):
        remedy = "look at USAGE_CLICKHOUSE_CA_FILE and the settings beside it"
        return f"{place}: {refused[0]}; {remedy}"
    return f"nothing usable answers at {place}; start `usage-report up`, or set CLICKHOUSE_DSN"


def _bare(place: str) -> str:
    return f"{place} has no tables of ours; `usage-report migrate` makes them"
