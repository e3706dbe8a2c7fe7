"""All rows, registered by importing where they stand.

Next: tests.faults.perform
"""

from tests.faults import (
    rows_clickhouse,
    rows_cluster,
    rows_events,
    rows_gateway,
    rows_kafka,
    rows_log,
    rows_short,
    rows_worker,
)
from tests.faults.catalogue import ROWS

PLACES = (
    *(rows_worker, rows_kafka, rows_log, rows_cluster, rows_clickhouse, rows_gateway),
    *(rows_events, rows_short),
)

__all__ = ["PLACES", "ROWS"]
