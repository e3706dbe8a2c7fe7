"""What a person sees of `up`: what it waits for, trouble, and in the end where everything is.

Next: deploy.local
"""

import shlex
from pathlib import Path
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.table import Table

from deploy.connection import KEY
from deploy.local import Ready

# Short lines: one that is wrapped may not survive being copied from a terminal.
_EVENT = """{
    "specversion": "1.0", "id": "hello-1", "source": "sample/terminal",
    "type": "product.launched", "subject": "sample-user-of-curl",
    "data": {"team_id": "sample-team", "product_id": "sample-curl"}}"""


class Screen:
    """Steps and trouble go to standard error, the table to standard output."""

    def __init__(self) -> None:
        # Wide enough for a key: what does not fit is wrapped by the terminal, and can be copied.
        self._out = Console(width=160)
        self._err = Console(stderr=True, soft_wrap=True)
        self._status = self._err.status("starting")

    def __enter__(self) -> Self:
        if self._err.is_terminal:
            self._status.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._status.stop()

    def step(self, text: str) -> None:
        """What is being done now."""
        if self._err.is_terminal:
            self._status.update(f"{text} …")
            self._status.start()
        else:
            self._err.print(text, markup=False, highlight=False)

    def trouble(self, text: str) -> None:
        """Something that a person should know."""
        self._err.print(text, markup=False, highlight=False, style="bold red")

    def ready(self, ready: Ready) -> None:
        """Where everything is, and the first thing to try."""
        self._status.stop()
        table = Table.grid(padding=(0, 2))
        table.add_column(style="bold")
        table.add_column(overflow="fold")
        table.add_row("Send events to", f"{ready.ingest_url}/v1/events")
        table.add_row("Reports", f"{ready.query_url}/v1/report")
        table.add_row("API documentation", f"{ready.query_url}/docs")
        table.add_row("Key (all scopes)", ready.key)
        table.add_row("Kafka", ready.kafka)
        table.add_row("ClickHouse", ready.clickhouse_url)
        table.add_row("Data and logs", ready.data_dir)
        self._say("\nUsage Report is running\n", style="bold")
        self._out.print(table)
        self._say("\nSend an event, and see it in the report:\n")
        for command in first_commands(ready):
            self._say(f"{command}\n", style="green")
        self._say("Look at the report, the snapshot, and take a file of all rows:\n")
        for command in report_commands(ready):
            self._say(f"{command}\n", style="green")
        self._say("Ctrl-C stops everything; the data stays.")

    def _say(self, text: str, style: str | None = None) -> None:
        self._out.print(text, style=style, markup=False, highlight=False, soft_wrap=True)


def first_commands(ready: Ready) -> list[str]:
    """Commands to paste into another terminal, whatever its directory."""
    key = _key_header(ready)
    send = (
        f"curl -H {key} \\\n  -H 'Content-Type: application/cloudevents+json' -d '{_EVENT}' \\\n"
        f"  {ready.ingest_url}/v1/events"
    )
    return [send, f"curl -H {key} \\\n  '{ready.query_url}/v1/report?product=sample-curl'"]


def report_commands(ready: Ready) -> list[str]:
    """A report, the snapshot, and an export, each to paste and change."""
    asked = ("/v1/report?by=product", "/v1/snapshot?preset=30d")
    curls = [f"curl -H {_key_header(ready)} \\\n  '{ready.query_url}{each}'" for each in asked]
    export = f"'{ready.query_url}/v1/report.csv?recommendation=unassign'"
    return [*curls, f"curl -OJ -H {_key_header(ready)} \\\n  {export}"]


def _key_header(ready: Ready) -> str:
    return f'"Authorization: Bearer $(cat {shlex.quote(str(Path(ready.data_dir) / KEY))})"'
