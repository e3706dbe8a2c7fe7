"""Why an event, or a whole request, is refused: one enum for answers, metrics and dead letters.

The three kinds of failure are never mixed: the sender is wrong (`Rejected`), a dependency
is away (`Unavailable`), or we are wrong (anything else, which ends the process).

Next: ingest.accept
"""

from enum import StrEnum


class Reason(StrEnum):
    """Machine-readable reason of a rejection; also the label of the metrics."""

    MALFORMED_JSON = "malformed_json"
    NOT_AN_EVENT = "not_an_event"
    MISSING_FIELD = "missing_field"
    INVALID_FIELD = "invalid_field"
    UNKNOWN_TYPE = "unknown_type"
    TIME_IN_FUTURE = "time_in_future"
    TIME_TOO_OLD = "time_too_old"
    BATCH_TOO_LARGE = "batch_too_large"
    BODY_TOO_LARGE = "body_too_large"
    UNSUPPORTED_MEDIA_TYPE = "unsupported_media_type"
    BAD_ENCODING = "bad_encoding"
    UNAUTHORIZED = "unauthorized"
    FORBIDDEN = "forbidden"
    RATE_LIMITED = "rate_limited"
    UNAVAILABLE = "unavailable"


class Rejected(Exception):  # noqa: N818 - named for what happened, as the style asks
    """The sender is wrong: `reason`, the `field` it is about (or None) and a sentence."""

    def __init__(self, reason: Reason, detail: str, *, field: str | None = None) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail
        self.field = field


class Unavailable(Exception):  # noqa: N818 - named for what happened, as the style asks
    """A dependency is away: `what` names it. HTTP answers 503, a stream retries."""

    def __init__(self, what: str, detail: str = "") -> None:
        super().__init__(f"{what} is unavailable{': ' + detail if detail else ''}")
        self.what = what


class PersonNeeded(Exception):  # noqa: N818 - named for what happened, as the style asks
    """Going on could count wrongly: exit status 78, and no restart without a person.

    `reason` is the label of the metric `usage_stopped`, `remedy` the command to run.
    """

    EXIT_STATUS = 78

    def __init__(self, reason: str, detail: str, *, remedy: str) -> None:
        super().__init__(f"{reason}: {detail} Remedy: {remedy}")
        self.reason = reason
        self.detail = detail
        self.remedy = remedy
