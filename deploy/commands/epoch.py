"""`usage-report epoch`: the lives of the log, and a new one with more partitions.

Next: deploy.epochs
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated

import typer

from aggregators.tails import lost
from deploy import connection, epochs
from deploy.commands.terminal import DataDir, Json, fail, print_json, print_table
from deploy.log_offsets import admin, read_offsets
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
    with admin(place.kafka_bootstrap) as broker:
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
    partitions: Annotated[int, typer.Option(min=1, max=1024, help="Partitions from now on.")],
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Grow the log: stop the gateways, let the lag become 0, bump, start them with the new number.

    The number is the setting USAGE_PARTITIONS of every process.
    """
    place = connection.find(data_dir)
    with (
        store(place.clickhouse_dsn) as client,
        admin(place.kafka_bootstrap) as broker,
    ):
        try:
            opened = epochs.bump(client, broker, partitions=partitions, now=datetime.now(UTC))
        except epochs.NotNow as error:
            fail(str(error))
    if as_json:
        print_json({"epochs": _by_epoch(opened, {})})
        return
    _print_epochs(opened, {})
    typer.echo(f"now start gateways and workers with USAGE_PARTITIONS={partitions}")


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
