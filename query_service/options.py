"""What rows can be filtered by: the teams, products, versions and groups that occur in them.

Next: query_service.routes.options
"""

from collections.abc import Iterable
from typing import Any

from query_service.chosen import chosen, chosen_parameters
from query_service.queries import RowsQuery
from query_service.store import Row, compose
from query_service.view import View


def options(view: View, query: RowsQuery) -> dict[str, Any]:
    """`teams` and `products` by name, `versions` and `groups`, of the rows that are chosen."""
    sql = options_sql(chosen(query.filters, shown=view.shown))
    (row,) = view.store.ask(view.key, "options", chosen_parameters(view, query), sql=sql)
    return options_of(row)


def options_sql(rows: str) -> str:
    """The question of what `rows`, which are SQL, can be filtered by."""
    return compose("options", chosen=rows)


def options_of(row: Row) -> dict[str, Any]:
    """The options from the answer to `options_sql`."""
    return {
        "teams": [{"team_id": each, "team": name} for each, name in _by_name(row["teams"])],
        "products": [
            {"product_id": each, "product": name} for each, name in _by_name(row["products"])
        ],
        "versions": sorted(row["versions"], key=str.casefold),
        "groups": sorted(row["groups"], key=str.casefold),
    }


def _by_name(named: Iterable[list[str]]) -> list[list[str]]:
    return sorted(named, key=lambda each: (each[1].casefold(), each[0]))
