"""One request to the ClickHouse server and its answer: run a statement, stream what it gives.

An error after the answer has begun breaks the transfer off: no part passes for the whole.
Next: deploy.clickhouse_protocol
"""

from __future__ import annotations

import binascii
import hmac
import os
import time
from base64 import b64decode
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler
from itertools import chain
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import IO
from urllib.parse import parse_qsl, urlsplit

import orjson

from deploy.chdb_engine import Engine, EngineError, Outcome, Session
from deploy.clickhouse_answer import Answer, ClientGone, pieces_of
from deploy.clickhouse_body import BrokenBody, decoded, form_fields
from deploy.clickhouse_protocol import (
    Request,
    Statement,
    encoding_of,
    insert_of,
    statement_of,
    status_of,
    without_values,
)
from deploy.query_log import QueryLog

SPOOL_BYTES = 8 * 1024 * 1024
HEAD_BYTES = 64 * 1024
CLIENT_GONE = 210  # ClickHouse's NETWORK_ERROR, for the query log


@dataclass(frozen=True)
class Service:
    """What every exchange shares: the engine, who may use it, and where it leaves its traces."""

    engine: Engine
    query_threads: ThreadPoolExecutor
    query_log: QueryLog
    tmp: Path
    user: str
    password: str
    database: str

    def spool(self) -> IO[bytes]:
        """A file in memory that moves to disk when it grows."""
        return SpooledTemporaryFile(max_size=SPOOL_BYTES, dir=str(self.tmp))


