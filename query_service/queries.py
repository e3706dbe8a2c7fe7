"""What was asked, fully decided: range, filters, grain, order and place; no I/O.

Next: query_service.report
"""

from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from query_service import cursor as cursors
from query_service.columns import COLUMNS, GRAINS, PERSONAL, Grain, SortKey, sort_keys
from query_service.cursor import Cursor
from query_service.params import (
    DAILY,
    GROUPS,
    LIMIT_DEFAULT,
    REPORT,
    Parsed,
    parse,
)
from query_service.problems import HIDDEN
from query_service.ranges import DEFAULT_PRESET, MAX_DAYS, Range, preset_range

Items = list[tuple[str, str]]
# Above any sum of tokens and any count of days.
_NO_LIMIT = 10**30


@dataclass(frozen=True)
class Filters:
    """Which finished user_product rows are chosen; an empty tuple chooses all."""

    teams: tuple[str, ...] = ()
    products: tuple[str, ...] = ()
    users: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    versions: tuple[str, ...] = ()
    access: tuple[str, ...] = ()
    activity: tuple[str, ...] = ()
    seat: tuple[str, ...] = ()
    assignment: tuple[str, ...] = ()
    frequency: tuple[str, ...] = ()
    recommendation: tuple[str, ...] = ()
    # These act on the rows of the grain shown.
    days_used_min: int = 0
    days_used_max: int = _NO_LIMIT
    tokens_min: Decimal = Decimal(0)
    tokens_max: Decimal = Decimal(_NO_LIMIT)


@dataclass(frozen=True)
class ReportQuery:
    """One page of a report."""

    range: Range
    filters: Filters
    grain: Grain
    keys: tuple[SortKey, ...]
    columns: tuple[str, ...]
    limit: int
    after: Cursor | None
    fingerprint: str


@dataclass(frozen=True)
class DailyQuery:
    """A series over the range."""

    range: Range
    filters: Filters
    interval: str
    group_by: tuple[str, ...]


def report_query(items: Items, now: datetime, *, bound_to: tuple[str, ...]) -> ReportQuery:
    """The report that the query string asks for; raises Problem with all that is wrong.

    `bound_to` is what else a cursor is bound to: the tenant, and the teams of the key.
    """
    parsed = parse(REPORT, items)
    place = _read_cursor(parsed)
    when = _read_range(parsed, now, place)
    grain = GRAINS[parsed.get("by", "user_product")]
    sort = parsed.get("sort", grain.sort)
    columns = parsed.get("columns", COLUMNS)
    _check_sort(parsed, grain, sort)
    _check_columns(parsed, columns)
    parsed.check()
    filters = read_filters(parsed)
    keys = sort_keys(grain, sort)
    print_ = cursors.fingerprint(
        bound_to, asdict(filters), grain.name, sort, when.start, when.end, parsed.get("as_of")
    )
    if place and (place.fingerprint != print_ or not cursors.fits(place, [k.type for k in keys])):
        parsed.wrong("cursor", "invalid_cursor", "belongs to a query with other parameters")
    parsed.check()
    return ReportQuery(
        range=when,
        filters=filters,
        grain=grain,
        keys=keys,
        columns=tuple(name for name in COLUMNS if name in columns),
        limit=parsed.get("limit", LIMIT_DEFAULT),
        after=place,
        fingerprint=print_,
    )


def daily_query(items: Items, now: datetime) -> DailyQuery:
    """The series that the query string asks for; raises Problem with all that is wrong."""
    parsed = parse(DAILY, items)
    when = _read_range(parsed, now, None)
    group_by = parsed.get("group_by", ())
    for name in group_by:
        if name not in GROUPS:
            parsed.wrong("group_by", "invalid_value", f"{name!r} is not a group", GROUPS)
    parsed.check()
    return DailyQuery(
        range=when,
        filters=read_filters(parsed),
        interval=parsed.get("interval", "day"),
        group_by=tuple(name for name in GROUPS if name in group_by),
    )


def read_filters(parsed: Parsed) -> Filters:
    """The filters among the parsed parameters."""
    return Filters(
        teams=parsed.many("team"),
        products=parsed.many("product"),
        users=parsed.many("user"),
        groups=parsed.many("group"),
        versions=parsed.many("version"),
        access=parsed.many("access"),
        activity=parsed.many("activity"),
        seat=parsed.many("seat"),
        assignment=parsed.many("assignment"),
        frequency=parsed.many("frequency"),
        recommendation=parsed.many("recommendation"),
        days_used_min=parsed.get("days_used_min", 0),
        days_used_max=parsed.get("days_used_max", _NO_LIMIT),
        tokens_min=parsed.get("tokens_min", Decimal(0)),
        tokens_max=parsed.get("tokens_max", Decimal(_NO_LIMIT)),
    )


