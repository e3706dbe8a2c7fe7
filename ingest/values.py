"""Times and token amounts as senders write them, turned into the one form the log holds.

Both are exact: a time is cut to milliseconds, an amount is never rounded.

Next: ingest.accept
"""

import re
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from functools import lru_cache

from schemas.events import TOKENS_MAX, TOKENS_SCALE

# Newer versions of Python take 24:00:00 for a time.
_MINUTE = r"(?:[01]\d|2[0-3]):\d\d:"
_TIME = re.compile(
    rf"(\d{{4}}-\d\d-\d\d)[Tt]({_MINUTE})(\d\d)(?:\.(\d+))?(?:[Zz]|([+-])(\d\d):(\d\d))", re.ASCII
)
# As most senders write it, and as it stays.
_PLAIN_TIME = re.compile(rf"\d{{4}}-\d\d-\d\dT{_MINUTE}\d\d\.\d{{3}}Z", re.ASCII)
_AMOUNT = re.compile(r"-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?", re.ASCII)
_AMOUNT_MAX_CHARS = 100
_SMALLEST = Decimal(1).scaleb(-TOKENS_SCALE)


def utc_time(text: str) -> str | None:
    """`text` (RFC 3339 with a zone) in UTC, cut to milliseconds; None when it is no such time.

    A leap second (`23:59:60Z`) is the last millisecond of its minute, so that its day stays.
    """
    if _PLAIN_TIME.fullmatch(text) and _is_moment(text[:19]):
        return text
    match = _TIME.fullmatch(text)
    return _in_utc(match) if match else None


def _is_moment(text: str) -> bool:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


def _in_utc(match: re.Match[str]) -> str | None:
    day, minute, second, fraction, sign, hours, minutes = match.groups()
    millis = (fraction or "")[:3].ljust(3, "0")
    leap = second == "60"
    if leap:
        second, millis = "59", "999"
    try:
        moment = datetime.fromisoformat(f"{day}T{minute}{second}")
    except ValueError:
        return None
    if not sign and not leap:
        return f"{day}T{minute}{second}.{millis}Z"
    if sign:
        if hours > "23" or minutes > "59":
            return None
        moment = _shifted(moment, sign, timedelta(hours=int(hours), minutes=int(minutes)))
    if leap and (moment.hour, moment.minute) != (23, 59):
        return None
    return f"{moment.isoformat(timespec='seconds')}.{millis}Z"


def _shifted(moment: datetime, sign: str, offset: timedelta) -> datetime:
    try:
        return moment - offset if sign == "+" else moment + offset
    except OverflowError:  # beyond the years 1 to 9999: too old or in the future all the same
        return datetime.min if sign == "+" else datetime.max  # noqa: DTZ901 - UTC by construction


def canonical_tokens(text: str) -> str | None:
    """The amount that `text` writes (`1.50`, `1e3`) without exponent and trailing zeros.

    None unless it is a decimal number above 0, with at most 4 decimals, at most 1,000,000.
    """
    # Looked at first: what is remembered for each amount must stay small.
    return _canonical(text) if len(text) <= _AMOUNT_MAX_CHARS else None


@lru_cache(maxsize=1 << 14)
def _canonical(text: str) -> str | None:
    if not _AMOUNT.fullmatch(text):
        return None
    try:
        amount = Decimal(text)
    except InvalidOperation:  # an exponent beyond what Decimal holds
        return None
    if not 0 < amount <= TOKENS_MAX or amount != amount.quantize(_SMALLEST):
        return None
    return f"{amount.normalize():f}"
