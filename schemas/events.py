"""The event on the log: one flat line of JSON, every value a string, complete by itself.

Its columns are exactly the columns of `usage_events` that a sender or the gateway fills.

Next: schemas.topics
"""

import re
from datetime import UTC, datetime, timedelta
from enum import StrEnum

LAUNCHED = "product.launched"
CONSUMED = "tokens.consumed"
TYPES = (LAUNCHED, CONSUMED)


class Access(StrEnum):
    """How a use is paid for."""

    SUBSCRIPTION = "subscription"
    FLEX = "flex"


# As plain strings: an encoder need not look up what a member stands for.
DEFAULT_ACCESS = {LAUNCHED: Access.SUBSCRIPTION.value, CONSUMED: Access.FLEX.value}

# The order of the keys on the line.
COLUMNS = (
    "tenant",
    "received_at",
    "source",
    "id",
    "type",
    "user_id",
    "time",
    "team_id",
    "product_id",
    "access",
    "tokens",
    "product_version",
    "session_id",
    "feature_id",
    "cost_center",
)
# Every column is on every line; these may be empty strings.
OPTIONAL = ("product_version", "session_id", "feature_id", "cost_center")

NO_TOKENS = "0"
TOKENS_SCALE = 4
TOKENS_MAX = 1_000_000

MAX_IDENTITY_CHARS = 256
MAX_NAME_CHARS = 128
# Control characters and lone surrogates: no string holds one.
FORBIDDEN_CHARS = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")

MAX_AHEAD = timedelta(minutes=5)
MAX_BACK = timedelta(days=35)


def format_time(moment: datetime) -> str:
    """`2026-03-01T00:00:00.000Z`: UTC, truncated to milliseconds.

    `moment` carries a zone; a naive one is a bug of the caller.
    """
    utc = moment.astimezone(UTC).replace(tzinfo=None)
    return utc.isoformat(timespec="milliseconds") + "Z"
