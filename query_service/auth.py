"""Who asks: the key in the request's headers, and the scope that an endpoint needs.

The tenant comes from the key alone, never from a body or a query string.
Next: query_service.params
"""

import time
from collections.abc import Callable
from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import APIKeyHeader, HTTPAuthorizationCredentials, HTTPBearer

from query_service import sessions
from query_service.params import parse
from query_service.problems import Problem
from query_service.wiring import Wiring, wiring
from sinks.keys import Key

_KEY_HEADERS = {"authorization", "x-api-key"}
_bearer = HTTPBearer(auto_error=False, description="ur_<key_id>_<secret>")
_header = APIKeyHeader(name="X-API-Key", auto_error=False, description="ur_<key_id>_<secret>")


def requires(scope: str, *, whole_tenant: bool = False) -> Callable[..., Key]:
    """A dependency: the caller's key, which must hold `scope`.

    `whole_tenant`: what is asked for cannot be told apart by team, so a key that is limited to
    teams may not ask for it.
    """

    def caller(
        request: Request,
        wired: Annotated[Wiring, Depends(wiring)],
        bearer: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
        header: Annotated[str | None, Depends(_header)],
    ) -> Key:
        token = (bearer.credentials if bearer else header or "").strip()
        key = wired.ring.find(token) or wired.ring.look_again(token) or _signed_in(request, wired)
        if key is None:
            raise Problem(401, "unauthorized", "Send a valid key: Authorization: Bearer ur_…")
        if not key.allows(scope):
            raise Problem(403, "forbidden", f"The key does not hold the scope {scope}.")
        if whole_tenant and key.teams:
            raise Problem(403, "forbidden", "The key is limited to teams; this is the tenant's.")
        wired.limits.take(key.tenant, 1, time.monotonic())
        return key

    return caller


def _signed_in(request: Request, wired: Wiring) -> Key | None:
    """Who reads from the page, signed in there. What changes anything takes a key, or a form."""
    cookie = request.cookies.get(sessions.COOKIE)
    if not cookie or request.method != "GET" or _KEY_HEADERS & set(request.headers):
        return None
    session = sessions.find(wired.store, wired.ring, cookie, wired.now())
    return session.key if session else None


def items(request: Request) -> list[tuple[str, str]]:
    """The pairs of the query string, in their order; a name may come more than once."""
    return request.query_params.multi_items()


def no_items(pairs: Annotated[list[tuple[str, str]], Depends(items)]) -> None:
    """A dependency of endpoints without parameters: any that is given is unknown."""
    parse((), pairs).check()


Items = Annotated[list[tuple[str, str]], Depends(items)]
Reader = Annotated[Key, Depends(requires("read"))]
Admin = Annotated[Key, Depends(requires("admin"))]
TenantAdmin = Annotated[Key, Depends(requires("admin", whole_tenant=True))]
