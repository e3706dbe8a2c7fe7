"""`usage-report report`: the report in the terminal, with the names and filters of the HTTP one.

Next: deploy.commands.report_table
"""

from typing import Annotated, Any

import typer

from deploy import connection
from deploy.ask import ask
from deploy.commands.report_options import Asked, with_options
from deploy.commands.report_table import show
from deploy.commands.terminal import DataDir, Json, print_json
from query_service.params import REPORT

All = Annotated[bool, typer.Option("--all", help="Every row, not the first page alone.")]

LARGEST_PAGE = "1000"


@with_options(REPORT)
def report(
    asked: Asked, *, every: All = False, data_dir: DataDir = None, as_json: Json = False
) -> None:
    """Who used what: days, launches and tokens, by user and product, user, product or team."""
    place = connection.find(data_dir)
    answer = whole(place, asked) if every else ask(place, "/v1/report", **asked)
    if as_json:
        print_json(answer)
    else:
        columns = asked.get("columns")
        show(answer, columns.split(",") if columns else None)


def whole(place: connection.Connection, asked: Asked) -> dict[str, Any]:
    """The first page with the rows of all that follow it."""
    asked = {"limit": LARGEST_PAGE, **asked}
    answer = page = ask(place, "/v1/report", **asked)
    while page["next_cursor"]:
        page = ask(place, "/v1/report", **{**asked, "cursor": page["next_cursor"]})
        answer["rows"] += page["rows"]
    answer["next_cursor"] = None
    return answer
