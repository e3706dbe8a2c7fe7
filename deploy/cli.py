"""`usage-report`: every command by its name; what they do is in `deploy.commands`.

Exit status: 0 done, 1 a difference or failure found, 2 usage, 78 a person is needed.

Next: deploy.commands.run
"""

import sys
from importlib import import_module
from typing import Any

import typer
from rich.console import Console

from deploy.ask import Refused
from deploy.commands.terminal import FOUND, USAGE
from deploy.connection import NotFound
from deploy.maintenance import NotNow
from schemas.rejects import PersonNeeded, Unavailable
from sinks.leases import Held, Lost

RUN, DATA, CARE = "Run", "Events and reports", "Operate"

# Each command's function in `deploy.commands`, and its panel of the help.
COMMANDS = {
    "up": ("run.up", RUN),
    "ingest": ("run.ingest", RUN),
    "worker": ("run.worker", RUN),
    "query": ("run.query", RUN),
    "kafka": ("run.kafka", RUN),
    "clickhouse": ("run.clickhouse", RUN),
    "generate": ("generate.generate", DATA),
    "send": ("send.send", DATA),
    "report": ("report.report", DATA),
    "export": ("export.export", DATA),
    "hash": ("keys.hash_user", DATA),
    "lag": ("books.lag", CARE),
    "ledger": ("books.ledger", CARE),
    "verify": ("books.verify", CARE),
    "rebuild": ("rebuild.rebuild", CARE),
    "replay": ("replay.replay", CARE),
    "erase": ("erase.erase", CARE),
    "backup": ("backup.backup", CARE),
    "restore": ("backup.restore", CARE),
    "migrate": ("run.migrate", CARE),
    "settings": ("settings.settings", CARE),
}
GROUPS = {
    "directory": ("directory.group", DATA),
    "keys": ("keys.group", CARE),
    "dead-letters": ("dead_letters.group", CARE),
    "epoch": ("epoch.group", CARE),
}


def app_for(asked: str) -> typer.Typer:
    """The command `asked` for, or all of them when that is none: the others are not loaded."""
    app = typer.Typer(
        name="usage-report",
        help="Who uses which product, counted exactly once.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
    )
    # Without it, a command that is the only one would have no name.
    app.callback()(lambda: None)
    is_known = asked in COMMANDS or asked in GROUPS
    for name, (place, panel) in COMMANDS.items():
        if name == asked or not is_known:
            app.command(name, rich_help_panel=panel)(_loaded(place))
    for name, (place, panel) in GROUPS.items():
        if name == asked or not is_known:
            app.add_typer(_loaded(place), name=name, rich_help_panel=panel)
    return app


def _loaded(place: str) -> Any:
    module, _, name = place.partition(".")
    return getattr(import_module(f"deploy.commands.{module}"), name)


def main() -> None:
    """The console script."""
    app = app_for(sys.argv[1] if len(sys.argv) > 1 else "")
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
