"""The seats that a filter of the report chooses: those of its rows, no others.

Next: query_service.seat_changes
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from query_service.problems import ParameterError, Problem, refused
from query_service.queries import ReportQuery, report_query, rows_query
from query_service.report import report_parameters, report_sql
from query_service.seat_bodies import MAX_ITEMS, ChangeSeats
from query_service.seat_state import Item
from query_service.view import View

_COLUMNS = ("team_id", "product_id", "access", "via")


def filter_query(body: ChangeSeats, view: View) -> ReportQuery:
    """The rows that the body asks for; raises Problem with every filter that is wrong."""
    given = body.filter or {}
    errors = [
        ParameterError(f"filter.{name}", "invalid_value", "not strings or numbers")
        for name, value in given.items()
        if not all(type(each) in {str, int, float} for each in _values(value))
    ]
    pairs = list(_pairs(body))
    try:
        rows_query(pairs, view)
    except Problem as problem:
        errors += [_placed(error, given) for error in problem.errors]
    if errors:
        raise refused(errors)
    return replace(report_query(pairs, view), columns=_COLUMNS)


def _values(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _pairs(body: ChangeSeats) -> Iterator[tuple[str, str]]:
    for name, value in (body.filter or {}).items():
        for each in _values(value):
            if type(each) in {str, int, float}:
                yield name, str(each)
    if body.as_of is not None:
        yield "as_of", body.as_of


def _placed(error: ParameterError, given: dict[str, Any]) -> ParameterError:
    if error.parameter in given:
        return replace(error, parameter=f"filter.{error.parameter}")
    return error


def chosen_seats(kind: str, view: View, query: ReportQuery, *, expected_users: int) -> list[Item]:
    """One item for each row; raises Problem when they are not of so many users."""
    sql = report_sql(query, shown=view.shown, whole=True, more=("user_id",))
    rows = view.store.ask(view.key, "report", report_parameters(view, query), sql=sql)
    if kind == "move-to-flex":
        rows = [row for row in rows if row["access"] == "subscription"]
    users = len({row["user_id"] for row in rows})
    if users != expected_users:
        detail = f"the filter chooses {users} users"
        error = ParameterError("expected_users", "expected_users_differ", detail, (str(users),))
        raise Problem(409, error.reason, f"{detail}, not {expected_users}.", errors=[error])
    if len(rows) > MAX_ITEMS:
        detail = f"The filter chooses {len(rows)} rows; a request changes {MAX_ITEMS} at most."
        raise Problem(400, "too_many_rows", detail)
    # A seat that a row has from a collection is the collection's.
    return [
        Item(
            user_id=row["user_id"],
            product_id=row["product_id"],
            team_id=row["team_id"],
            access=row["access"],
            verdict="not_assigned" if row["via"] else "",
        )
        for row in rows
    ]
