"""The finished user_product rows that a query chooses, as SQL: what every number is added up from.

The rules are those of the definitions of rows and collections; each part is a file of SQL.
Next: query_service.report
"""

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any, Protocol

from query_service.filters import Filters
from query_service.ranges import Range
from query_service.store import compose, question
from query_service.view import View


class Choosing(Protocol):
    """A query that chooses rows."""

    @property
    def range(self) -> Range:
        """R and as_of."""

    @property
    def filters(self) -> Filters:
        """Which of its rows are chosen."""


# A filter's condition on the finished rows, by the filter's name.
_CONDITIONS = {
    "products": "product_id IN {products:Array(String)}",
    "versions": "version IN {versions:Array(String)}",
    "frequency": "frequency IN {frequency:Array(String)}",
    "activity": "activity IN {activity:Array(String)}",
    "recommendation": "recommendation IN {recommendation:Array(String)}",
    "seat": "seat IN {seat:Array(String)}",
    "assignment": "assignment IN {assignment:Array(String)}",
    "groups": "`group` IN {groups:Array(String)}",
}
# The same on use and seats before they are put together: nothing else of a row depends on others.
_EARLY = {
    "teams": "team_id IN {teams:Array(String)}",
    "users": "user_id IN {user_ids:Array(String)}",
    "access": "access IN {access:Array(String)}",
}


def chosen(filters: Filters, *, shown: bool) -> str:
    """SQL of the rows, for a slot `$chosen`; without names unless they are `shown`."""
    given = {name for name, value in asdict(filters).items() if value not in ((), None)}
    early = [condition for name, condition in _EARLY.items() if name in given]
    asked = [question("asked_products")] if "products" in given else []
    held = question("held_products")
    late = [condition for name, condition in _CONDITIONS.items() if name in given]
    contains = [question("name_contains")] if "q" in given else []
    return compose(
        "chosen",
        uses=compose("uses", early=_all([*early, *asked])),
        seats=compose("seats", early=_all([*early, *asked])),
        held_seats=compose("seats", early=_all([*early, held])),
        people=question("people_shown" if shown else "people_hidden"),
        prices=question("frequent_from"),
        filters=_all([*late, *contains]),
    )


def _all(conditions: Iterable[str]) -> str:
    return "\nAND ".join(conditions) or "true"


def chosen_parameters(view: View, query: Choosing) -> dict[str, Any]:
    """Range and filters as the typed parameters of `chosen.sql`."""
    when, months = query.range, query.range.months
    filters = asdict(query.filters)
    filters["user_ids"] = user_ids(view, filters.pop("users"))
    return {
        **{n: list(value) if isinstance(value, tuple) else value for n, value in filters.items()},
        "q": query.filters.q or "",
        "from_day": when.start,
        "to_day": when.end,
        "as_of_day": when.as_of_day,
        "as_of": when.as_of,
        "price_day": min(when.end, when.as_of_day),
        "months_numerator": months.numerator,
        "months_denominator": months.denominator,
        "frequent_from": when.frequent_from(view.frequent),
    }


def user_ids(view: View, asked: Sequence[str]) -> list[str]:
    """The users asked for: by user id where names are shown, else by the hash alone."""
    if view.shown or not asked:
        return list(asked)
    return view.store.user_ids(view.key, asked)
