"""JSON, in one document like the report's answer, and NDJSON, a row a line.

Next: query_service.export_parquet
"""

from collections.abc import Iterator

import orjson
import pyarrow as pa

from query_service.columns import COLUMNS
from query_service.export import Export
from query_service.export_text import plain, rows, steps


def write_ndjson(export: Export) -> Iterator[bytes]:
    """Each row as an object on a line of its own."""
    for step in steps(export.blocks):
        yield b"".join(line + b"\n" for line in _objects(step))


def write_json(export: Export) -> Iterator[bytes]:
    """The answer of the report with all its rows, and the schema's version."""
    yield orjson.dumps(export.head).removesuffix(b"}") + b',"rows":['
    separator = b"\n"
    for step in steps(export.blocks):
        yield separator + b",\n".join(_objects(step))
        separator = b",\n"
    yield b"\n]}\n"


def _objects(step: pa.RecordBatch) -> Iterator[bytes]:
    columns = [plain(name, step.column(name)) for name in COLUMNS]
    found = rows(pa.record_batch(columns, names=list(COLUMNS)))
    return (orjson.dumps(dict(zip(COLUMNS, row, strict=True))) for row in found)
