"""`usage-report settings`: every setting with its environment variable, default and meaning.

Next: schemas.settings
"""

from collections.abc import Iterator
from itertools import groupby
from operator import itemgetter
from textwrap import fill
from typing import Annotated, Any

import typer
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined
from rich.console import Console

from deploy.commands.terminal import Json, print_json
from deploy.connection import ConnectionSettings
from schemas import settings as schemas_settings

MODELS = (
    ("all", schemas_settings.CommonSettings),
    ("ingest", schemas_settings.IngestSettings),
    ("worker", schemas_settings.WorkerSettings),
    ("query", schemas_settings.QuerySettings),
    ("migrate", schemas_settings.StoreSettings),
    ("commands", ConnectionSettings),
)
Markdown = Annotated[
    bool, typer.Option("--markdown", help="Print the page deploy/configuration.md.")
]
PAGE = """# Configuration

Every setting of every process, by its environment variable; read once, at the start of a process.
The same list is printed by `usage-report settings`.
Types and bounds are in [schemas/settings.py](../schemas/settings.py) \
and [deploy/connection.py](connection.py), from which `make reference` writes this page.
"""


def settings(*, as_json: Json = False, as_markdown: Markdown = False) -> None:
    """List every setting: its environment variable, who reads it, its default, what it means."""
    found = list(every_setting())
    if as_json:
        print_json(found)
    elif as_markdown:
        typer.echo(page(found), nl=False)
    else:
        show(found, Console().width)


def page(found: list[dict[str, Any]]) -> str:
    """The reference in Markdown: a table under each of the first readers."""
    parts = [PAGE.rstrip()]
    for reader, read in groupby(found, itemgetter("read_by")):
        parts.append(f"\n## Read by {reader}\n")
        parts.append("| variable | default | what it does | read by |\n| --- | --- | --- | --- |")
        parts += [_row(setting) for setting in read]
    return "\n".join(parts) + "\n"


def _row(setting: dict[str, Any]) -> str:
    default = f"`{setting['default']}`" if setting["default"] else "none"
    readers = ", ".join(readers_of(setting["variable"]))
    cells = (f"`{setting['variable']}`", default, setting["meaning"], readers)
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def readers_of(variable: str) -> list[str]:
    """The processes that read it; `all` stands for three of them."""
    return [
        reader
        for reader, model in MODELS
        if reader != "all"
        and variable
        in {
            _variable(model.model_config["env_prefix"], name, field)
            for name, field in model.model_fields.items()
        }
    ]


def show(found: list[dict[str, Any]], width: int) -> None:
    """Under each reader its settings as they would be set, and what they mean below."""
    for reader, read in groupby(found, itemgetter("read_by")):
        typer.echo(f"Read by {reader}\n")
        for setting in read:
            typer.echo(f"{setting['variable']}={setting['default'] or ''}")
            indent = "    "
            typer.echo(
                fill(setting["meaning"], width, initial_indent=indent, subsequent_indent=indent)
            )
        typer.echo()


def every_setting() -> Iterator[dict[str, Any]]:
    """Each once, under the first of its readers."""
    seen = set()
    for reader, model in MODELS:
        prefix = model.model_config["env_prefix"]
        for name, field in model.model_fields.items():
            variable = _variable(prefix, name, field)
            if variable not in seen:
                seen.add(variable)
                yield {
                    "variable": variable,
                    "read_by": reader,
                    "default": _default(field),
                    "meaning": field.description,
                }


def _variable(prefix: str, name: str, field: FieldInfo) -> str:
    alias = field.validation_alias
    return alias if isinstance(alias, str) else f"{prefix}{name}".upper()


def _default(field: FieldInfo) -> str | None:
    value = field.get_default(call_default_factory=True, validated_data={})
    return None if value is None or value is PydanticUndefined else str(value)
