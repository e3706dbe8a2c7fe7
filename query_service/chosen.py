"""The finished user_product rows that a query chooses, as SQL: what every number is added up from.

The rules are those of the definitions of rows and collections; each part is a file of SQL.
Next: query_service.report
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any, Protocol

from query_service.filters import Filters
from query_service.ranges import Range
from query_service.settled import months_of
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


# Of a report they are about the rows of its grain, elsewhere about the chosen ones.
_AMOUNTS = (
    "days_used BETWEEN {days_used_min:Int128} AND {days_used_max:Int128}",
    "tokens_used BETWEEN {tokens_min:Decimal(38, 4)} AND {tokens_max:Decimal(38, 4)}",
)


def chosen(filters: Filters, *, shown: bool, amounts: bool = True) -> str:
    """SQL of the rows, for a slot `$chosen`; without names unless they are `shown`.

    `amounts`: whether the limits of days used and of tokens choose among them too.
    """
    given = _given(filters)
    early = _of(_EARLY, given)
    asked = [question("asked_products")] if "products" in given else []
    held = question("held_products")
    return compose(
        "chosen",
        uses=compose("uses", early=_all([*early, *asked])),
        seats=compose("seats", early=_all([*early, *asked])),
        held_seats=compose("seats", early=_all([*early, held])),
        people=question("people_shown" if shown else "people_hidden"),
        prices=question("frequent_from"),
        filters=_all(_late(given, amounts=amounts)),
    )


def chosen_of_every(filters: Filters, *, amounts: bool = True) -> str:
    """The same out of rows that were read already, without filters: see `together`."""
    given = _given(filters)
    conditions = [*_of(_EARLY, given), *_late(given, amounts=amounts)]
    return compose("chosen_of_every", filters=_all(conditions))


def together(every: str, questions: Mapping[str, str]) -> str:
    """SQL that answers `questions` from one reading of the rows `every`, each with an array.

    They name the rows as `chosen_of_every` does.
    """
    arrays = [compose("array_of", called=name, question=sql) for name, sql in questions.items()]
    crossed = "CROSS JOIN ".join(arrays)
    return compose("together", every=every, names=", ".join(questions), questions=crossed)


def _given(filters: Filters) -> set[str]:
    return {name for name, value in asdict(filters).items() if value not in ((), None)}


def _of(conditions: Mapping[str, str], given: set[str]) -> list[str]:
    return [condition for name, condition in conditions.items() if name in given]


def _late(given: set[str], *, amounts: bool) -> list[str]:
    """Conditions on the finished rows."""
    contains = [question("name_contains")] if "q" in given else []
    return [*_of(_CONDITIONS, given), *contains, *(_AMOUNTS if amounts else ())]


def _all(conditions: Iterable[str]) -> str:
    return "\nAND ".join(conditions) or "true"


def chosen_parameters(view: View, query: Choosing) -> dict[str, Any]:
    """Range, settled months and filters as the typed parameters of `chosen.sql`."""
    when, months = query.range, query.range.months
    filters = asdict(query.filters)
    filters["user_ids"] = user_ids(view, filters.pop("users"))
    return {
        **{n: list(value) if isinstance(value, tuple) else value for n, value in filters.items()},
        **months_of(view.settled, when),
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
