"""Every row of the fault catalogue, whole; `make faults` runs them, `make test` a part."""

import os
import tempfile
from pathlib import Path

import pytest

from tests.faults.perform import perform
from tests.faults.rows import ROWS

SEED = int(os.environ.get("USAGE_FAULT_SEED", "1"))
REPORT = Path(os.environ.get("USAGE_FAULT_REPORT_DIR") or tempfile.mkdtemp(prefix="usage-faults-"))

pytestmark = [pytest.mark.faults, pytest.mark.timeout(1800)]


@pytest.mark.parametrize("name", ROWS)
def test_row(tmp_path, name):
    """Nothing is lost or doubled, totals never fall, and the system heals or stops as it must."""
    outcome = perform(name, tmp_path, SEED, REPORT)
    assert not outcome.complaints()
