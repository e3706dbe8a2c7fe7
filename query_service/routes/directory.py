"""The directory over HTTP: entries laid over what is stored, and lists of them.

Next: query_service.directory_list
"""

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Request
from fastapi.responses import JSONResponse

from query_service.auth import Items, no_items, requires
from query_service.directory import Outcome, put
from query_service.directory_body import JSON, NDJSON, raw_entries
from query_service.directory_list import ALL_PARAMETERS, entries, list_query
from query_service.problems import Problem, documented_problems
from query_service.routes.report import documented
from query_service.view import look
from query_service.wiring import Wired
from schemas.directory import ENTITIES, Entity
from schemas.rejects import Reason
from sinks.keys import Key

router = APIRouter(tags=["directory"])


def _schema(entity: Entity) -> dict[str, Any]:
    """An entry in a request: whole, or only what identifies it and what changes."""
    schema = entity.entry.model_json_schema()
    schema["required"] = [name for name in schema["required"] if name in entity.ids]
    schema["properties"]["deleted"] = {"type": "boolean", "default": False}
    return schema


_ENTRIES = {"type": "array", "items": {"oneOf": [_schema(each) for each in ENTITIES.values()]}}
_REJECT = {
    "type": "object",
    "properties": {
        "index": {"type": "integer"},
        "reason": {"type": "string"},
        "field": {"type": ["string", "null"]},
        "detail": {"type": "string"},
    },
    "required": ["index", "reason", "field", "detail"],
}
_OUTCOME = {
    "type": "object",
    "properties": {
        "accepted": {"type": "integer"},
        "rejected": {"type": "array", "items": _REJECT},
    },
    "required": ["accepted", "rejected"],
}
_REFUSED = documented_problems()["4XX"]
_ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {"description": "At least one was accepted.", "content": {JSON: {"schema": _OUTCOME}}},
    "4XX": {
        "description": "None was accepted: entry by entry, or the request as a whole.",
        "content": {**_REFUSED["content"], JSON: {"schema": _OUTCOME}},
    },
}
_BODY = {
    "requestBody": {
        "required": True,
        "content": {JSON: {"schema": _ENTRIES}, NDJSON: {"schema": {"type": "string"}}},
    }
}


def asked_entity(
    entity: Annotated[str, Path(json_schema_extra={"enum": list(ENTITIES)})],
) -> Entity:
    """A dependency: the entity that the address names."""
    found = ENTITIES.get(entity)
    if found is None:
        raise Problem(404, "not_found", f"The entities are {', '.join(ENTITIES)}.")
    return found


async def read_body(request: Request) -> bytes:
    """A dependency: the body as it was sent."""
    return await request.body()


Manager = Annotated[Key, Depends(requires("manage"))]
Asked = Annotated[Entity, Depends(asked_entity)]
Body = Annotated[bytes, Depends(read_body)]


@router.put(
    "/directory/{entity}",
    dependencies=[Depends(no_items)],
    openapi_extra=_BODY,
    responses=_ANSWERS,
)
def put_entries(
    wired: Wired, key: Manager, entity: Asked, request: Request, body: Body
) -> JSONResponse:
    """Lay entries over what is stored, by what identifies them.

    An absent field keeps its value, null clears it, `"deleted": true` removes the entry. 200 when
    at least one was accepted; 400 when none was, 403 when the key may write none of them.
    """
    if key.teams and entity.whole_tenant:
        detail = f"The key is limited to teams; {entity.name} are the tenant's."
        raise Problem(403, Reason.FORBIDDEN, detail)
    headers = request.headers
    given = raw_entries(
        body,
        content_type=headers.get("content-type", ""),
        encoding=headers.get("content-encoding", "").strip().lower(),
    )
    outcome = put(wired.store, key, entity, given, wired.now)
    return JSONResponse(asdict(outcome), _status(outcome))


def _status(outcome: Outcome) -> int:
    if outcome.accepted:
        return 200
    return 403 if {reject.reason for reject in outcome.rejected} == {Reason.FORBIDDEN} else 400


@router.get("/directory/{entity}", openapi_extra=documented(ALL_PARAMETERS))
def get_entries(wired: Wired, key: Manager, entity: Asked, items: Items) -> dict[str, Any]:
    """A page of the entity's entries; filters are those of its fields."""
    view = look(wired, key)
    query = list_query(entity, items, view)
    return {**view.privacy.describe(), **entries(view, query)}
