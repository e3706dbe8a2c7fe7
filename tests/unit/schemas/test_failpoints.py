"""Failpoints: armed by name and count, and nothing at all when unset."""

import subprocess
import sys

import pytest

from schemas import failpoints

TIMES = (
    "from schemas.failpoints import arm, reach; arm({text!r})\nfor _ in range(5): reach('folded')"
)


@pytest.mark.parametrize(
    ("text", "status"), [("", 0), ("folded:3", -9), ("folded:6", 0), ("committed:1", 0)]
)
def test_a_process_dies_where_it_was_told_to(text, status):
    """The count is of this place alone, and the death is a kill -9."""
    done = subprocess.run([sys.executable, "-c", TIMES.format(text=text)], check=False)
    assert done.returncode == status


@pytest.mark.parametrize("text", ["fold:1", "folded:0", "folded", "folded:x"])
def test_what_is_no_failpoint_is_refused(text):
    """A name or a count that is none would be a test that tests nothing."""
    with pytest.raises(ValueError):  # noqa: PT011 - its text is Python's own for a bad number
        failpoints.arm(text)
    failpoints.arm("")
