"""The rules of contract §1: a body's events become lines for the log, or rejects.

Pure: no I/O, and time is an argument. One bad event never fails its neighbours.

Next: ingest.publish
"""

from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from ingest.bodies import Form
from ingest.events import Event, decode
from ingest.fields import event_of, wrong_time
from ingest.lines import Line, amount, encoded
from ingest.parse import Malformed, dumps, parse
from ingest.values import utc_time
from schemas.events import (
    CONSUMED,
    DEFAULT_ACCESS,
    FORBIDDEN_CHARS,
    MAX_AHEAD,
    MAX_BACK,
    MAX_IDENTITY_CHARS,
    NO_TOKENS,
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
    events = decode(body, form)
    if events is not None and len(events) <= rules.batch_max_events:
        with suppress(Rejected):
            return _accept_all(events, key=key, now=now, rules=rules)
    return accept_events(parse(body, form), key=key, now=now, rules=rules)


def accept_events(events: list[Any], *, key: Key, now: datetime, rules: Rules) -> Verdicts:
    """Judge raw events as `parse` returns them; otherwise as `accept`."""
    if len(events) > rules.batch_max_events:
        raise Rejected(
            Reason.BATCH_TOO_LARGE, f"A request has at most {rules.batch_max_events} events."
        )
    judge = _Judge(key, now, rules)
    verdicts = Verdicts(judge.received_at)
    for index, raw in enumerate(events):
        try:
            event = event_of(raw)
            line = judge.line_of(event)
        except Rejected as reject:
            verdicts.rejects.append(_reject(index, raw, reject, _raw(raw)))
        else:
            verdicts.lines[partition_of(key.tenant, event.subject, rules.partitions)].append(line)
    verdicts.accepted = len(events) - len(verdicts.rejects)
    return verdicts


def _accept_all(events: list[Event], *, key: Key, now: datetime, rules: Rules) -> Verdicts:
    """The verdicts on events that are all good; raises Rejected at the first that is not."""
    judge = _Judge(key, now, rules)
    verdicts = Verdicts(judge.received_at, accepted=len(events))
    for event in events:
        line = judge.line_of(event)
        verdicts.lines[partition_of(key.tenant, event.subject, rules.partitions)].append(line)
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

    def line_of(self, event: Event) -> bytes:
        """The line of one event; raises Rejected."""
        data = event.data
        line = encoded(
            Line(
                tenant=self._key.tenant,
                received_at=self.received_at,
                source=event.source,
                id=event.id,
                type=event.type,
                user_id=event.subject,
                time=self._time(event.time),
                team_id=data.team_id,
                product_id=data.product_id,
                access=data.access or DEFAULT_ACCESS[event.type],
                tokens=amount(data.tokens) if event.type == CONSUMED else NO_TOKENS,
                product_version=data.product_version or "",
                session_id=data.session_id or "",
                feature_id=data.feature_id or "",
                cost_center=data.cost_center or "",
            )
        )
        self._check_team(data.team_id)
        return line

    def _check_team(self, team_id: str) -> None:
        if not self._key.sees_team(team_id):
            raise Rejected(
                Reason.FORBIDDEN, "The key is limited to other teams.", field="data.team_id"
            )

    def _time(self, value: str | None) -> str:
        if value is None:
            return self.received_at
        time = utc_time(value)
        if time is None:
            raise wrong_time(value)
        if time > self._latest:
            raise Rejected(
                Reason.TIME_IN_FUTURE, "time is more than 5 minutes ahead.", field="time"
            )
        if time < self._earliest:
            raise Rejected(Reason.TIME_TOO_OLD, "time is too long ago.", field="time")
        return time
