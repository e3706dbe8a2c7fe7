"""The rules for single fields of the directory, as types of what a sender may write.

Messages never repeat a value, which may be somebody's name.

Next: schemas.directory
"""

import re
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, StrictStr, ValidationInfo
from pydantic_core import PydanticCustomError

from schemas.events import FORBIDDEN_CHARS, MAX_IDENTITY_CHARS, MAX_NAME_CHARS

# Dates that ClickHouse's Date32 and DateTime64 hold, from the day that reports begin with.
FIRST_DAY, LAST_DAY = date(1970, 1, 1), date(2299, 12, 31)

_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)", re.ASCII)
_AMOUNT = re.compile(r"-?\d+(\.\d+)?([eE][+-]?\d{1,3})?", re.ASCII)
_AMOUNT_MAX_CHARS = 100


def _clean(text: str) -> str:
    if FORBIDDEN_CHARS.search(text):
        raise PydanticCustomError("text", "Input should hold no control character")
    return text


def _day(value: Any) -> Any:
    if type(value) is date:
        return value
    if not isinstance(value, str) or not _DAY.fullmatch(value):
        raise PydanticCustomError("day", "Input should be a date, YYYY-MM-DD")
    try:
        return date.fromisoformat(value)
    except ValueError:
        raise PydanticCustomError("day", "There is no such date") from None


def _moment(value: Any) -> Any:
    if not isinstance(value, str) or not _MOMENT.fullmatch(value):
        raise PydanticCustomError("moment", "Input should be an RFC 3339 time with a zone")
    try:
        # Python's own reader cuts a fraction to microseconds.
        moment = datetime.fromisoformat(value.upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        raise PydanticCustomError("moment", "There is no such time") from None
    if not FIRST_DAY <= moment.date() <= LAST_DAY:
        raise PydanticCustomError("moment", f"Input should be from {FIRST_DAY} to {LAST_DAY}")
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def _amount(value: Any) -> Any:
    if isinstance(value, Decimal):
        return value
    text = str(value) if type(value) in {int, str} else ""
    if len(text) > _AMOUNT_MAX_CHARS or not _AMOUNT.fullmatch(text):
        raise PydanticCustomError("amount", "Input should be a decimal number, or one in a string")
    try:
        return Decimal(text)
    except InvalidOperation:
        raise PydanticCustomError("amount", "Input should be a decimal number") from None


def _after_its_start(ends_on: date, info: ValidationInfo) -> date:
    if ends_on < info.data.get("starts_on", FIRST_DAY):
        raise PydanticCustomError("period", "Input should not be before starts_on")
    return ends_on


Id = Annotated[StrictStr, Field(min_length=1, max_length=MAX_NAME_CHARS), AfterValidator(_clean)]
Text = Annotated[
    StrictStr, Field(min_length=1, max_length=MAX_IDENTITY_CHARS), AfterValidator(_clean)
]
UserRef = Text
Day = Annotated[date, Field(ge=FIRST_DAY, le=LAST_DAY), BeforeValidator(_day)]
EndsOn = Annotated[Day, AfterValidator(_after_its_start)]
Moment = Annotated[datetime, BeforeValidator(_moment)]
Amount = Annotated[Decimal, Field(max_digits=18, decimal_places=4), BeforeValidator(_amount)]
PriceAmount = Annotated[Amount, Field(ge=0)]
TokensAmount = Annotated[Amount, Field(gt=0)]
