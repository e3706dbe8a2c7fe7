"""The rules of contract §1: a body's raw events become lines for the log, or rejects.

Pure: no I/O, and time is an argument. One bad event never fails its neighbours.

Next: ingest.publish
"""

import re
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import orjson

from ingest.bodies import Form
from ingest.parse import Malformed, Number, dumps, parse
from ingest.values import canonical_tokens, utc_time
from schemas.events import (
    CONSUMED,
    DEFAULT_ACCESS,
    MAX_AHEAD,
    MAX_BACK,
    MAX_IDENTITY_CHARS,
    MAX_NAME_CHARS,
    NO_TOKENS,
    TYPES,
    Access,
    format_time,
)
from schemas.rejects import Reason, Rejected
from schemas.topics import partition_of
from sinks.keys import Key

_FORBIDDEN_CHARS = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_ACCESSES = tuple(map(str, Access))


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
        and not _FORBIDDEN_CHARS.search(event_id)
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
        if event.get("specversion") != "1.0":
            raise _wrong(event.get("specversion"), "specversion", 'is "1.0"')
        event_id = _required(event, "id", "id", MAX_IDENTITY_CHARS)
        source = _required(event, "source", "source", MAX_IDENTITY_CHARS)
        event_type = _required(event, "type", "type", MAX_IDENTITY_CHARS)
        if event_type not in TYPES:
            raise Rejected(Reason.UNKNOWN_TYPE, f"type is one of {', '.join(TYPES)}.", field="type")
        user_id = _required(event, "subject", "subject", MAX_IDENTITY_CHARS)
        time = self._time(event.get("time"))
        data = event.get("data")
        if type(data) is not dict:
            raise _no_data(event)
        team_id = _required(data, "team_id", "data.team_id", MAX_NAME_CHARS)
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
            "product_id": _required(data, "product_id", "data.product_id", MAX_NAME_CHARS),
            "access": _access(data.get("access"), event_type),
            "tokens": _tokens(data.get("tokens")) if event_type == CONSUMED else NO_TOKENS,
            "product_version": _optional(data, "product_version", "data.product_version"),
            "session_id": _optional(data, "session_id", "data.session_id"),
            "feature_id": _optional(data, "feature_id", "data.feature_id"),
            "cost_center": _optional(data, "cost_center", "data.cost_center"),
        }
        line = _line(values)
        if not self._key.sees_team(team_id):
            raise Rejected(
                Reason.FORBIDDEN, "The key is limited to other teams.", field="data.team_id"
            )
        return user_id, line

    def _time(self, value: Any) -> str:
        if value is None:
            return self.received_at
        time = utc_time(value) if type(value) is str else None
        if time is None:
            raise _wrong(value, "time", "is an RFC 3339 time with a zone")
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


def _required(holder: dict[str, Any], name: str, path: str, most_chars: int) -> str:
    value = holder.get(name)
    if type(value) is str and 0 < len(value) <= most_chars:
        return value
    raise _wrong(value, path, f"is a string of 1 to {most_chars} characters")


def _optional(holder: dict[str, Any], name: str, path: str) -> str:
    value = holder.get(name)
    if value is None:
        return ""
    if type(value) is str and len(value) <= MAX_NAME_CHARS:
        return value
    raise _wrong(value, path, f"is a string of at most {MAX_NAME_CHARS} characters")


def _wrong(value: Any, path: str, rule: str) -> Rejected:
    reason = Reason.MISSING_FIELD if value is None else Reason.INVALID_FIELD
    return Rejected(reason, f"{path} {rule}.", field=path)


def _no_data(event: dict[str, Any]) -> Rejected:
    data = event.get("data")
    if type(data) is Malformed:
        return Rejected(Reason.MALFORMED_JSON, "The body is not JSON in UTF-8.", field="data")
    if data is None and "data_base64" in event:
        return Rejected(
            Reason.MISSING_FIELD, "data is a JSON object, not data_base64.", field="data"
        )
    return _wrong(data, "data", "is a JSON object")


def _access(value: Any, event_type: str) -> str:
    if value is None:
        return DEFAULT_ACCESS[event_type]
    if type(value) is str and value in _ACCESSES:
        return value
    raise _wrong(value, "data.access", f"is one of {', '.join(_ACCESSES)}")


def _tokens(value: Any) -> str:
    tokens = canonical_tokens(_written(value))
    if tokens is None:
        raise _wrong(
            value,
            "data.tokens",
            "is a decimal number above 0, with at most 4 decimals, at most 1000000",
        )
    return tokens


def _written(value: Any) -> str:
    """The digits of a number or a string; empty for anything else, a bool included."""
    if type(value) is str or type(value) is Number:
        return value
    return repr(value) if type(value) is int or type(value) is float else ""


def _line(values: dict[str, str]) -> bytes:
    """The line on the log; raises Rejected for a character that no string may hold.

    JSON escapes control characters, so a line without a backslash in plain ASCII has none:
    only the other few are looked at string by string.
    """
    try:
        line = orjson.dumps(values)
    except orjson.JSONEncodeError:  # a lone surrogate
        line = b"\\"
    if b"\\" in line or b"\x7f" in line or not line.isascii():
        _check_chars(values)
    return line


_PATHS = {
    "user_id": "subject",
    **{
        name: f"data.{name}"
        for name in (
            "team_id",
            "product_id",
            "product_version",
            "session_id",
            "feature_id",
            "cost_center",
        )
    },
}


def _check_chars(values: dict[str, str]) -> None:
    for name, value in values.items():
        if _FORBIDDEN_CHARS.search(value):
            path = _PATHS.get(name, name)
            raise Rejected(
                Reason.INVALID_FIELD,
                f"{path} holds a control character or a lone surrogate.",
                field=path,
            )
