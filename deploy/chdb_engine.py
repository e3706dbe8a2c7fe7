"""chDB behind the ClickHouse server of one machine: a session for each statement, and its outcome.

The engine writes its answers, formatted and compressed, into a pipe, so none is held in memory.
Next: sinks.clickhouse
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

ERROR = re.compile(r"Code: (\d+)\. DB::Exception: .*", re.DOTALL)
STD_EXCEPTION = 1001
TIMEZONE = "UTC"


class EngineError(Exception):
    """A statement that failed: ClickHouse's error code and its whole text."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code
        self.text = text

    @classmethod
    def of(cls, error: Exception) -> EngineError:
        """What chDB raised, as the code and text that ClickHouse would answer."""
        found = ERROR.search(str(error))
        if found is None:
            return cls(STD_EXCEPTION, f"Code: 1001. DB::Exception: {error}. (STD_EXCEPTION)")
        return cls(int(found[1]), found[0])


@dataclass(frozen=True)
class Outcome:
    """What a statement read and wrote, and its answer where that did not go into a pipe."""

    read_rows: int = 0
    read_bytes: int = 0
    written_rows: int = 0
    written_bytes: int = 0
    body: bytes = b""


class Session:
    """One connection used for one statement, so no setting or leftover of it reaches another.

    (chDB gives the output of a failed query to the next query on the same connection.)
    """

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def use(self, database: str, settings: Mapping[str, str]) -> None:
        """Choose the database and set the settings; an unknown one raises `EngineError`."""
        if database:
            self.run(f"USE {identifier(database)}")
        others = {name: value for name, value in settings.items() if name != "readonly"}
        if others:
            pairs = (f"{identifier(name)} = {literal(value)}" for name, value in others.items())
            self.run("SET " + ", ".join(pairs))
        if "readonly" in settings:
            self.run(f"SET readonly = {literal(settings['readonly'])}")

    def run(
        self,
        sql: str,
        *,
        answer_format: str = "TabSeparated",
        params: Mapping[str, str] | None = None,
    ) -> Outcome:
        """Run a statement whose answer is small and is returned whole."""
        try:
            result = self._connection.query(sql, answer_format, params=dict(params or {}))
        except RuntimeError as error:
            raise EngineError.of(error) from None
        return Outcome(
            read_rows=result.storage_rows_read(),
            read_bytes=result.storage_bytes_read(),
            written_rows=result.rows_written(),
            written_bytes=result.bytes_written(),
            body=result.bytes(),
        )

    def insert(self, sql: str, *, data_format: str, data: Iterable[bytes]) -> Outcome:
        """Insert formatted `data`, nothing of it when it breaks off; `sql` without FORMAT.

        Not by chDB's `send_insert`, which takes what comes piece by piece: when a part can't be
        written (no space, say), it reports rows that are not there.
        """
        with os.fdopen(os.memfd_create("insert"), "wb") as file:
            for piece in data:
                file.write(piece)
            file.flush()
            where = f"FROM INFILE '/dev/fd/{file.fileno()}' COMPRESSION 'none'"
            return self.run(f"{sql} {where} FORMAT {data_format}")


class Engine:
    """The one chDB of this process, over one data directory."""

    def __init__(self, data_dir: Path, *, threads: int, memory_bytes: int) -> None:
        """Open the data directory; a query may use half of `memory_bytes` and `threads`."""
        # chDB takes the process's time zone when it is imported; this server's is UTC everywhere.
        os.environ["TZ"] = TIMEZONE
        time.tzset()
        import chdb  # noqa: PLC0415

        self._connect = cast("Callable[[str], Any]", chdb.connect)
        self._address = f"{data_dir}?max_threads={threads}&max_memory_usage={memory_bytes // 2}"
        # The engine lives as long as its longest connection, and the first one sets the server's
        # own settings.
        # BACKUP may write beside its own files, to File('…'), and nowhere else.
        backups = data_dir.parent / "backups"
        self._first = self._connect(
            f"{self._address}&max_server_memory_usage={memory_bytes}"
            f"&backups.allowed_path={backups}/"
        )

    @contextmanager
    def session(self) -> Iterator[Session]:
        """A session of its own; opening one takes a fraction of a millisecond."""
        connection = self._connect(self._address)
        try:
            yield Session(connection)
        finally:
            connection.close()

    def cancel(self, tag: str | None = None) -> None:
        """Stop the statement that runs under this `log_comment`, or all of them."""
        where = "1" if tag is None else f"Settings['log_comment'] = {literal(tag)}"
        with self.session() as session:
            session.run(f"KILL QUERY WHERE {where} ASYNC")

    def close(self) -> None:
        """Close the data directory."""
        self._first.close()


def literal(value: str) -> str:
    """A string literal of ClickHouse's SQL."""
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


def identifier(name: str) -> str:
    """A quoted identifier of ClickHouse's SQL."""
    return "`" + name.replace("\\", "\\\\").replace("`", "\\`") + "`"
