"""Parquet with typed columns; what it is stands in its metadata.

Next: query_service.export_xlsx
"""

from collections.abc import Iterator

import orjson
import pyarrow.parquet as pq

from query_service.export import SCHEMA, Export


def write_parquet(export: Export) -> Iterator[bytes]:
    """A row group for each block. The head of the report is in the metadata, as JSON."""
    sink = _Sink()
    schema = SCHEMA.with_metadata(
        {
            "usage_report.schema_version": str(export.head["schema_version"]),
            "usage_report.head": orjson.dumps(export.head),
        }
    )
    writer = pq.ParquetWriter(sink, schema, compression="zstd")
    for block in export.blocks:
        writer.write_batch(block.replace_schema_metadata(schema.metadata))
        yield sink.take()
    # The footer, without which no reader takes the file for a whole one.
    writer.close()
    yield sink.take()


class _Sink:
    """A file to write to, whose bytes are taken away as they come."""

    closed = False

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def write(self, piece: bytes) -> int:
        self._pieces.append(bytes(piece))
        return len(piece)

    def flush(self) -> None:
        """Nothing is held back."""

    def close(self) -> None:
        """There is nothing to close."""

    def take(self) -> bytes:
        """What was written since."""
        taken = b"".join(self._pieces)
        self._pieces.clear()
        return taken
