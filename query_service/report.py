"""A page of the report: the question composed, asked, and answered row by row.

Next: query_service.routes.report
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from query_service import answers
from query_service import cursor as cursors
from query_service.chosen import chosen, chosen_parameters
from query_service.columns import PERSONAL, SortKey
from query_service.cursor import Cursor
from query_service.queries import ReportQuery
from query_service.store import Row, compose, question
from query_service.view import View


@dataclass(frozen=True)
class Page:
    """One page of a report: its rows as they came, and totals over all rows."""

    rows: list[Row]
    totals: dict[str, Any]
    next_cursor: str | None


def report(view: View, query: ReportQuery) -> dict[str, Any]:
    """`by`, `totals`, `rows` and `next_cursor` of one page."""
    page = read_page(view, query)
    return {
        "by": query.grain.name,
        "totals": page.totals,
        "rows": [row_of(row, query.columns, shown=view.shown) for row in page.rows],
        "next_cursor": page.next_cursor,
    }


def read_page(view: View, query: ReportQuery) -> Page:
    """The page that was asked for."""
    return page_of(view, query, _ask(view, query, page_parameters(view, query)))


def page_parameters(view: View, query: ReportQuery) -> dict[str, Any]:
    """The parameters of `report_sql` for the rows of `page_of`."""
    # One more than asked tells whether there is another page.
    return {**report_parameters(view, query), "limit": query.limit + 1}


def page_of(view: View, query: ReportQuery, rows: list[Row]) -> Page:
    """The page whose rows are those, one more than it holds if there is another."""
    page = rows[: query.limit]
    # Behind the last row there is none to carry the totals.
    if not rows and query.after:
        unplaced = replace(query, after=None)
        first = _ask(view, unplaced, {**report_parameters(view, unplaced), "limit": 1})
    else:
        first = rows
    return Page(
        rows=page,
        totals=totals(first[0] if first else None),
        next_cursor=_next(view, query, page[-1]) if len(rows) > len(page) else None,
    )


def _ask(view: View, query: ReportQuery, parameters: dict[str, Any]) -> list[Row]:
    sql = report_sql(query, shown=view.shown)
    return view.store.ask(view.key, "report", parameters, sql=sql)


def report_sql(
    query: ReportQuery,
    *,
    shown: bool,
    whole: bool = False,
    more: tuple[str, ...] = (),
    rows: str = "",
) -> str:
    """The one question of a report: its rows behind `query.after`, or all of them if `whole`.

    `rows` is the SQL of the rows it chooses from, by default of those that the query chooses.

    Every row carries the totals over all rows, its sort keys, and columns of its grain that no
    answer shows if `more` names them.
    """
    keys = query.keys
    directions = ("DESC" if key.descending else "ASC" for key in keys)
    return compose(
        "report",
        chosen=rows or chosen(query.filters, shown=shown, amounts=False),
        grain=compose(
            f"grain_{query.grain.name}",
            pairs=question("pairs"),
            hashed=question("hashed_user_id"),
            used_days=question("used_days"),
        ),
        columns="".join(f"`{name}`, " for name in (*_own(query, shown=shown), *more)),
        count_users=query.grain.count_users,
        sort_keys=", ".join(f"{key.expression} AS key_{n}" for n, key in enumerate(keys)),
        key_names=", ".join(f"key_{n}" for n in range(len(keys))),
        after=after(keys) if query.after and not whole else "true",
        order=", ".join(f"key_{n} {direction}" for n, direction in enumerate(directions)),
        limit="" if whole else "LIMIT {limit:UInt32}",
    )


def report_parameters(view: View, query: ReportQuery) -> dict[str, Any]:
    """The parameters of `report_sql`, but `limit`."""
    return {**chosen_parameters(view, query), **place_parameters(query.after)}


def place_parameters(place: Cursor | None) -> dict[str, cursors.Value]:
    """The sort keys of the row that a page follows, as the parameters key_0, key_1, ... ."""
    return {f"key_{index}": value for index, value in enumerate(place.values if place else ())}


def after(keys: Sequence[SortKey]) -> str:
    """SQL that is true for the rows behind the place in key_0, key_1, ... ."""
    steps = []
    for index, key in enumerate(keys):
        equal = [_compare(before, number, "=") for number, before in enumerate(keys[:index])]
        steps.append(" AND ".join([*equal, _compare(key, index, "<" if key.descending else ">")]))
    return " OR ".join(f"({step})" for step in steps)


def _compare(key: SortKey, index: int, sign: str) -> str:
    return f"key_{index} {sign} {{key_{index}:{key.type}}}"


def _next(view: View, query: ReportQuery, last: Row) -> str:
    values = tuple(last[f"key_{index}"] for index in range(len(query.keys)))
    return cursors.encode(Cursor(query.fingerprint, query.range.as_of, values), view.secret)


def totals(row: Row | None) -> dict[str, Any]:
    """The totals over all rows, which each row carries; zeros when there is none."""
    if row is None:
        return {"rows": 0, "users": 0, "launches": 0, "tokens_used": "0"}
    return {
        "rows": row["total_rows"],
        "users": row["total_users"],
        "launches": row["total_launches"],
        "tokens_used": answers.tokens(row["total_tokens"]),
    }


def _own(query: ReportQuery, *, shown: bool) -> tuple[str, ...]:
    """The columns asked for that the grain has and that this view does not hide."""
    own = set(query.grain.columns) - hidden(shown=shown)
    return tuple(name for name in query.columns if name in own)


def hidden(*, shown: bool) -> set[str]:
    """Columns that are null: a user has an id or a hash, never both."""
    return {"hashed_user_id"} if shown else set(PERSONAL)


def row_of(row: Row, columns: Iterable[str], *, shown: bool) -> dict[str, Any]:
    """The columns asked for; those that are not the grain's, or are hidden, are null."""
    own = {name: row.get(name) for name in columns}
    plain = {name: answers.plain(value) for name, value in own.items()}
    plain.update(dict.fromkeys(hidden(shown=shown) & plain.keys()))
    if "tokens_used" in plain:
        plain["tokens_used"] = answers.tokens(row["tokens_used"])
    return plain
