"""Whether events are kept long enough: an event delivered again must still be known for one.

Next: aggregators.watchdog
"""

import math
import re

from schemas.events import MAX_BACK
from schemas.rejects import PersonNeeded

# For the edges of days, and for a log that is kept a little longer than its setting says.
_MARGIN_DAYS = 7

_INTERVAL = re.compile(r"toInterval\w+\(")
# A clause of a TTL that deletes; the others move or compress.
_DAYS = re.compile(r"day \+ toIntervalDay\((\d+)\)(?! (?:RECOMPRESS|TO ))")
_KEEPS = re.compile(r"\S+ \+ toInterval\w+\(\d+\) (?:RECOMPRESS|TO )")


def check_retention(engine: str, log_days: float) -> None:
    """Raise PersonNeeded unless events outlive every record that may hold them again.

    `engine` is how ClickHouse says `usage_events` was made, `log_days` how long the topic keeps
    records, both infinite where nothing is ever deleted. The oldest event a gateway takes is
    MAX_BACK old, and its record may be read again as long as the topic keeps it.
    """
    events_days = _kept_days(engine)
    needed = MAX_BACK.days + log_days + _MARGIN_DAYS
    if events_days is None:
        raise PersonNeeded(
            "events_ttl",
            f"the TTL of usage_events can't be judged: {engine}",
            remedy="write the TTL of usage_events as `day + INTERVAL n DAY`.",
        )
    if events_days < needed:
        raise PersonNeeded(
            "events_ttl",
            f"usage_events keeps events for {events_days:.0f} days and the topic keeps records for"
            f" {log_days:.3g}, so {needed:.0f} days are needed to know an event again.",
            remedy="raise the TTL of usage_events, or lower retention.ms of usage.events.",
        )


def _kept_days(engine: str) -> float | None:
    """Days until an event is deleted; None where the TTL has a form that is not known here."""
    deleting = [int(days) for days in _DAYS.findall(engine)]
    if len(_INTERVAL.findall(engine)) > len(deleting) + len(_KEEPS.findall(engine)):
        return None
    return min(deleting, default=math.inf)