class Exchange:
    """One request, from its body (already received) to the last byte of its answer.

    A `session_id` is accepted, but each statement has a session of its own.
    """

    def __init__(self, handler: BaseHTTPRequestHandler, service: Service, *, tag: str) -> None:
        self.tag = tag
        self._handler = handler
        self._service = service
        self._answer = Answer(handler, summary=self._summary)
        self._request = Request.of({}, database="", new_id=tag)
        self._outcome = Outcome()
        self._sql = ""
        self._code = 0
        self._at = datetime.now(UTC)
        self._started = time.monotonic()

    def run(self, body: IO[bytes], settings: dict[str, str]) -> None:
        """Run the statement and answer it; raises `EngineError`, `ClientGone`, `OSError`."""
        fields = dict(parse_qsl(urlsplit(self._handler.path).query, keep_blank_values=True))
        content_type = self._handler.headers.get("Content-Type", "")
        encoding = self._handler.headers.get("Content-Encoding", "")
        try:
            pieces = decoded(body, encoding)
            if content_type.startswith("multipart/form-data"):
                fields |= form_fields(b"".join(pieces), content_type)
                pieces = iter(())
            self._request = Request.of(fields, database=self._service.database, new_id=self.tag)
            # A client that marks its query can find it, and end it.
            self.tag = fields.get("log_comment") or self.tag
            self._authenticate(fields)
            with self._service.engine.session() as session:
                used = {**settings, **self._request.settings, "log_comment": self.tag}
                session.use(self._request.database, used)
                self._run_statement(session, pieces)
        except (BrokenBody, UnicodeDecodeError, binascii.Error) as error:
            text = f"Code: 33. DB::Exception: Broken request: {error}. (CANNOT_READ_ALL_DATA)"
            raise EngineError(33, text) from None

    def _authenticate(self, fields: dict[str, str]) -> None:
        headers = self._handler.headers
        scheme, _, credentials = headers.get("Authorization", "").partition(" ")
        if scheme.lower() == "basic":
            given = b64decode(credentials)
        else:
            user = headers.get("X-ClickHouse-User") or fields.get("user", "default")
            password = headers.get("X-ClickHouse-Key") or fields.get("password", "")
            given = f"{user}:{password}".encode()
        right = f"{self._service.user}:{self._service.password}".encode()
        if not hmac.compare_digest(given, right):
            text = (
                "Code: 516. DB::Exception: Authentication failed: password is incorrect, or there"
                " is no user with such name. (AUTHENTICATION_FAILED)"
            )
            raise EngineError(516, text)

    def _run_statement(self, session: Session, pieces: Iterator[bytes]) -> None:
        head = f"{self._request.query}\n".encode() if self._request.query else b""
        while len(head) < HEAD_BYTES and (piece := next(pieces, None)) is not None:
            head += piece
        insert = insert_of(head[:HEAD_BYTES])
        if insert is not None:
            self._sql = f"{insert.sql} FORMAT {insert.format}"
            data = chain([head[insert.data_at :]], pieces)
            self._outcome = session.insert(insert.sql, data_format=insert.format, data=data)
            self._send_whole(b"", None)
            return
        text = b"".join(chain([head], pieces)).decode()
        statement = statement_of(text, default_format=self._request.default_format)
        self._sql = statement.sql
        if statement.rows:
            self._stream(session, statement)
            return
        self._outcome = session.run(
            text, answer_format=statement.format, params=self._request.params
        )
        body = self._outcome.body
        self._send_whole(body, statement.format if body else None)

    def _send_whole(self, content: bytes, format_: str | None) -> None:
        self._answer.send_whole(content, query_id=self._request.query_id, format_=format_)

    def _stream(self, session: Session, statement: Statement) -> None:
        accepted = self._handler.headers.get("Accept-Encoding", "")
        compression = encoding_of(accepted) if self._request.compressed else "none"
        reader, writer = os.pipe()
        sql = statement.into(f"/dev/fd/{writer}", compression=compression)
        run = self._service.query_threads.submit(self._run_into, session, sql, writer)
        try:
            pieces = pieces_of(reader, self._handler.connection)
            with self._service.spool() as spool, closing(pieces):
                self._answer.send_pieces(
                    self._confirmed(pieces, run),
                    query_id=self._request.query_id,
                    format_=statement.format,
                    compression=compression,
                    spool=spool,
                    wait=self._request.wait,
                )
        except (ClientGone, OSError):
            self._service.engine.cancel(self.tag)
            raise
        finally:
            # The engine may be writing: without a reader it stops, and only then the session may.
            os.close(reader)
            wait([run])

    def _confirmed(self, pieces: Iterator[bytes], run: Future[Outcome]) -> Iterator[bytes]:
        """The pieces, the last one only when the query has succeeded.

        The engine ends a document properly even when the query fails: an Arrow reader would stop
        at the end mark and take a part for the whole.
        """
        held = b""
        for piece in pieces:
            if held:
                yield held
            held = piece
        self._outcome = run.result()
        if held:
            yield held

    def _run_into(self, session: Session, sql: str, writer: int) -> Outcome:
        try:
            return session.run(sql, params=self._request.params)
        finally:
            os.close(writer)

    def _summary(self) -> str:
        counts = {
            "read_rows": self._outcome.read_rows,
            "read_bytes": self._outcome.read_bytes,
            "written_rows": self._outcome.written_rows,
            "written_bytes": self._outcome.written_bytes,
            "elapsed_ns": int((time.monotonic() - self._started) * 1e9),
        }
        return orjson.dumps({name: str(count) for name, count in counts.items()}).decode()

    def fail(self, error: EngineError) -> None:
        """Answer an error, or, if the answer has begun, break it off."""
        self._code = error.code
        if self._answer.begun:
            self._handler.close_connection = True
            return
        try:
            content = f"{error.text}\n".encode()
            self._answer.send_whole(
                content,
                query_id=self._request.query_id,
                format_=None,
                status=status_of(error.code),
                code=error.code,
            )
        except OSError:
            self.gone()

    def gone(self) -> None:
        """Nobody is there to be answered."""
        self._code = CLIENT_GONE
        self._handler.close_connection = True

    def log(self) -> None:
        """Write the statement to the query log, without its values."""
        self._service.query_log.write(
            at=self._at,
            query_id=self._request.query_id,
            query=without_values(self._sql),
            seconds=round(time.monotonic() - self._started, 6),
            read_rows=self._outcome.read_rows,
            read_bytes=self._outcome.read_bytes,
            written_rows=self._outcome.written_rows,
            written_bytes=self._outcome.written_bytes,
            code=self._code,
        )
