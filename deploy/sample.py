"""The sample on its way: the directory first, then three months of events of crowd and stories.

Run by `up --sample` in a process of its own; run again for the same moment, it adds nothing.

Next: deploy.sample_directory
"""

import sys
from collections.abc import Iterator
from datetime import datetime
from itertools import chain
from pathlib import Path

import orjson

from deploy import connection, generate, sample_stories
from deploy.batches import Line, batches
from deploy.connection import Connection
from deploy.directory_load import BATCH_ENTRIES, Loader
from deploy.generate import Load
from deploy.sample_directory import sample_directory
from deploy.send import DEFAULT_BATCH, DEFAULT_PATIENCE_SECONDS, Sender

# Three months for the whole of the default range, by enough users for full pages.
DAYS, EVENTS, USERS, LATE, SEED = 92, 30_000, 150, 0.02, 1


class Incomplete(Exception):  # noqa: N818 - named for what happened, as the style asks
    """Something of the sample was rejected; the text says what."""


def sample_load(until: datetime) -> Load:
    """The crowd's events, ending at `until`."""
    return Load(events=EVENTS, users=USERS, days=DAYS, until=until, late=LATE, seed=SEED)


def load_sample(place: Connection, until: datetime) -> None:
    """Load everything; raises Incomplete, and what Loader and Sender raise."""
    _load_directory(place, sample_load(until))
    _send_events(place, until)


def _load_directory(place: Connection, load: Load) -> None:
    with Loader(place, patience_seconds=DEFAULT_PATIENCE_SECONDS, retried=print) as loader:
        for entity, entries in sample_directory(load).items():
            numbered = _numbered(map(orjson.dumps, entries))
            answers = loader.load(entity, batches(numbered, BATCH_ENTRIES))
            verdicts = [verdict for _, rejected in answers for verdict in rejected]
            _require(not verdicts, f"{entity} were rejected: {verdicts[:3]}")


def _send_events(place: Connection, until: datetime) -> None:
    texts = chain(sample_stories.lines(until), generate.lines(sample_load(until)))
    sender = Sender(place.ingest_url, place.key or "")
    tally = sender.run(batches(_numbered(text.encode() for text in texts), DEFAULT_BATCH))
    _require(not tally.rejected, f"{tally.rejected} events were rejected")


def _require(good: bool, otherwise: str) -> None:
    if not good:
        raise Incomplete(otherwise)


def _numbered(texts: Iterator[bytes]) -> Iterator[Line]:
    return (Line(number, text) for number, text in enumerate(texts, start=1))


if __name__ == "__main__":
    load_sample(connection.find(Path(sys.argv[1])), datetime.fromisoformat(sys.argv[2]))
