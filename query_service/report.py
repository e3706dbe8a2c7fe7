"""A page of the report: the question composed, asked, and answered row by row.

Next: query_service.routes.report
"""

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from query_service import answers
from query_service import cursor as cursors
from query_service.columns import PERSONAL, SortKey
from query_service.cursor import Cursor
from query_service.queries import ReportQuery, query_parameters
from query_service.store import Row, Store, compose, question
from sinks.keys import Key


def report(store: Store, key: Key, query: ReportQuery, *, frequent: Fraction) -> dict[str, Any]:
    """`by`, `totals`, `rows` and `next_cursor` of one page.

    `frequent` is the days a month from which use is frequent.
    """
    users = store.user_ids(key, query.filters.users)
    parameters = query_parameters(
        query,
        **users,
        frequent_from=query.range.frequent_from(frequent),
        # One more than asked tells whether there is another page.
        limit=query.limit + 1,
    )
    rows = store.ask(
        key, "report", {**parameters, **_place(query.after)}, sql=_sql(query, query.after)
    )
    page = rows[: query.limit]
    more = len(rows) > len(page)
    # Behind the last row there is none to carry the totals.
    first = rows or (
        query.after and store.ask(key, "report", {**parameters, "limit": 1}, sql=_sql(query, None))
    )
    return {
        "by": query.grain.name,
        "totals": _totals(first[0] if first else None),
        "rows": [_row(row, query) for row in page],
        "next_cursor": _next(query, page[-1]) if more else None,
    }


def after(keys: Sequence[SortKey]) -> str:
    """SQL that is true for the rows behind the place in key_0, key_1, ... ."""
    steps = []
    for index, key in enumerate(keys):
        equal = [_compare(before, number, "=") for number, before in enumerate(keys[:index])]
        steps.append(" AND ".join([*equal, _compare(key, index, "<" if key.descending else ">")]))
    return " OR ".join(f"({step})" for step in steps)


def _compare(key: SortKey, index: int, sign: str) -> str:
    return f"key_{index} {sign} {{key_{index}:{key.type}}}"


def _sql(query: ReportQuery, place: Cursor | None) -> str:
    keys = query.keys
    directions = ("DESC" if key.descending else "ASC" for key in keys)
    return compose(
        "report",
        chosen=question("user_product_rows"),
        grain=question(f"grain_{query.grain.name}"),
        columns="".join(f"`{name}`, " for name in _own(query)),
        count_users=query.grain.count_users,
        sort_keys=", ".join(f"{key.expression} AS key_{n}" for n, key in enumerate(keys)),
        key_names=", ".join(f"key_{n}" for n in range(len(keys))),
        after=after(keys) if place else "true",
        order=", ".join(f"key_{n} {direction}" for n, direction in enumerate(directions)),
    )


def _place(place: Cursor | None) -> dict[str, Any]:
    values = place.values if place else ()
    return {f"key_{index}": value for index, value in enumerate(values)}


def _next(query: ReportQuery, last: Row) -> str:
    values = tuple(last[f"key_{index}"] for index in range(len(query.keys)))
    return cursors.encode(Cursor(query.fingerprint, query.range.as_of, values))


def _totals(row: Row | None) -> dict[str, Any]:
    if row is None:
        return {"rows": 0, "users": 0, "launches": 0, "tokens_used": "0"}
    return {
        "rows": row["total_rows"],
        "users": row["total_users"],
        "launches": row["total_launches"],
        "tokens_used": answers.tokens(row["total_tokens"]),
    }


def _own(query: ReportQuery) -> tuple[str, ...]:
    """The columns asked for that the grain has and that are never hidden."""
    own = set(query.grain.columns) - set(PERSONAL)
    return tuple(name for name in query.columns if name in own)


def _row(row: Row, query: ReportQuery) -> dict[str, Any]:
    """The columns asked for; those that are not the grain's, or are hidden, are null."""
    shown = {name: answers.plain(row.get(name)) for name in query.columns}
    if "tokens_used" in shown:
        shown["tokens_used"] = answers.tokens(row["tokens_used"])
    return shown
