"""One valid event of each kind, as a sender would send it; a test changes one field.

Next: ingest.accept
"""

import copy
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from ingest.accept import Rules, Verdicts, accept
from ingest.bodies import Form
from sinks.keys import Key

NOW = datetime(2026, 3, 15, 12, 0, 0, 250_900, tzinfo=UTC)
RECEIVED_AT = "2026-03-15T12:00:00.250Z"
RULES = Rules(partitions=12, batch_max_events=10_000, retention=timedelta(days=400))

_LAUNCH: dict[str, Any] = {
    "specversion": "1.0",
    "id": "sample-1",
    "source": "sample/desktop",
    "type": "product.launched",
    "subject": "sample-user",
    "time": "2026-03-15T11:59:00Z",
    "data": {"team_id": "sample-team", "product_id": "sample-product"},
}


def key(*scopes: str, teams: frozenset[str] = frozenset()) -> Key:
    """A key of the tenant `sample`, with scope ingest if none is named."""
    return Key("k1", "sample", "", frozenset(scopes or ("ingest",)), teams)


def launch(**changes: Any) -> dict[str, Any]:
    """A launch; `data` is replaced as a whole, and a value of ABSENT takes the attribute away."""
    return _changed(copy.deepcopy(_LAUNCH), changes)


def consumption(tokens: Any = 1.5, **changes: Any) -> dict[str, Any]:
    """Tokens consumed."""
    event = launch(type="tokens.consumed", **changes)
    event["data"]["tokens"] = tokens
    return event


def with_data(event: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """`event` with some of its data changed."""
    return {**event, "data": _changed(dict(event["data"]), changes)}


ABSENT: Any = object()


def _changed(fields: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    fields.update(changes)
    return {name: value for name, value in fields.items() if value is not ABSENT}


def judged(*events: Any, by: Key | None = None, now: datetime = NOW) -> Verdicts:
    """The verdicts on a batch of these events."""
    return judged_body(orjson.dumps(events), by=by, now=now)


def judged_body(
    body: bytes, form: Form = Form.MANY, *, by: Key | None = None, now: datetime = NOW
) -> Verdicts:
    """The verdicts on this body."""
    return accept(body, form, key=by or key(), now=now, rules=RULES)


def lines(verdicts: Verdicts) -> list[dict[str, str]]:
    """The accepted lines, decoded."""
    return [orjson.loads(line) for group in verdicts.lines.values() for line in group]
