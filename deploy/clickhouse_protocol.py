"""ClickHouse's HTTP protocol, without I/O: what a request asks for, and how errors are answered.

Next: deploy.chdb_engine
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

# Parameters of the protocol itself; every other one is a setting of the query.
RESERVED = frozenset(
    {
        "query", "default_format", "database", "user", "password", "quota_key", "query_id",
        "session_id", "session_timeout", "session_check", "close_session", "compress",
        "decompress", "buffer_size", "wait_end_of_query", "client_protocol_version", "stacktrace",
        "role", "log_comment",
    }
)  # fmt: skip
# The engine lists these in system.settings, and the HTTP server is who obeys them.
HTTP_SETTINGS = frozenset({"enable_http_compression"})
ENCODINGS = ("lz4", "zstd", "gzip")

# As in ClickHouse's src/Server/HTTP/exceptionCodeToHTTPStatus.cpp; what is not named is 500.
STATUS_OF_CODE = (
    (400, {6, 8, 15, 25, 26, 27, 36, 37, 38, 41, 44, 53, 62, 72, 117, 123, 167, 168, 223, 321}),
    (400, {376, 427, 441, 675, 676}),
    (401, {194}),
    (403, {192, 193, 497, 512, 516}),
    (404, {46, 47, 50, 56, 60, 63, 73, 78, 81, 115, 152, 336, 511}),
    (408, {159}),
    (411, {381}),
    (413, {229}),
    (415, {779}),
    (501, {48}),
    (503, {76, 209, 439}),
)

QUOTED = r"`(?:[^`\\]|\\.)*`|\"(?:[^\"\\]|\\.)*\""
NAME = rf"(?:{QUOTED}|\w+)"
INSERT = re.compile(
    rf"""(?:\s|--[^\n]*\n|/\*.*?\*/)*(?P<sql>INSERT\s+INTO\s+(?:TABLE\s+)?{NAME}(?:\s*\.\s*{NAME})?
        (?:\s*\((?:[^()`"]|{QUOTED})*\))?
        (?:\s+SETTINGS\s+[^;]*?)?)
        \s+FORMAT\s+(?!VALUES\b)(?P<format>\w+)[\ \t\f]*;?[\ \t\f]*\r?\n?""",
    re.IGNORECASE | re.VERBOSE | re.DOTALL,
)
ROWS = re.compile(
    r"(?:\s|--[^\n]*\n|/\*.*?\*/|\()*(?:SELECT|WITH|SHOW|DESCRIBE|DESC|EXISTS|EXPLAIN|CHECK)\b",
    re.IGNORECASE | re.DOTALL,
)
FORMAT = re.compile(
    r"\sFORMAT\s+(?P<format>\w+)(?P<settings>\s+SETTINGS\s+[^;]*)?[\s;]*\Z", re.IGNORECASE
)
STRING = re.compile(r"'(?:[^'\\]|\\.|'')*'", re.DOTALL)


@dataclass(frozen=True)
class Request:
    """The parameters of one request, sorted by what they are for."""

    query: str
    query_id: str
    database: str
    default_format: str
    params: Mapping[str, str]
    settings: Mapping[str, str]
    wait: bool
    compressed: bool

    @classmethod
    def of(cls, fields: Mapping[str, str], *, database: str, new_id: str) -> Request:
        """Sort the fields of a URL and of a form; `database` and `new_id` are the defaults."""
        return cls(
            query=fields.get("query", ""),
            query_id=fields.get("query_id") or new_id,
            database=fields.get("database") or database,
            default_format=fields.get("default_format", "TabSeparated"),
            params={k.removeprefix("param_"): v for k, v in fields.items() if k[:6] == "param_"},
            settings={
                name: value
                for name, value in fields.items()
                if name not in RESERVED | HTTP_SETTINGS and name[:6] != "param_"
            },
            wait=fields.get("wait_end_of_query") in {"1", "true"},
            compressed=fields.get("enable_http_compression") in {"1", "true"},
        )


@dataclass(frozen=True)
class Insert:
    """An INSERT whose rows follow it: its SQL without FORMAT, and where the rows begin."""

    sql: str
    format: str
    data_at: int


@dataclass(frozen=True)
class Statement:
    """Any other statement; `rows` says whether it can be asked to write INTO OUTFILE."""

    sql: str
    format: str
    settings: str
    rows: bool

    def into(self, path: str, *, compression: str) -> str:
        """The statement with its answer sent to a file instead."""
        return (
            f"{self.sql}\nINTO OUTFILE '{path}' TRUNCATE COMPRESSION '{compression}'"
            f" FORMAT {self.format}{self.settings}"
        )


def insert_of(head: bytes) -> Insert | None:
    """The INSERT at the head of a body, if its rows are in the body."""
    found = INSERT.match(head.decode("latin-1"))
    if found is None:
        return None
    sql = found["sql"].encode("latin-1").decode()
    return Insert(sql=sql, format=found["format"], data_at=found.end())


def statement_of(text: str, *, default_format: str) -> Statement:
    """A statement's parts: its FORMAT clause is cut off, since INTO OUTFILE must precede it."""
    rows = ROWS.match(text) is not None
    found = FORMAT.search(text)
    if found is None:
        return Statement(text.rstrip("; \t\r\n"), default_format, "", rows)
    sql = text[: found.start()].rstrip("; \t\r\n")
    return Statement(sql, found["format"], found["settings"] or "", rows)


def status_of(code: int) -> int:
    """The HTTP status that ClickHouse gives an exception code."""
    return next((status for status, codes in STATUS_OF_CODE if code in codes), 500)


def encoding_of(accepted: str) -> str:
    """The first encoding of an Accept-Encoding header that the engine can write, or none."""
    names = (part.split(";")[0].strip().lower() for part in accepted.split(","))
    return next((name for name in names if name in ENCODINGS), "none")


def without_values(sql: str, *, limit: int = 2000) -> str:
    """A statement fit for a log: its string literals are left out, and it is cut."""
    return STRING.sub("'?'", sql[: limit * 2])[:limit]
