"""What the report's page tells about its rows, all of it from one reading of them.

Asked one by one, each of these questions would choose the same rows anew: four times the work.

Next: query_service.page.report_page
"""

from typing import Any

from query_service.chosen import chosen, chosen_of_every, together
from query_service.filters import Filters
from query_service.options import options_of, options_sql
from query_service.page.advice import advice_sql
from query_service.queries import ReportQuery
from query_service.report import page_of, page_parameters, report_sql
from query_service.snapshot import snapshot_of, snapshot_sql
from query_service.view import View


def read_rows(view: View, query: ReportQuery) -> dict[str, Any]:
    """The page of rows, snapshot, advice, and options: these of all rows, not of the chosen."""
    counted = chosen_of_every(query.filters)
    sql = together(
        chosen(Filters(), shown=view.shown, amounts=False),
        {
            "page": report_sql(
                query,
                shown=view.shown,
                more=("days",) if query.grain.name == "user_product" else (),
                rows=chosen_of_every(query.filters, amounts=False),
            ),
            "snapshot": snapshot_sql(counted),
            "advice": advice_sql(counted),
            "options": options_sql(chosen_of_every(Filters(), amounts=False)),
        },
    )
    (row,) = view.store.ask(view.key, "page", page_parameters(view, query), sql=sql)
    return {
        "page": page_of(view, query, row["page"]),
        "snapshot": snapshot_of(view, query, *row["snapshot"]),
        "advice": row["advice"],
        "options": options_of(*row["options"]),
    }
