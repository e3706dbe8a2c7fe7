"""The finished user_product rows that a query chooses, as SQL: what every number is added up from.

The rules are those of the definitions of rows and collections; each part is a file of SQL.
Next: query_service.report
"""

from collections.abc import Mapping
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


def chosen(*, shown: bool) -> str:
    """SQL of the rows, for a slot `$chosen`; without names unless they are `shown`."""
    return compose(
        "chosen",
        uses=question("uses"),
        seats=compose("seats", of_products=question("asked_products")),
        held_seats=compose("seats", of_products=question("held_products")),
        people=question("people_shown" if shown else "people_hidden"),
    )


def chosen_parameters(view: View, query: Choosing) -> dict[str, Any]:
    """Range and filters as the typed parameters of `chosen.sql`."""
    when, months = query.range, query.range.months
    return {
        **_filter_parameters(query.filters),
        **users(view, query.filters.users),
        "from_day": when.start,
        "to_day": when.end,
        "as_of_day": when.as_of_day,
        "as_of": when.as_of,
        "price_day": min(when.end, when.as_of_day),
        "months_numerator": months.numerator,
        "months_denominator": months.denominator,
        "frequent_from": when.frequent_from(view.frequent),
    }


def users(view: View, asked: tuple[str, ...]) -> Mapping[str, Any]:
    """The filter on users: by user id where names are shown, else by the hash alone."""
    if view.shown or not asked:
        return {"user_filter": bool(asked), "user_ids": list(asked)}
    return view.store.user_ids(view.key, asked)


def _filter_parameters(filters: Filters) -> dict[str, Any]:
    values = {name: value for name, value in asdict(filters).items() if name not in {"users", "q"}}
    return {
        **{n: list(value) if isinstance(value, tuple) else value for n, value in values.items()},
        "q_filter": filters.q is not None,
        "q": filters.q or "",
    }
