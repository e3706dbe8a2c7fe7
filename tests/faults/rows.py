"""All rows, registered by importing where they stand.

Next: tests.faults.perform
"""

from tests.faults import rows_worker
from tests.faults.catalogue import ROWS

__all__ = ["ROWS", "rows_worker"]
