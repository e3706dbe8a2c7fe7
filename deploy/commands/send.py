"""`usage-report send`: a file of events to a gateway, with rejects by line and a summary.

Next: deploy.send
"""

import json
import sys
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import nullcontext
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import IO, Annotated

import typer

from deploy import connection
from deploy.batches import Batch, UnreadableFile, batches, lines_of, read_ndjson
from deploy.commands.progress import Bar, progress_bar
from deploy.commands.terminal import (
    FOUND,
    USAGE,
    DataDir,
    Json,
    fail,
    print_json,
    print_table,
    writable,
)
from deploy.resume import Mark
from deploy.send import (
    DEFAULT_BATCH,
    DEFAULT_CONCURRENCY,
    DEFAULT_PATIENCE_SECONDS,
    GaveUp,
    Refused,
    Reject,
    Sender,
    Tally,
    Watch,
)

NO_KEY = "no key: set USAGE_KEY, or name the directory of an `up` with --data-dir"
_REJECTS_SHOWN = 10


File = Annotated[Path, typer.Argument(help="NDJSON, or CSV by its name; - for NDJSON on stdin.")]
PerRequest = Annotated[int, typer.Option(min=1, help="Events in a request.")]
Parallel = Annotated[int, typer.Option(min=1, max=64, help="Requests at a time.")]
Rate = Annotated[float | None, typer.Option(min=0.1, help="Most events a second.")]
Patience = Annotated[float, typer.Option(min=0, help="Give up on a batch after so many seconds.")]
Rejects = Annotated[
    Path | None,
    typer.Option(callback=writable, help="Append rejected events here, one JSON a line."),
]
Restart = Annotated[bool, typer.Option("--restart", help="From the first line in any case.")]


def send(
    file: File,
    *,
    batch: PerRequest = DEFAULT_BATCH,
    concurrency: Parallel = DEFAULT_CONCURRENCY,
    rate: Rate = None,
    patience: Patience = DEFAULT_PATIENCE_SECONDS,
    rejects: Rejects = None,
    restart: Restart = False,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Send events to a gateway until each is answered; sending a file again is harmless.

    An interrupted run goes on where it stopped (the mark is FILE.sent). Columns of a CSV file:
    time, type, user_id, team_id, product_id, and if you like id, source, access, tokens,
    product_version, session_id, feature_id, cost_center. Exit status 1 if anything was rejected.
    """
    place = connection.find(data_dir)
    if not place.key:
        fail(NO_KEY, USAGE)
    if str(file) != "-" and not file.is_file():
        fail(f"there is no file {file}", USAGE)
    make = partial(Sender, place.ingest_url, place.key, concurrency=concurrency, rate=rate)
    make = partial(make, patience_seconds=patience)
    ending = partial(deliver, make, rejects=rejects, as_json=as_json)
    if str(file) == "-":
        ending(batches(read_ndjson(sys.stdin.buffer), batch), total=None)
        return
    mark = Mark(file, target=f"{place.ingest_url} {place.key.split('_')[1:2]}")
    after = 0 if restart else mark.line
    found = batches(lines_of(file, after=after), batch)
    ending(found, total=count_lines(file) - after, mark=mark)


def count_lines(file: Path) -> int:
    """About how many events a file has, for the progress bar."""
    with file.open("rb") as raw:
        return sum(block.count(b"\n") for block in iter(partial(raw.read, 1 << 20), b""))


def deliver(
    make: Callable[..., Sender],
    found: Iterable[Batch],
    *,
    total: int | None,
    rejects: Path | None = None,
    mark: Mark | None = None,
    as_json: bool = False,
) -> None:
    """Send the batches, show how it goes, sum up, and end with the right exit status.

    `make(watch=...)` makes the sender.
    """
    trouble = again = ""
    with (
        rejects.open("a", encoding="utf-8") if rejects else nullcontext() as reject_file,
        progress_bar("sending", total) as bar,
    ):
        watch = _Watch(bar, mark, reject_file)
        sender = make(watch=watch)
        try:
            sender.run(found)
        except UnreadableFile as error:
            trouble = str(error)
        except (Refused, GaveUp, KeyboardInterrupt) as error:
            trouble = str(error) or "interrupted"
            again = "; the same command goes on from here" if mark else ""
        finally:
            if mark:
                mark.save()
    if mark and not trouble:
        mark.remove()
    _sum_up(sender.tally, watch, trouble, as_json=as_json)
    if trouble:
        fail(f"{trouble}{again}", FOUND)
    if sender.tally.rejected:
        raise typer.Exit(FOUND)


class _Watch(Watch):
    """Moves the bar and the mark, and writes rejects down."""

    def __init__(self, bar: Bar, mark: Mark | None, reject_file: IO[str] | None) -> None:
        self.first_rejects: list[Reject] = []
        self.reasons: Counter[str] = Counter()
        self._bar, self._mark, self._file = bar, mark, reject_file

    def started(self, batch: Batch) -> None:
        if self._mark:
            self._mark.started(batch[0].number, batch[-1].number)

    def answered(self, batch: Batch, rejects: list[Reject]) -> None:
        self._bar.advance(len(batch))
        self._bar.note("")
        if self._mark:
            self._mark.answered(batch[0].number)
        for reject in rejects:
            self.reasons[reject.reason] += 1
            if self._file:
                self._file.write(json.dumps(asdict(reject)) + "\n")
        self.first_rejects += rejects[: _REJECTS_SHOWN - len(self.first_rejects)]

    def retried(self, trouble: str) -> None:
        self._bar.note(f"retrying: {trouble}")


def _sum_up(tally: Tally, watch: _Watch, trouble: str, *, as_json: bool) -> None:
    if as_json:
        rejects = [asdict(reject) for reject in watch.first_rejects]
        reasons = dict(watch.reasons)
        print_json(
            {**tally.as_json(), "reasons": reasons, "rejects": rejects, "error": trouble or None}
        )
        return
    names = ("sent", "accepted", "rejected", "retried", "events/s")
    speed = f"{tally.events_per_second:,.0f}"
    counts = (tally.sent, tally.accepted, tally.rejected, tally.retried, speed)
    print_table("Sent", names, [counts])
    if watch.first_rejects:
        shown = [(r.line, r.reason, r.field, r.detail) for r in watch.first_rejects]
        print_table("First rejects", ("line", "reason", "field", "detail"), shown)
