"""The commands that run something: `up`, each process by itself, and `migrate`.

Next: deploy.local
"""

import os
import sys
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from deploy import clickhouse as clickhouse_server
from deploy import connection, local, plan
from deploy import kafka as kafka_server
from deploy.commands.screen import Screen
from deploy.commands.terminal import FOUND, DataDir, Json, fail, print_json
from deploy.prepare import prepare
from schemas.settings import StoreSettings, read

Port = Annotated[int | None, typer.Option(min=1, max=65535, show_default="usual, or one free")]


def up(
    *,
    data_dir: Annotated[
        Path, typer.Option(envvar="USAGE_DATA_DIR", help="Where everything is kept.")
    ] = connection.DEFAULT_DATA_DIR,
    ingest_port: Port = None,
    query_port: Port = None,
    kafka_port: Port = None,
    clickhouse_port: Port = None,
    worker_port: Port = None,
    sample: Annotated[
        bool,
        typer.Option("--sample", help="First start: load a directory and three months of events."),
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="When ready, print one line of JSON and keep running.")
    ] = False,
) -> None:
    """Run the whole system on this machine until Ctrl-C. A second start finds its own ports."""
    asked = {
        "ingest": ingest_port,
        "query": query_port,
        "kafka": kafka_port,
        "clickhouse": clickhouse_port,
        "worker": worker_port,
    }
    with Screen() as screen:
        words = local.Words(
            step=screen.step,
            trouble=screen.trouble,
            ready=print_now if as_json else screen.ready,
        )
        try:
            local.up(
                data_dir, asked_ports=asked, sample=sample, environ=dict(os.environ), words=words
            )
        except (local.AlreadyUp, local.NotStarted, plan.PortTaken, plan.NothingToSecure) as trouble:
            fail(str(trouble), FOUND)


def print_now(ready: local.Ready) -> None:
    """The line of JSON, past any buffer: who waits for it reads a pipe."""
    print_json(asdict(ready))
    sys.stdout.flush()


def ingest() -> None:
    """Run the gateway; its settings are environment variables (see `settings`)."""
    _become("ingest")


def worker() -> None:
    """Run one worker; its settings are environment variables (see `settings`)."""
    _become("worker")


def query() -> None:
    """Run the query service; its settings are environment variables (see `settings`)."""
    _become("query")


def _become(name: str) -> NoReturn:
    arguments = [sys.executable, "-P", "-m", plan.MODULES[name]]
    os.execv(arguments[0], arguments)  # noqa: S606  -- no shell is wanted


class KafkaDeed(StrEnum):
    """What to do with the broker."""

    START = "start"
    STOP = "stop"
    WIPE = "wipe"


def kafka(
    deed: Annotated[KafkaDeed, typer.Argument(help="wipe stops it and removes its data.")],
    data_dir: Annotated[
        Path, typer.Option(help="The broker's own directory.")
    ] = connection.DEFAULT_DATA_DIR / "kafka",
    port: Annotated[int, typer.Option(min=1, max=65535)] = kafka_server.DEFAULT_PORT,
) -> None:
    """Run a real Kafka of one node on this machine, or stop it, or stop and wipe it."""
    raise typer.Exit(kafka_server.main([deed, "--data-dir", str(data_dir), "--port", str(port)]))


def clickhouse(
    data_dir: Annotated[
        Path, typer.Option(help="The server's own directory.")
    ] = connection.DEFAULT_DATA_DIR / "clickhouse",
    port: Annotated[int, typer.Option(min=0, max=65535)] = plan.DEFAULT_PORTS["clickhouse"],
) -> None:
    """Run ClickHouse's engine on this machine behind ClickHouse's HTTP interface."""
    try:
        clickhouse_server.serve(data_dir=data_dir, port=port)
    except clickhouse_server.AlreadyServed:
        fail(f"a server has {data_dir} open already")


def migrate(data_dir: DataDir = None, *, as_json: Json = False) -> None:
    """Bring tables and topics to what this release needs; harmless to repeat."""
    applied, touched = prepare(connection.find(data_dir), read(StoreSettings))
    if as_json:
        print_json({"migrations": applied, "topics": touched})
    else:
        typer.echo(f"applied {len(applied)} migrations, made or corrected {len(touched)} topics")
