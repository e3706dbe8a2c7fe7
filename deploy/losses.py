"""Records that were deleted before they were folded: what of them is stored is counted after all.

A worker that died in mid-batch may have stored their events, and not the rows and books.

Next: sinks.rebuild
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from clickhouse_connect.driver.client import Client

from schemas.rollups import FOLD_VERSION
from sinks.clickhouse import query, statement
from sinks.rebuild import Chosen, rebuild


@dataclass(frozen=True)
class Loss:
    """Positions of a partition above `folded` and below `start`."""

    partition: int
    folded: int
    start: int


def settle(client: Client, losses: Sequence[Loss], *, check: Callable[[], None]) -> None:
    """Count again the rows of events that lost records left behind, and book these events.

    May be done again: before the store's progress is moved past the losses, and under the lease,
    which `check` asks for before each step.
    """
    places = {
        "partitions": [loss.partition for loss in losses],
        "folded": [loss.folded for loss in losses],
        "starts": [loss.start for loss in losses],
    }
    found = query(client, statement("sinks.sql", "lost_users"), parameters=places).result_rows
    if found:
        tenants, users = (sorted(set(names)) for names in zip(*found, strict=True))
        rebuild(client, Chosen(tenants=tenants, users=users), check=check)
    check()
    client.command(
        statement("sinks.sql", "book_lost"),
        parameters={
            "partitions": places["partitions"],
            "starts": places["starts"],
            "fold_version": FOLD_VERSION,
        },
    )
