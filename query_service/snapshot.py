"""The snapshot: the chosen rows in a few numbers, with seats and tokens paid for.

Next: query_service.routes.snapshot
"""

import math
from decimal import Decimal
from fractions import Fraction
from typing import Any

from query_service import answers
from query_service.chosen import Choosing, chosen, chosen_parameters
from query_service.queries import RowsQuery
from query_service.store import Row, compose, question
from query_service.tokens import balance, holdings
from query_service.view import View

_SEATS = ("total", "assigned", "free", "over", "active", "inactive")


def snapshot(view: View, query: RowsQuery) -> dict[str, Any]:
    """`subscriptions`, `seats`, `flex` and `users`.

    Subscriptions and their seats are those of the teams and products in view, the balance of tokens
    that of its teams; every other filter moves the rest alone.
    """
    sql = snapshot_sql(chosen(query.filters, shown=view.shown))
    (row,) = view.store.ask(view.key, "snapshot", chosen_parameters(view, query), sql=sql)
    return snapshot_of(view, query, row)


def snapshot_sql(rows: str) -> str:
    """The question of a snapshot of `rows`, which are SQL."""
    return compose("snapshot", chosen=rows, pairs=question("pairs"))


def snapshot_of(view: View, query: Choosing, row: Row) -> dict[str, Any]:
    """The snapshot from the answer to `snapshot_sql`, with the balance of tokens."""
    held = holdings(view, query.filters.teams, query.range.as_of_day)
    return {
        "subscriptions": row["subscriptions"],
        "seats": {name: row[f"seats_{name}"] for name in _SEATS},
        "flex": {
            "tokens_used": answers.tokens(row["tokens_used"]),
            "monthly_average": monthly_average(row["tokens_used"], query.range.months),
            "users": row["token_users"],
            "balance": balance(held),
        },
        "users": row["users"],
    }


def monthly_average(tokens: Decimal, months: Fraction) -> str:
    """Tokens a month with two decimals, a half rounded up."""
    hundredths = math.floor(Fraction(tokens) * 100 / months + Fraction(1, 2))
    return f"{Decimal(hundredths).scaleb(-2):f}"
