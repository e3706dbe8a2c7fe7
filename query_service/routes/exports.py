"""The report as a file, in every format: the same rows, filters, grain and order, all columns.

Next: query_service.routes.operations
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import uuid4

from fastapi import APIRouter, Request
from starlette.responses import Response

from query_service import audit
from query_service.answers import plain
from query_service.auth import Items, Reader
from query_service.directory import TEAMS_NAMED
from query_service.download import Download, unless_gone
from query_service.export import SCHEMA_VERSION, Export, file_name
from query_service.export_csv import write_csv
from query_service.export_json import write_json, write_ndjson
from query_service.export_parquet import write_parquet
from query_service.export_xlsx import write_xlsx
from query_service.params import BOM, IGNORED, REPORT, Parameter, Parsed, parse
from query_service.problems import Problem, refused
from query_service.queries import ReportQuery, report_query
from query_service.routes.report import documented
from query_service.view import View, asked_teams, look
from query_service.wiring import Wired, Wiring
from sinks.audit import FAILED
from sinks.keys import Key

router = APIRouter(tags=["exports"])

_SHEET = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@dataclass(frozen=True)
class Format:
    """A kind of file: its extension, its media type, and what writes it with its options."""

    extension: str
    media_type: str
    write: Callable[[Export, Parsed], Iterator[bytes]]
    options: tuple[Parameter, ...] = ()


FORMATS = (
    Format(
        "csv",
        "text/csv; charset=utf-8; header=present",
        lambda export, options: write_csv(export, bom=options.get("bom", False)),
        (BOM,),
    ),
    Format("xlsx", _SHEET, lambda export, _: write_xlsx(export)),
    Format("json", "application/json", lambda export, _: write_json(export)),
    Format("ndjson", "application/x-ndjson", lambda export, _: write_ndjson(export)),
    Format("parquet", "application/vnd.apache.parquet", lambda export, _: write_parquet(export)),
)


def _offer(kind: Format) -> None:
    async def export(request: Request, wired: Wired, key: Reader, items: Items) -> Response:
        mark = uuid4().hex
        begin = partial(_begin, kind, wired, key, items, mark=mark)
        return await unless_gone(request, begin, partial(wired.store.end, mark))

    router.add_api_route(
        f"/report.{kind.extension}",
        export,
        name=f"report as {kind.extension}",
        description=(
            f"All rows and columns of the report as {kind.extension}; "
            f"{', '.join(IGNORED)} are accepted and ignored. A transfer that fails breaks off."
        ),
        response_class=Response,
        responses={200: {"content": {kind.media_type.split(";")[0]: {}}}},
        openapi_extra=documented((*REPORT, *kind.options)),
    )


def _begin(kind: Format, wired: Wiring, key: Key, items: Items, *, mark: str) -> Download:
    """The file's first piece and its headers; raises Problem and Unavailable."""
    view = look(wired, key, asked_teams(items))
    query, options = _read(kind, items, view)
    rows = wired.metrics.export_rows.labels(format=kind.extension)
    # Before the first byte: nobody has a file that is not in the audit log.
    deed = audit.begin(wired.store, key, "export", view.now, **_told(kind, items, view, query))
    try:
        export = Export(view, query, rows=rows, mark=mark)
        return Download(
            export,
            kind.write(export, options),
            headers=_headers(kind, view, query, export),
            media_type=kind.media_type,
            metrics=wired.metrics,
            ended=partial(audit.end, wired.store, deed),
        )
    except BaseException:
        audit.end(wired.store, deed, FAILED)
        raise


def _told(kind: Format, items: Items, view: View, query: ReportQuery) -> dict[str, Any]:
    """What is exported, for the audit log: by whom is there, about whom must not be."""
    return {
        "format": kind.extension,
        "by": query.grain.name,
        "personal_data": view.privacy.describe()["personal_data"],
        "from": str(query.range.start),
        "to": str(query.range.end),
        "teams": list(view.teams)[:TEAMS_NAMED],
        "filters": sorted({name for name, _ in items} - {*IGNORED}),
    }


def _read(kind: Format, items: Items, view: View) -> tuple[ReportQuery, Parsed]:
    """The report that is asked for, and the format's options; Problem with all that is wrong."""
    names = {option.name for option in kind.options}
    options = parse(kind.options, [item for item in items if item[0] in names])
    asked = [item for item in items if item[0] not in {*names, *IGNORED}]
    try:
        query = report_query(asked, view)
    except Problem as problem:
        raise refused([*options.errors, *problem.errors]) from None
    options.check()
    return query, options


def _headers(kind: Format, view: View, query: ReportQuery, export: Export) -> dict[str, str]:
    return {
        "Content-Disposition": f'attachment; filename="{file_name(query, kind.extension)}"',
        "Cache-Control": "no-store",
        "X-Schema-Version": str(SCHEMA_VERSION),
        "X-Personal-Data": export.head["personal_data"],
        "X-Complete-Up-To": plain(view.complete_up_to) or "unknown",
        "X-Total-Rows": str(export.totals["rows"]),
    }


for _kind in FORMATS:
    _offer(_kind)
