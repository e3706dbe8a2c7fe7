"""An event looked at attribute by attribute: the first that is missing or of no use is named.

Whether its time and its amount are possible ones is looked at afterwards, of every event.

Next: ingest.accept
"""

from typing import Any

from msgspec import Raw

from ingest.events import Data, Event
from ingest.parse import Malformed, dumps
from schemas.events import MAX_IDENTITY_CHARS, MAX_NAME_CHARS, TYPES, Access
from schemas.rejects import Reason, Rejected

_ACCESSES = tuple(map(str, Access))


def event_of(raw: Any) -> Event:
    """The event of a JSON value as ingest.parse returns it; raises Rejected."""
    if type(raw) is not dict:
        raise _not_an_event(raw)
    version = raw.get("specversion")
    # A Number is a str too, and 1.0 is none of ours, whatever its neighbours are.
    if type(version) is not str or version != "1.0":
        raise wrong(version, "specversion", 'is "1.0"')
    return Event(
        specversion="1.0",
        id=_required(raw, "id", "id", MAX_IDENTITY_CHARS),
        source=_required(raw, "source", "source", MAX_IDENTITY_CHARS),
        type=_type(raw),
        subject=_required(raw, "subject", "subject", MAX_IDENTITY_CHARS),
        time=_time(raw.get("time")),
        data=_data(raw),
    )


def wrong(value: Any, path: str, rule: str) -> Rejected:
    """The refusal of `value`: missing where it is None, else invalid."""
    reason = Reason.MISSING_FIELD if value is None else Reason.INVALID_FIELD
    return Rejected(reason, f"{path} {rule}.", field=path)


def wrong_time(value: Any) -> Rejected:
    """The refusal of what is no time."""
    return wrong(value, "time", "is an RFC 3339 time with a zone")


def _not_an_event(raw: Any) -> Rejected:
    if type(raw) is Malformed:
        return Rejected(Reason.MALFORMED_JSON, "This is not JSON in UTF-8.")
    return Rejected(Reason.NOT_AN_EVENT, "An event is a JSON object.")


def _type(raw: dict[str, Any]) -> Any:
    event_type = _required(raw, "type", "type", MAX_IDENTITY_CHARS)
    if event_type not in TYPES:
        raise Rejected(Reason.UNKNOWN_TYPE, f"type is one of {', '.join(TYPES)}.", field="type")
    return event_type


def _time(value: Any) -> str | None:
    if value is None or type(value) is str:
        return value
    raise wrong_time(value)


def _data(raw: dict[str, Any]) -> Data:
    data = raw.get("data")
    if type(data) is not dict:
        raise _no_data(raw)
    return Data(
        team_id=_required(data, "team_id", "data.team_id", MAX_NAME_CHARS),
        product_id=_required(data, "product_id", "data.product_id", MAX_NAME_CHARS),
        access=_access(data.get("access")),
        tokens=Raw(dumps(data.get("tokens"))),
        product_version=_optional(data, "product_version"),
        session_id=_optional(data, "session_id"),
        feature_id=_optional(data, "feature_id"),
        cost_center=_optional(data, "cost_center"),
    )


def _no_data(raw: dict[str, Any]) -> Rejected:
    data = raw.get("data")
    if type(data) is Malformed:
        return Rejected(Reason.MALFORMED_JSON, "The body is not JSON in UTF-8.", field="data")
    if data is None and "data_base64" in raw:
        return Rejected(
            Reason.MISSING_FIELD, "data is a JSON object, not data_base64.", field="data"
        )
    return wrong(data, "data", "is a JSON object")


def _required(holder: dict[str, Any], name: str, path: str, most_chars: int) -> str:
    """A string that must be there, of 1 to `most_chars` characters."""
    value = holder.get(name)
    if type(value) is str and 0 < len(value) <= most_chars:
        return value
    raise wrong(value, path, f"is a string of 1 to {most_chars} characters")


def _optional(data: dict[str, Any], name: str) -> str | None:
    """A string that may be absent, of at most 128 characters."""
    value = data.get(name)
    if value is None or (type(value) is str and len(value) <= MAX_NAME_CHARS):
        return value
    raise wrong(value, f"data.{name}", f"is a string of at most {MAX_NAME_CHARS} characters")


def _access(value: Any) -> Any:
    if value is None or (type(value) is str and value in _ACCESSES):
        return value
    raise wrong(value, "data.access", f"is one of {', '.join(_ACCESSES)}")
