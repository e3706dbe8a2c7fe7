"""`usage-report`: every command by its name; what they do is in `deploy.commands`.

Exit status: 0 done, 1 a difference or failure found, 2 usage, 78 a person is needed.

Next: deploy.commands.run
"""

import sys
from collections.abc import Callable

import typer
from rich.console import Console

from deploy.ask import Refused
from deploy.commands import (
    books,
    dead_letters,
    directory,
    epoch,
    export,
    generate,
    keys,
    rebuild,
    replay,
    report,
    run,
    send,
    settings,
)
from deploy.commands.terminal import FOUND, USAGE
from deploy.connection import NotFound
from deploy.maintenance import NotNow
from schemas.rejects import PersonNeeded, Unavailable
from sinks.leases import Held, Lost

app = typer.Typer(
    name="usage-report",
    help="Who uses which product, counted exactly once.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

RUN, DATA, CARE = "Run", "Events and reports", "Operate"

COMMANDS: dict[str, tuple[Callable[..., None], str]] = {
    "up": (run.up, RUN),
    "ingest": (run.ingest, RUN),
    "worker": (run.worker, RUN),
    "query": (run.query, RUN),
    "kafka": (run.kafka, RUN),
    "clickhouse": (run.clickhouse, RUN),
    "generate": (generate.generate, DATA),
    "send": (send.send, DATA),
    "report": (report.report, DATA),
    "export": (export.export, DATA),
    "hash": (keys.hash_user, DATA),
    "lag": (books.lag, CARE),
    "ledger": (books.ledger, CARE),
    "verify": (books.verify, CARE),
    "rebuild": (rebuild.rebuild, CARE),
    "replay": (replay.replay, CARE),
    "migrate": (run.migrate, CARE),
    "settings": (settings.settings, CARE),
}
GROUPS: dict[str, tuple[typer.Typer, str]] = {
    "directory": (directory.group, DATA),
    "keys": (keys.group, CARE),
    "dead-letters": (dead_letters.group, CARE),
    "epoch": (epoch.group, CARE),
}
for _name, (_command, _panel) in COMMANDS.items():
    app.command(_name, rich_help_panel=_panel)(_command)
for _name, (_group, _panel) in GROUPS.items():
    app.add_typer(_group, name=_name, rich_help_panel=_panel)


def main() -> None:
    """The console script."""
    try:
        app()
    except PersonNeeded as stop:
        _complain(stop)
        sys.exit(PersonNeeded.EXIT_STATUS)
    except Refused as refused:
        _complain(refused)
        sys.exit(USAGE)
    except (NotFound, Unavailable, NotNow, Held, Lost) as trouble:
        _complain(trouble)
        sys.exit(FOUND)


def _complain(trouble: Exception) -> None:
    Console(stderr=True, soft_wrap=True).print(f"usage-report: {trouble}", markup=False)


if __name__ == "__main__":
    main()
