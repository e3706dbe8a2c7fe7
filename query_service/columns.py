"""The report's columns: their order, which grain owns them, and how each is sorted.

Next: query_service.report
"""

from dataclasses import dataclass
from enum import StrEnum

# Schema version 1; columns are only ever added at the end.
COLUMNS = (
    "team_id",
    "team",
    "user_id",
    "first_name",
    "last_name",
    "email",
    "hashed_user_id",
    "product_id",
    "product",
    "version",
    "access",
    "seat",
    "assignment",
    "group",
    "assigned_at",
    "unassigned_at",
    "activity",
    "frequency",
    "days_used",
    "monthly_average",
    "launches",
    "tokens_used",
    "tokens_monthly_average",
    "last_accessed",
    "days_inactive",
    "recommendation",
    "via",
    "users",
    "products",
    "seats_total",
    "seats_assigned",
    "seats_free",
    "seats_over",
    "seats_active",
    "seats_inactive",
)
# Null while personal data is hidden, and then refused in sorts and searches.
PERSONAL = ("user_id", "first_name", "last_name", "email")

_SEATS = COLUMNS[-6:]
_NUMBERS = (
    "days_used",
    "monthly_average",
    "launches",
    "tokens_used",
    "tokens_monthly_average",
    "last_accessed",
    "days_inactive",
)


@dataclass(frozen=True)
class Grain:
    """What one row stands for: its own columns, what identifies it, and its default sort."""

    name: str
    columns: tuple[str, ...]
    identity: tuple[str, ...]
    sort: tuple[str, ...]
    # SQL over the rows shown: their distinct users.
    count_users: str


GRAINS = {
    grain.name: grain
    for grain in (
        Grain(
            "user_product",
            tuple(name for name in COLUMNS if name not in {"users", "products", *_SEATS}),
            ("hashed_user_id", "team_id", "product_id", "access"),
            ("-days_used", "user"),
            "uniqExact(user_id)",
        ),
        Grain(
            "user",
            (*PERSONAL, "hashed_user_id", *_NUMBERS, "users", "products"),
            ("hashed_user_id",),
            ("-days_used", "user"),
            "uniqExact(user_id)",
        ),
        Grain(
            "product",
            ("product_id", "product", *_NUMBERS, "users", "products", *_SEATS),
            ("product_id",),
            ("-days_used", "product"),
            "uniqExactMerge(user_ids)",
        ),
        Grain(
            "team",
            ("team_id", "team", *_NUMBERS, "users", "products", *_SEATS),
            ("team_id",),
            ("-days_used", "team"),
            "uniqExactMerge(user_ids)",
        ),
    )
}


class KeyType(StrEnum):
    """How a sort key travels: its ClickHouse type."""

    TEXT = "String"
    NUMBER = "Int128"


@dataclass(frozen=True)
class SortKey:
    """One expression that rows are ordered by. No key is ever null."""

    expression: str
    type: KeyType
    descending: bool = False


# Numbers become whole ones, so that a cursor holds them exactly.
_SCALED = {
    "tokens_used": "toInt128(tokens_used * 10000)",
    "monthly_average": "toInt128(monthly_average * 10)",
    "tokens_monthly_average": "toInt128(tokens_monthly_average * 100)",
    **{
        name: f"toInt128(ifNull(toUnixTimestamp64Milli({name}), 0))"
        for name in ("last_accessed", "assigned_at", "unassigned_at")
    },
}
# Last name, first name, hashed id; while names are hidden, the hashed id alone.
_USER = ("last_name", "first_name", "hashed_user_id")
_WHOLE = ("days_used", "launches", "days_inactive", "users", "products", *_SEATS)
_NULLABLE = (
    *("first_name", "last_name", "email"),
    "version",
    "seat",
    "assignment",
    "group",
    "assigned_at",
    "unassigned_at",
    "activity",
    "frequency",
    "last_accessed",
    "days_inactive",
    "recommendation",
    "via",
    *_SEATS,
)


def sort_keys(grain: Grain, sort: tuple[str, ...], *, shown: bool) -> tuple[SortKey, ...]:
    """The total order of `sort` (names of the grain's columns or `user`, `-` descending).

    Nulls come last in both directions; the row's identity breaks every tie. `shown`: whether
    names are.
    """
    keys: list[SortKey] = []
    for entry in sort:
        name, descending = entry.removeprefix("-"), entry.startswith("-")
        for column in _columns_of(name, shown=shown):
            keys += _column_keys(column, descending=descending)
    return (*keys, *(SortKey(name, KeyType.TEXT) for name in grain.identity))


def _columns_of(name: str, *, shown: bool) -> tuple[str, ...]:
    if name == "user":
        return _USER if shown else _USER[-1:]
    # Where names are shown the hashes are null: all rows are equal.
    return () if name == "hashed_user_id" and shown else (name,)


def _column_keys(name: str, *, descending: bool) -> list[SortKey]:
    if name == "hashed_user_id":
        return [SortKey(name, KeyType.TEXT, descending)]
    nulls = [SortKey(f"toInt128(isNull({_quoted(name)}))", KeyType.NUMBER)]
    return [*(nulls if name in _NULLABLE else []), _value_key(name, descending=descending)]


def _value_key(name: str, *, descending: bool) -> SortKey:
    if name in _SCALED:
        return SortKey(_SCALED[name], KeyType.NUMBER, descending)
    if name in _WHOLE:
        return SortKey(f"toInt128(ifNull({_quoted(name)}, 0))", KeyType.NUMBER, descending)
    return SortKey(f"caseFoldUTF8(ifNull({_quoted(name)}, ''))", KeyType.TEXT, descending)


def _quoted(name: str) -> str:
    return f"`{name}`"
