"""Text of exports: what Arrow writes fast is what the slow and plain way writes."""

import csv
import io
from datetime import UTC, datetime, timedelta

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from query_service.export_csv import lines
from query_service.export_text import plain

TEXT = st.none() | st.text() | st.text(alphabet="a\",;\r\n\t 'é")
ROWS = st.lists(st.tuples(TEXT, TEXT, st.none() | st.integers(-(2**63), 2**63 - 1)), min_size=1)
# What a DateTime64 of ClickHouse holds.
MOMENTS = st.none() | st.integers(0, 10_413_791_999_999).map(
    lambda milliseconds: datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=milliseconds)
)


@settings(deadline=None)
@given(ROWS)
def test_lines_are_those_of_pythons_csv(found):
    """Whether or not a text has to be quoted: quotes stand where they must, and nowhere else."""
    columns = zip(*found, strict=True)
    types = (pa.string(), pa.string(), pa.int64())
    arrays = [pa.array(each, kind) for each, kind in zip(columns, types, strict=True)]
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\r\n").writerows(found)
    assert lines(pa.record_batch(arrays, names=["a", "b", "c"])) == text.getvalue().encode()


@settings(deadline=None)
@given(st.lists(MOMENTS))
def test_times_are_those_of_rfc_3339(moments):
    """In UTC with milliseconds; none stays none."""
    column = pa.array(moments, pa.timestamp("ms", tz="UTC"))
    expected = [
        moment and moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        for moment in moments
    ]
    assert plain("last_accessed", column).to_pylist() == expected
