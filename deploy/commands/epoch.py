"""`usage-report epoch`: the lives of the log, and a new one with more partitions.

Next: deploy.epochs
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated

import typer

from aggregators.tails import lost
from deploy import connection, epochs
from deploy.commands.terminal import GO_ON, DataDir, Json, print_json, print_table, tell
from deploy.log_offsets import admin, read_offsets
from deploy.maintenance import maintenance
from deploy.store import store
from sinks.loads import Epoch, Loads

# Records lost at the end of an epoch, by partition.
Tails = Mapping[int, Mapping[int, int]]

group = typer.Typer(no_args_is_help=True, help="The lives of the log, and growing it.")


@group.command()
def show(*, data_dir: DataDir = None, as_json: Json = False) -> None:
    """Every epoch with what was lost at its end, at least, and the topic as it is now."""
    place = connection.find(data_dir)
    with store(place.clickhouse_dsn) as client:
        known = Loads(client).epochs()
        tails = lost(known, Loads(client).log_ends())
    with admin(place.kafka) as broker:
        offsets = read_offsets(broker)
    topic = {"topic_id": offsets.topic_id, "ends": offsets.ends, "lag": sum(offsets.lag.values())}
    if as_json:
        ends = {str(partition): end for partition, end in offsets.ends.items()}
        print_json({"epochs": _by_epoch(known, tails), "topic": {**topic, "ends": ends}})
        return
    _print_epochs(known, tails)
    rows = [[partition, end, offsets.lag[partition]] for partition, end in offsets.ends.items()]
    print_table(f"Topic {offsets.topic_id}", ("partition", "end", "lag"), rows)


@group.command()
def bump(
    *,
    partitions: Annotated[
        int | None, typer.Option(min=1, max=1024, help="Partitions from now on.")
    ] = None,
    after_loss: Annotated[
        bool, typer.Option(help="The broker lost the log's tail: fold again what is left of it.")
    ] = False,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Open a new life of the log: over more partitions, or after a loss.

    To grow: stop the gateways, let the lag become 0, bump, start them with the new number. It is
    the setting USAGE_PARTITIONS of every process. Given again, there is nothing to do.
    """
    if after_loss == (partitions is not None):
        raise typer.BadParameter("give --partitions or --after-loss")
    place = connection.find(data_dir)
    with store(place.clickhouse_dsn) as client, admin(place.kafka) as broker:
        alone = maintenance(place.clickhouse_dsn, broker, "epoch bump", tell=tell)
        if partitions is None:
            with alone as lease:
                opened = epochs.after_loss(client, broker, lease, clock=_now)
            closing = GO_ON if opened else f"nothing of this topic is folded yet; {GO_ON}"
        elif opened := epochs.opened_already(client, broker, partitions):
            closing = f"the epoch hashes over {partitions} partitions already: nothing to do"
        else:
            tell(f"looking whether the log is still, for {epochs.STILL_SECONDS:.0f} s")
            opened = epochs.bump(client, broker, alone, partitions=partitions, clock=_now)
            closing = f"now start gateways with USAGE_PARTITIONS={partitions}; {GO_ON}"
    if as_json:
        print_json({"epochs": _by_epoch(opened, {})})
        return
    _print_epochs(opened, {})
    typer.echo(closing)


def _now() -> datetime:
    return datetime.now(UTC)


def _by_epoch(rows: Sequence[Epoch], tails: Tails) -> list[dict[str, object]]:
    found: dict[int, list[Epoch]] = {}
    for row in rows:
        found.setdefault(row.epoch, []).append(row)
    return [
        {
            "epoch": epoch,
            "topic_id": parts[0].topic_id,
            "partitions": parts[0].partitions,
            "first_offsets": [part.first_offset for part in parts],
            "lost": sum(tails.get(epoch, {}).values()),
        }
        for epoch, parts in found.items()
    ]


def _print_epochs(rows: Sequence[Epoch], tails: Tails) -> None:
    names = ("epoch", "topic_id", "partitions", "first_offsets", "lost")
    print_table("Epochs", names, [list(epoch.values()) for epoch in _by_epoch(rows, tails)])
    if tails:
        typer.echo("lost: records seen on a topic that was deleted before they were folded")
