"""`complete_up_to`: every event answered 2xx before this moment is in the numbers.

Next: query_service.report
"""

from datetime import datetime

from query_service.store import Store


def complete_up_to(store: Store, *, partitions: int) -> datetime | None:
    """The least over all partitions; None while one of them has no progress yet.

    To be read before the rows, or it would promise what they were read too early to hold.
    """
    moments: dict[int, datetime] = {
        row["partition"]: row["moment"] for row in store.ask_all("complete_up_to")
    }
    if any(partition not in moments for partition in range(partitions)):
        return None
    least = min(moments[partition] for partition in range(partitions))
    # An epoch that holds no record yet and was never caught up with knows no moment.
    return least if least.timestamp() > 0 else None
