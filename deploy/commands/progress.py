"""The progress bar of long commands: on standard error, and only where a person looks on.

Next: deploy.commands.send
"""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text


class _Speed(ProgressColumn):
    """How many a second."""

    def __init__(self, unit: str) -> None:
        super().__init__()
        self._unit = unit

    def render(self, task: Task) -> Text:
        return Text(f"{task.speed or 0:,.0f} {self._unit}/s")


class Bar:
    """A bar that is being shown."""

    def __init__(self, progress: Progress, task: TaskID) -> None:
        self._progress, self._task = progress, task

    def advance(self, count: int) -> None:
        """So many more are done."""
        self._progress.update(self._task, advance=count)

    def note(self, text: str) -> None:
        """Show `text` beside the bar; an empty one takes it away."""
        self._progress.update(self._task, note=text)


@contextmanager
def progress_bar(
    title: str, total: int | None, *, shown: bool = True, unit: str = "events"
) -> Iterator[Bar]:
    """A bar for `total` events (None: not known); silent when standard error is no terminal."""
    console = Console(stderr=True)
    with Progress(
        TextColumn(title),
        BarColumn(),
        MofNCompleteColumn(),
        _Speed(unit),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}"),
        console=console,
        transient=True,
        disable=not (shown and console.is_terminal),
    ) as progress:
        yield Bar(progress, progress.add_task(title, total=total, note=""))
