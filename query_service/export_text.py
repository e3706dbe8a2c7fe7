"""Typed blocks as the text that CSV and JSON share: exact decimals, times of RFC 3339.

Next: query_service.export_csv
"""

from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

# Rows made into Python values at once: these take many times the room of a block.
STEP_ROWS = 2048


def steps(blocks: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """The blocks in pieces of at most STEP_ROWS rows."""
    for block in blocks:
        for start in range(0, block.num_rows, STEP_ROWS):
            yield block.slice(start, STEP_ROWS)


def plain(name: str, column: pa.Array) -> pa.Array:
    """The column as JSON and CSV have it: whole numbers stay numbers, all else is text."""
    if pa.types.is_timestamp(column.type):
        return _time(column)
    if not pa.types.is_decimal(column.type):
        return column
    text = pc.cast(column, pa.string())
    if name == "tokens_used":
        # Exact, without zeros that say nothing; there is always a point before them.
        return pc.utf8_rtrim(pc.utf8_rtrim(text, "0"), ".")
    return text


def _time(column: pa.Array) -> pa.Array:
    """Times of UTC; without their zone they are written ten times as fast."""
    text = pc.cast(pc.cast(column, pa.timestamp("ms")), pa.string())
    return pc.binary_join_element_wise(pc.utf8_replace_slice(text, 10, 11, "T"), "Z", "")


def rows(block: pa.RecordBatch) -> Iterator[tuple[Any, ...]]:
    """The rows of a block of plain columns."""
    return zip(*(column.to_pylist() for column in block.columns), strict=True)