def read_days(parsed: Parsed, *, start: date, end: date) -> tuple[date, date]:
    """`from` and `to` of the operators' lists, each with a default of its own."""
    first, last = parsed.get("from", start), parsed.get("to", end)
    if first > last:
        parsed.wrong("from", "conflict", "is after `to`")
    parsed.check()
    return first, last


def _read_cursor(parsed: Parsed) -> Cursor | None:
    text = parsed.get("cursor")
    if text is None:
        return None
    try:
        return cursors.decode(text)
    except ValueError as error:
        parsed.wrong("cursor", "invalid_cursor", str(error))
        return None


def _read_range(parsed: Parsed, now: datetime, place: Cursor | None) -> Range:
    """R and as_of; later pages see them as the first page did."""
    moment = _truncated(now)
    as_of = _as_of(parsed, moment, place)
    if {"from", "to"}.isdisjoint(_given(parsed)):
        return preset_range(parsed.get("preset", DEFAULT_PRESET), as_of)
    if "preset" in _given(parsed):
        parsed.wrong("preset", "conflict", "is given together with `from` or `to`")
    for name, other in (("from", "to"), ("to", "from")):
        if name not in _given(parsed):
            parsed.wrong(name, "missing_parameter", f"`{other}` is given without it")
    start, end = parsed.get("from"), parsed.get("to")
    if start is None or end is None:
        return preset_range(DEFAULT_PRESET, as_of)
    _check_days(parsed, start, end, as_of)
    return Range(start, end, as_of, None)


def _given(parsed: Parsed) -> set[str]:
    """Parameters that were sent, those that could not be read included."""
    return {*parsed.values, *(error.parameter for error in parsed.errors)}


def _as_of(parsed: Parsed, now: datetime, place: Cursor | None) -> datetime:
    asked: datetime | None = parsed.get("as_of")
    if asked is None:
        # A forged cursor must not see the future either.
        return min(place.as_of, now) if place else now
    end_of_today = datetime(now.year, now.month, now.day, tzinfo=UTC) + timedelta(
        days=1, milliseconds=-1
    )
    if asked == end_of_today:
        return min(place.as_of, now) if place else now
    if asked > now:
        parsed.wrong("as_of", "in_future", "is in the future")
        return now
    return asked


def _check_days(parsed: Parsed, start: date, end: date, as_of: datetime) -> None:
    if start > end:
        parsed.wrong("from", "conflict", "is after `to`")
    if (end - start).days + 1 > MAX_DAYS:
        parsed.wrong("to", "range_too_long", f"more than {MAX_DAYS} days")
    if end > as_of.date():
        parsed.wrong("to", "after_as_of", f"is after as_of, {as_of.date()}")


def _check_sort(parsed: Parsed, grain: Grain, sort: tuple[str, ...]) -> None:
    sortable = [name for name in grain.columns if name not in PERSONAL]
    if "hashed_user_id" in sortable:
        sortable.append("user")
    for entry in sort:
        name = entry.removeprefix("-")
        if name in PERSONAL:
            parsed.wrong("sort", HIDDEN, f"{name} is hidden in this view", sortable)
        elif name not in sortable:
            parsed.wrong("sort", "invalid_value", f"{name!r} is no column of the grain", sortable)


def _check_columns(parsed: Parsed, columns: tuple[str, ...]) -> None:
    for name in columns:
        if name not in COLUMNS:
            parsed.wrong("columns", "invalid_value", f"{name!r} is not a column", COLUMNS)


def _truncated(moment: datetime) -> datetime:
    utc = moment.astimezone(UTC)
    return utc.replace(microsecond=utc.microsecond // 1000 * 1000)


def query_parameters(query: ReportQuery | DailyQuery, **more: Any) -> dict[str, Any]:
    """Range and filters as the typed parameters of `user_product_rows.sql`."""
    filters = asdict(query.filters)
    when, months = query.range, query.range.months
    return {
        **{
            name: list(value) if isinstance(value, tuple) else value
            for name, value in filters.items()
        },
        "from_day": when.start,
        "to_day": when.end,
        "as_of_day": when.as_of_day,
        "as_of": when.as_of,
        "months_numerator": months.numerator,
        "months_denominator": months.denominator,
        **more,
    }
