"""Keys of the caller's tenant: made, listed, revoked.

Next: sinks.keys
"""

from typing import Any

from fastapi import APIRouter, Depends, Response
from pydantic import BaseModel, ConfigDict, Field

from query_service import audit
from query_service.answers import plain
from query_service.auth import Admin, no_items
from query_service.problems import ParameterError, Problem, refused
from query_service.turns import turn
from query_service.wiring import Wired, Wiring
from schemas.directory_fields import Id
from sinks.keys import SCOPES, Key, create_key, read_rows, revoke_key

EXISTS = "key_exists"

router = APIRouter(tags=["keys"], dependencies=[Depends(no_items)])


class NewKey(BaseModel):
    """The scopes of a key, and the teams it is limited to (none: not limited)."""

    model_config = ConfigDict(extra="forbid")

    scopes: list[str] = Field(min_length=1, max_length=len(SCOPES))
    teams: list[Id] = Field(default=[], max_length=1000)


@router.post("/keys", status_code=201)
def post_key(wired: Wired, key: Admin, wanted: NewKey) -> dict[str, Any]:
    """A new key of the tenant. Its full text is shown this once."""
    return make_key(wired, key, wanted)


def make_key(wired: Wiring, key: Key, wanted: NewKey, key_id: str = "") -> dict[str, Any]:
    """The same; with a `key_id` only once: raises Problem 409 when there is a key of this id."""
    unknown = sorted(set(wanted.scopes) - set(SCOPES))
    if unknown:
        raise refused([ParameterError("scopes", "invalid_value", ", ".join(unknown), SCOPES)])
    if key.teams and (not wanted.teams or not key.teams.issuperset(wanted.teams)):
        raise Problem(403, "forbidden", "A key limited to teams makes keys for those teams only.")
    details = {"scopes": sorted(wanted.scopes), "teams": wanted.teams}
    with (
        audit.recorded(wired.store, key, "create_key", wired.now, **details) as told,
        turn(),
        wired.store.quick_client() as client,
    ):
        if key_id and any(row["key_id"] == key_id for row in read_rows(client)):
            raise Problem(409, EXISTS, f"The key {key_id} was made before.")
        key_id, full = create_key(
            client,
            tenant=key.tenant,
            scopes=wanted.scopes,
            teams=wanted.teams,
            now=wired.now(),
            key_id=key_id,
        )
        told["key_id"] = key_id
    wired.ring.refresh()
    return {"key_id": key_id, "key": full}


@router.get("/keys")
def get_keys(wired: Wired, key: Admin) -> dict[str, Any]:
    """The keys of the tenant, revoked ones included, without their secrets."""
    with wired.store.quick_client() as client:
        rows = [row for row in read_rows(client) if _manages(key, row)]
    names = ("key_id", "scopes", "teams", "created_at", "revoked_at")
    return {"keys": [{name: plain(row[name]) for name in names} for row in rows]}


@router.delete("/keys/{key_id}", status_code=204)
def delete_key(wired: Wired, key: Admin, key_id: str) -> Response:
    """Revoke a key for good; every process refuses it within 3 seconds."""
    with (
        audit.recorded(wired.store, key, "revoke_key", wired.now) as told,
        wired.store.quick_client() as client,
    ):
        mine = any(row["key_id"] == key_id and _manages(key, row) for row in read_rows(client))
        if not mine or not revoke_key(client, key_id=key_id, tenant=key.tenant, now=wired.now()):
            raise Problem(404, "not_found", "The tenant has no such key.")
        told["key_id"] = key_id
    wired.ring.refresh()
    return Response(status_code=204)


def _manages(key: Key, row: dict[str, Any]) -> bool:
    """Whether `key` may see and revoke the stored key: of its tenant, and of its teams."""
    if row["tenant"] != key.tenant:
        return False
    return not key.teams or (bool(row["teams"]) and key.teams.issuperset(row["teams"]))
