"""An answer of ClickHouse read block by block: it ends whole, or it raises.

Next: query_service.export
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any, cast

import pyarrow as pa
from clickhouse_connect.driver.client import Client
from urllib3.exceptions import HTTPError

from schemas.rejects import Unavailable

# A few blocks are in memory at once, each in several forms.
BLOCK_ROWS = 16_384


@contextmanager
def blocks(
    client: Client, sql: str, parameters: dict[str, Any], *, mark: str
) -> Iterator[Iterator[pa.RecordBatch]]:
    """The rows as they come. Leaving early closes the connection, which ends the query.

    By its `mark` it can be found among the server's queries.
    The iterator raises Unavailable when the answer breaks off.
    """
    settings = {
        "output_format_arrow_string_as_string": 1,
        "max_block_size": BLOCK_ROWS,
        "log_comment": mark,
    }
    stream = client.raw_stream(sql, parameters=parameters, settings=settings, fmt="ArrowStream")
    answer = cast("IO[bytes]", stream)
    try:
        yield _read(answer)
    finally:
        answer.close()


def _read(answer: IO[bytes]) -> Iterator[pa.RecordBatch]:
    try:
        with pa.ipc.open_stream(answer) as reader:
            yield from reader
        # Arrow stops at its own end mark; only the end of the transfer tells of an error behind it.
        rest = answer.read(1)
    except (HTTPError, OSError, pa.ArrowException) as error:
        raise Unavailable("clickhouse", "its answer broke off") from error
    if rest:
        raise Unavailable("clickhouse", "its answer does not end where it should")
