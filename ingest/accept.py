"""The rules of contract §1: a body's raw events become lines for the log, or rejects.

Pure: no I/O, and time is an argument. One bad event never fails its neighbours.

Next: ingest.publish
"""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from ingest.bodies import Form
from ingest.fields import access, encoded, optional, required, tokens, wrong
from ingest.parse import Malformed, dumps, parse
from ingest.values import utc_time
from schemas.events import (
    CONSUMED,
    FORBIDDEN_CHARS,
    MAX_AHEAD,
    MAX_BACK,
    MAX_IDENTITY_CHARS,
    MAX_NAME_CHARS,
    NO_TOKENS,
    TYPES,
    format_time,
)
from schemas.rejects import Reason, Rejected
from schemas.topics import partition_of
from sinks.keys import Key


@dataclass(frozen=True, slots=True)
class Reject:
    """One event that was refused; `raw` is what was sent."""

    index: int
    id: str | None
    reason: Reason
    field: str | None
    detail: str
    raw: bytes

    def answer(self) -> dict[str, Any]:
        """The reject as the sender sees it."""
        return {
            "index": self.index,
            "id": self.id,
            "reason": self.reason,
            "field": self.field,
            "detail": self.detail,
        }


@dataclass(slots=True)
class Verdicts:
    """What became of the events of one request: lines by partition, and rejects."""

    received_at: str
    lines: dict[int, list[bytes]] = field(default_factory=lambda: defaultdict(list))
    rejects: list[Reject] = field(default_factory=list)
    accepted: int = 0


@dataclass(frozen=True, slots=True)
class Rules:
    """The settings that the rules depend on."""

    partitions: int
    batch_max_events: int
    retention: timedelta


def accept(body: bytes, form: Form, *, key: Key, now: datetime, rules: Rules) -> Verdicts:
    """Judge every event of an unpacked `body`; `now` is when it arrived.

    Raises Rejected(batch_too_large).
    """
    return accept_events(parse(body, form), key=key, now=now, rules=rules)


def accept_events(events: list[Any], *, key: Key, now: datetime, rules: Rules) -> Verdicts:
    """Judge raw events as `parse` returns them; otherwise as `accept`."""
    if len(events) > rules.batch_max_events:
        raise Rejected(
            Reason.BATCH_TOO_LARGE, f"A request has at most {rules.batch_max_events} events."
        )
    judge = _Judge(key, now, rules)
    verdicts = Verdicts(judge.received_at)
    lines, tenant, partitions = verdicts.lines, key.tenant, rules.partitions
    for index, event in enumerate(events):
        try:
            user_id, line = judge.line_of(event)
        except Rejected as reject:
            verdicts.rejects.append(_reject(index, event, reject, _raw(event)))
        else:
            lines[partition_of(tenant, user_id, partitions)].append(line)
    verdicts.accepted = len(events) - len(verdicts.rejects)
    return verdicts


def _raw(event: Any) -> bytes:
    """What was sent, as JSON where it is JSON."""
    if type(event) is dict and type(event.get("data")) is Malformed:
        event = event["data"]
    return event.raw if type(event) is Malformed else dumps(event)


def broken_body(body: bytes, why: Rejected, *, now: datetime) -> Verdicts:
    """The verdict on a body that could not be unpacked: one reject stands for all its events."""
    return Verdicts(format_time(now), rejects=[_reject(0, None, why, body)])


def _reject(index: int, event: Any, why: Rejected, raw: bytes) -> Reject:
    event_id = event.get("id") if type(event) is dict else None
    readable = (
        type(event_id) is str
        and len(event_id) <= MAX_IDENTITY_CHARS
        and not FORBIDDEN_CHARS.search(event_id)
    )
    return Reject(index, event_id if readable else None, why.reason, why.field, why.detail, raw)


class _Judge:
    """The rules for the events of one request."""

    def __init__(self, key: Key, now: datetime, rules: Rules) -> None:
        self._key = key
        self.received_at = format_time(now)
        # Times of one length and zone: their texts compare as they do.
        self._latest = format_time(now + MAX_AHEAD)
        back = rules.retention if key.allows("import") else MAX_BACK
        self._earliest = format_time(now - back)

    def line_of(self, event: Any) -> tuple[str, bytes]:
        """The user and the line of one event; raises Rejected."""
        if type(event) is not dict:
            raise _not_an_event(event)
        version = event.get("specversion")
        # A Number is a str too, and 1.0 is none of ours, whatever its neighbours are.
        if type(version) is not str or version != "1.0":
            raise wrong(version, "specversion", 'is "1.0"')
        event_id = required(event, "id", "id", MAX_IDENTITY_CHARS)
        source = required(event, "source", "source", MAX_IDENTITY_CHARS)
        event_type = _type(event)
        user_id = required(event, "subject", "subject", MAX_IDENTITY_CHARS)
        time = self._time(event.get("time"))
        data = event.get("data")
        if type(data) is not dict:
            raise _no_data(event)
        team_id = required(data, "team_id", "data.team_id", MAX_NAME_CHARS)
        # Keys in the order of schemas.events.COLUMNS; a test holds the two equal.
        values = {
            "tenant": self._key.tenant,
            "received_at": self.received_at,
            "source": source,
            "id": event_id,
            "type": event_type,
            "user_id": user_id,
            "time": time,
            "team_id": team_id,
            "product_id": required(data, "product_id", "data.product_id", MAX_NAME_CHARS),
            "access": access(data.get("access"), event_type),
            "tokens": tokens(data.get("tokens")) if event_type == CONSUMED else NO_TOKENS,
            "product_version": optional(data, "product_version", "data.product_version"),
            "session_id": optional(data, "session_id", "data.session_id"),
            "feature_id": optional(data, "feature_id", "data.feature_id"),
            "cost_center": optional(data, "cost_center", "data.cost_center"),
        }
        line = encoded(values)
        self._check_team(team_id)
        return user_id, line

    def _check_team(self, team_id: str) -> None:
        if not self._key.sees_team(team_id):
            raise Rejected(
                Reason.FORBIDDEN, "The key is limited to other teams.", field="data.team_id"
            )

    def _time(self, value: Any) -> str:
        if value is None:
            return self.received_at
        time = utc_time(value) if type(value) is str else None
        if time is None:
            raise wrong(value, "time", "is an RFC 3339 time with a zone")
        if time > self._latest:
            raise Rejected(
                Reason.TIME_IN_FUTURE, "time is more than 5 minutes ahead.", field="time"
            )
        if time < self._earliest:
            raise Rejected(Reason.TIME_TOO_OLD, "time is too long ago.", field="time")
        return time


def _not_an_event(event: Any) -> Rejected:
    if type(event) is Malformed:
        return Rejected(Reason.MALFORMED_JSON, "This is not JSON in UTF-8.")
    return Rejected(Reason.NOT_AN_EVENT, "An event is a JSON object.")


def _type(event: dict[str, Any]) -> str:
    event_type = required(event, "type", "type", MAX_IDENTITY_CHARS)
    if event_type not in TYPES:
        raise Rejected(Reason.UNKNOWN_TYPE, f"type is one of {', '.join(TYPES)}.", field="type")
    return event_type


def _no_data(event: dict[str, Any]) -> Rejected:
    data = event.get("data")
    if type(data) is Malformed:
        return Rejected(Reason.MALFORMED_JSON, "The body is not JSON in UTF-8.", field="data")
    if data is None and "data_base64" in event:
        return Rejected(
            Reason.MISSING_FIELD, "data is a JSON object, not data_base64.", field="data"
        )
    return wrong(data, "data", "is a JSON object")
