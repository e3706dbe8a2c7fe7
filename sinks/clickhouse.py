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
from urllib3.exceptions import HTTPError

from schemas.rejects import Unavailable

# ClickHouse's answers that mean "not now" rather than "never": time-outs, memory, too many
# parts or queries, no space, read-only, no quorum, keeper away, ended by someone, shutting down;
# 395: what a question looked at before is too old by now (throwIf).
_PASSING_CODES = frozenset(
    {159, 160, 164, 202, 203, 209, 210, 225, 241, 242, 243, 252, 285, 286, 319, 394, 395, 425, 999}
)

_ADDRESS = re.compile(r"url: \S+")


def connect(dsn: str, *, timeout_seconds: float = 10.0, **settings: Any) -> Client:
    """A client of its own (not shared between threads that query at once).

    `dsn` is clickhouse://user:password@host:port/database; `settings` go with every query.
    Raises Unavailable when the server can't be reached.
    """
    try:
        return clickhouse_connect.get_client(
            dsn=dsn,
            connect_timeout=5,
            send_receive_timeout=timeout_seconds,
            autogenerate_session_id=False,
            # Thousands of keys are parameters of one query: they go in the body, not the URL.
            form_encode_query_params=True,
            settings=settings or None,
        )
    except (OperationalError, DatabaseError, HTTPError, OSError) as error:
        reraise(error)


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
