"""The query log of the ClickHouse server: one JSON line a statement, bounded by rotation.

chDB has no `system.query_log`. People read it; nothing else does.

Next: deploy.clickhouse
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from logging.handlers import RotatingFileHandler
from pathlib import Path

import orjson

FILE_BYTES = 16 * 1024 * 1024
OLD_FILES = 3


class QueryLog:
    """Appends to `query_log.jsonl` in the data directory; at most 64 MiB with the old files."""

    def __init__(self, data_dir: Path) -> None:
        handler = RotatingFileHandler(
            data_dir / "query_log.jsonl", maxBytes=FILE_BYTES, backupCount=OLD_FILES, delay=True
        )
        # Nothing else may format or repeat its lines.
        self._logger = logging.Logger("query_log")  # noqa: LOG001 - outside the tree
        self._logger.addHandler(handler)

    def write(self, *, at: datetime, **fields: str | float) -> None:
        """Append one statement: `query` without its values, `seconds`, rows, bytes, code."""
        line = orjson.dumps({"at": at.astimezone(UTC), **fields}, option=orjson.OPT_UTC_Z)
        self._logger.info(line.decode())
