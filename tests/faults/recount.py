"""The topic counted again, by other means than the worker's: what the rows must be (R).

Next: tests.faults.checks
"""

import json
from collections import defaultdict
from decimal import Decimal

from tests.faults.load import Place
from tests.support.topic_reader import TopicReader

ROW = ("user_id", "product_id", "product_version", "team_id", "access")


def recount(bootstrap: str, topic: str, tenant: str) -> dict[Place, int]:
    """Tokens of each row in ten-thousandths: of every identity the first one on the log."""
    first: dict[tuple, dict] = {}
    with TopicReader(bootstrap, topic, from_start=True) as reader:
        records = sorted(reader.records(), key=lambda record: (record.partition, record.offset))
    for record in records:
        for text in record.value.split(b"\n"):
            line = json.loads(text)
            identity = tuple(line[name] for name in ("tenant", "user_id", "source", "id"))
            first.setdefault((*identity, line["time"][:10]), line)
    rows: dict[Place, int] = defaultdict(int)
    for (of_tenant, *_, day), line in first.items():
        if of_tenant == tenant:
            place = Place(*(line[name] for name in ROW), day)
            rows[place] += int(Decimal(line["tokens"]) * 10_000)
    return dict(rows)
