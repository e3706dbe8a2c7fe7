"""What was asked, fully decided: range, filters, grain, order and place; no I/O.

Next: query_service.report
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta

from query_service import cursor as cursors
from query_service.columns import COLUMNS, GRAINS, PERSONAL, Grain, SortKey, sort_keys
from query_service.cursor import Cursor
from query_service.filters import Filters, read_filters
from query_service.params import (
    DAILY,
    GROUPS,
    LIMIT_DEFAULT,
    REPORT,
    ROWS,
    Parsed,
    parse,
)
from query_service.problems import HIDDEN
from query_service.ranges import DEFAULT_PRESET, MAX_DAYS, Range, preset_range
from query_service.view import View

Items = list[tuple[str, str]]


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


@dataclass(frozen=True)
class RowsQuery:
    """Rows that are chosen as they are, of grain user_product."""

    range: Range
    filters: Filters


def report_query(items: Items, view: View) -> ReportQuery:
    """The report that the query string asks for; raises Problem with all that is wrong."""
    parsed = parse(REPORT, items, shown=view.shown)
    place = read_cursor(parsed, view.secret)
    when = read_range(parsed, view.now, place)
    grain = GRAINS[parsed.get("by", "user_product")]
    sort = parsed.get("sort", grain.sort)
    columns = parsed.get("columns", COLUMNS)
    if "by" in parsed.values or "by" not in _given(parsed):
        _check_sort(parsed, grain, sort, shown=view.shown)
    _check_columns(parsed, columns)
    parsed.check()
    filters = read_filters(parsed)
    keys = sort_keys(grain, sort, shown=view.shown)
    print_ = cursors.fingerprint(
        view.bound_to, asdict(filters), grain.name, sort, when.start, when.end, parsed.get("as_of")
    )
    check_cursor(parsed, place, print_, keys)
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


def daily_query(items: Items, view: View) -> DailyQuery:
    """The series that the query string asks for; raises Problem with all that is wrong."""
    parsed = parse(DAILY, items, shown=view.shown)
    when = read_range(parsed, view.now)
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


def rows_query(items: Items, view: View) -> RowsQuery:
    """The rows that the query string chooses; raises Problem with all that is wrong."""
    parsed = parse(ROWS, items, shown=view.shown)
    when = read_range(parsed, view.now)
    parsed.check()
    return RowsQuery(range=when, filters=read_filters(parsed))


def read_days(parsed: Parsed, *, start: date, end: date) -> tuple[date, date]:
    """`from` and `to` of the operators' lists, each with a default of its own."""
    first, last = parsed.get("from", start), parsed.get("to", end)
    if first > last:
        parsed.wrong("from", "conflict", "is after `to`")
    parsed.check()
    return first, last


def read_cursor(parsed: Parsed, secret: bytes, name: str = "cursor") -> Cursor | None:
    """The place of the parameter `name`, if one was sent."""
    text = parsed.get(name)
    if text is None:
        return None
    try:
        return cursors.decode(text, secret)
    except ValueError as error:
        parsed.wrong(name, "invalid_cursor", str(error))
        return None


def check_cursor(
    parsed: Parsed, place: Cursor | None, fingerprint: str, keys: Sequence[SortKey]
) -> None:
    """Raise Problem with all that is wrong, a `place` of another query included."""
    types = [key.type for key in keys]
    if place and (place.fingerprint != fingerprint or not cursors.fits(place, types)):
        parsed.wrong("cursor", "invalid_cursor", "belongs to a query with other parameters")
    parsed.check()


def read_range(parsed: Parsed, now: datetime, place: Cursor | None = None) -> Range:
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


def _check_sort(parsed: Parsed, grain: Grain, sort: tuple[str, ...], *, shown: bool) -> None:
    hidden = () if shown else PERSONAL
    sortable = [name for name in grain.columns if name not in hidden]
    if "hashed_user_id" in sortable:
        sortable.append("user")
    for entry in sort:
        name = entry.removeprefix("-")
        if name in hidden:
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
