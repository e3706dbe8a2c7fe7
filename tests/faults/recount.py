"""The topic counted again, by other means than the worker's: what the rows must be (R).

Next: tests.faults.checks
"""

import json
from collections import defaultdict
from collections.abc import Iterator
from contextlib import suppress
from decimal import Decimal

from schemas.events import COLUMNS
from tests.faults.load import SOURCE, Place, event_of
from tests.faults.oracle import Event
from tests.support.topic_reader import TopicReader

COMPLETE = set(COLUMNS)
ROW = ("user_id", "product_id", "product_version", "team_id", "access")


def recount(bootstrap: str, topic: str, tenant: str) -> dict[Place, int]:
    """Tokens of each row in ten-thousandths: of every identity the first one on the log."""
    first: dict[tuple, dict] = {}
    for line in _lines(bootstrap, topic):
        identity = tuple(line[name] for name in ("tenant", "user_id", "source", "id"))
        first.setdefault((*identity, line["time"][:10]), line)
    rows: dict[Place, int] = defaultdict(int)
    for (of_tenant, *_, day), line in first.items():
        if of_tenant == tenant:
            place = Place(*(line[name] for name in ROW), day)
            rows[place] += int(Decimal(line["tokens"]) * 10_000)
    return dict(rows)


def events_on(bootstrap: str, topic: str) -> set[Event]:
    """The events of the load that are on the log."""
    return {event_of(line["id"]) for line in _lines(bootstrap, topic) if line["source"] == SOURCE}


def _lines(bootstrap: str, topic: str) -> Iterator[dict[str, str]]:
    """Every event in log order; what is no event is passed over, as the worker does."""
    with TopicReader(bootstrap, topic, from_start=True) as reader:
        records = sorted(reader.records(), key=lambda record: (record.partition, record.offset))
    for record in records:
        for text in record.value.split(b"\n"):
            with suppress(ValueError):
                line = json.loads(text)
                if set(line) >= COMPLETE:
                    yield line
