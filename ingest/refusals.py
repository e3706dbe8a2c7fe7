"""The three kinds of failure as answers: 4xx, 503 with Retry-After, and what HTTP itself refuses.

Next: ingest.problems
"""

from typing import cast

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from ingest.problems import STATUS, problem
from schemas.rate_limits import RateLimited
from schemas.rejects import Reason, Rejected
from schemas.request_ids import HEADER
from schemas.security_headers import secure

RETRY_AFTER_SECONDS = 1
_CLIENT_CLOSED_REQUEST = 499


async def rejected(request: Request, error: Exception) -> Response:
    """The sender is wrong."""
    error = cast("Rejected", error)
    headers = {}
    if error.reason is Reason.UNAUTHORIZED:
        headers["WWW-Authenticate"] = "Bearer"
    if isinstance(error, RateLimited):
        headers["Retry-After"] = str(error.retry_after_seconds)
    request.state.reason = error.reason
    return problem(STATUS[error.reason], error.reason, error.detail, headers=headers)


async def unavailable(request: Request, error: Exception) -> Response:
    """A dependency is away; the retry is harmless with the same ids."""
    request.state.reason = Reason.UNAVAILABLE
    headers = {"Retry-After": str(RETRY_AFTER_SECONDS)}
    return problem(503, Reason.UNAVAILABLE, str(error), headers=headers)


async def http(_: Request, error: Exception) -> Response:
    """No such address, or another method."""
    error = cast("HTTPException", error)
    return problem(error.status_code, None, error.detail, headers=error.headers)


async def mistake(request: Request, _: Exception) -> Response:
    """A mistake of ours: what it was stands in the log, under the request's id."""
    answer = problem(500, None, "The gateway made a mistake.")
    # Starlette answers this outside of all middleware.
    secure(answer.headers, request.url.scheme)
    answer.headers[HEADER] = request.state.request_id
    return answer


async def disconnected(_: Request, __: Exception) -> Response:
    """The client went away before its body was whole; nobody reads this answer."""
    return Response(status_code=_CLIENT_CLOSED_REQUEST)
