"""The parameters of the report as options of a command, from the one table that HTTP reads.

Next: deploy.commands.report
"""

import inspect
from collections.abc import Callable
from typing import Annotated, Any

import typer

from query_service.params import Parameter

Asked = dict[str, Any]


def with_options(
    parameters: tuple[Parameter, ...],
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """A decorator: the command has an option for each parameter, and gets them all as `asked`."""

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        names = {_safe(parameter.name): parameter.name for parameter in parameters}

        def whole(**given: Any) -> None:
            asked = {name: given.pop(safe) for safe, name in names.items()}
            command({name: value for name, value in asked.items() if value}, **given)

        own = list(inspect.signature(command).parameters.values())[1:]
        arguments = [each for each in own if each.kind is not each.KEYWORD_ONLY]
        flags = [each for each in own if each.kind is each.KEYWORD_ONLY]
        every = [*arguments, *map(_option, parameters), *flags]
        whole.__signature__ = inspect.Signature(every)  # type: ignore[attr-defined]  # typer reads it
        whole.__annotations__ = {each.name: each.annotation for each in every}
        whole.__doc__ = command.__doc__
        return whole

    return decorate


def _option(parameter: Parameter) -> inspect.Parameter:
    kind = list[str] | None if parameter.repeatable else str | None
    text = parameter.description
    if parameter.allowed:
        text = f"{text.rstrip('.')}: {', '.join(parameter.allowed)}."
    if parameter.repeatable:
        text += " Repeatable."
    flag = f"--{parameter.name.replace('_', '-')}"
    return inspect.Parameter(
        _safe(parameter.name),
        inspect.Parameter.KEYWORD_ONLY,
        default=None,
        annotation=Annotated[kind, typer.Option(flag, help=text, show_default=False)],
    )


def _safe(name: str) -> str:
    """The name where a word of Python stands in its way: from."""
    return f"{name}_"
