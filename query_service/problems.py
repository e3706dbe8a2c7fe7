"""Errors as RFC 9457 problem documents, each with a machine-readable reason.

Next: query_service.app
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.responses import Response

from schemas.metrics import QueryMetrics
from schemas.rate_limits import RateLimited
from schemas.rejects import Unavailable
from schemas.request_ids import HEADER
from schemas.security_headers import secure

log = structlog.get_logger()

RETRY_AFTER_SECONDS = 1
HIDDEN = "personal_data_hidden"
MEDIA_TYPE = "application/problem+json"


@dataclass(frozen=True)
class ParameterError:
    """What is wrong with one parameter; `allowed` lists the values there are, if few."""

    parameter: str
    reason: str
    detail: str
    allowed: tuple[str, ...] | None = None

    def describe(self) -> dict[str, Any]:
        """The entry in the document's `errors`."""
        return {
            "parameter": self.parameter,
            "reason": self.reason,
            "detail": self.detail,
            "allowed": list(self.allowed) if self.allowed is not None else None,
        }


class Problem(Exception):  # noqa: N818 - it is the document, as RFC 9457 calls it
    """A request that is refused with `status`, a machine `reason` and a sentence."""

    def __init__(
        self, status: int, reason: str, detail: str, *, errors: Iterable[ParameterError] = ()
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.reason = reason
        self.detail = detail
        self.errors = tuple(errors)


def refused(errors: Iterable[ParameterError]) -> Problem:
    """One 400 for all the wrong parameters of a request."""
    found = tuple(errors)
    hidden = any(error.reason == HIDDEN for error in found)
    detail = "; ".join(f"{error.parameter}: {error.detail}" for error in found)
    return Problem(400, HIDDEN if hidden else "invalid_parameters", detail, errors=found)


def unavailable(error: Unavailable) -> Problem:
    """The 503 for something that is away; it is logged."""
    log.warning("unavailable", what=error.what)
    return Problem(503, "unavailable", f"{error.what} is unavailable; try again.")


def headers_of(problem: Problem) -> dict[str, str]:
    """What every answer with it carries: a 503 says when to come again."""
    return {"Retry-After": str(RETRY_AFTER_SECONDS)} if problem.status == 503 else {}


def install(
    app: FastAPI, metrics: QueryMetrics, refuse: Callable[[Request, Problem], Response]
) -> None:
    """Answer every kind of failure with what `refuse` makes of it, and count it."""

    def answer(
        request: Request, problem: Problem, headers: Mapping[str, str] | None = None
    ) -> Response:
        metrics.query_errors.labels(reason=problem.reason).inc()
        response = refuse(request, problem)
        response.headers.update(headers or {})
        return response

    @app.exception_handler(Problem)
    def on_problem(request: Request, error: Problem) -> Response:
        headers = {"WWW-Authenticate": "Bearer"} if error.status == 401 else None
        return answer(request, error, headers)

    @app.exception_handler(Unavailable)
    def on_unavailable(request: Request, error: Unavailable) -> Response:
        return answer(request, unavailable(error))

    @app.exception_handler(RateLimited)
    def on_rate(request: Request, error: RateLimited) -> Response:
        problem = Problem(429, error.reason, error.detail)
        return answer(request, problem, {"Retry-After": str(error.retry_after_seconds)})

    @app.exception_handler(RequestValidationError)
    def on_body(request: Request, error: RequestValidationError) -> Response:
        return answer(request, refused(_body_errors(error)))

    _install_rest(app, answer)


def _install_rest(app: FastAPI, answer: Callable[..., Response]) -> None:
    """What HTTP itself refuses, and mistakes of ours."""

    @app.exception_handler(HTTPException)
    def on_http(request: Request, error: HTTPException) -> Response:
        reason = HTTPStatus(error.status_code).name.lower()
        problem = Problem(error.status_code, reason, str(error.detail))
        return answer(request, problem, error.headers)

    @app.exception_handler(Exception)
    def on_bug(request: Request, error: Exception) -> Response:
        log.error("request_failed", exc_info=error)
        problem = Problem(500, "internal_error", "The query service made a mistake.")
        response = answer(request, problem)
        # Starlette answers this outside of all middleware.
        secure(response.headers, request.url.scheme)
        response.headers[HEADER] = request.state.request_id
        return response


class ProblemResponse(JSONResponse):
    """In ASCII: what it repeats of a request may hold a lone surrogate, which is no UTF-8."""

    media_type = MEDIA_TYPE

    def render(self, content: Any) -> bytes:
        """The document's bytes."""
        return json.dumps(content).encode()


def document(problem: Problem) -> JSONResponse:
    """`problem` as application/problem+json."""
    content: dict[str, Any] = {
        "type": "about:blank",
        "title": HTTPStatus(problem.status).phrase,
        "status": problem.status,
        "detail": problem.detail,
        "reason": problem.reason,
    }
    if problem.errors:
        content["errors"] = [error.describe() for error in problem.errors]
    return ProblemResponse(content, problem.status, headers=headers_of(problem))


_TEXTS = {"type": ["array", "null"], "items": {"type": "string"}}
_NUMBER = {"type": "integer"}


def documented_problems() -> dict[int | str, dict[str, Any]]:
    """The problem documents that any endpoint may answer with, for OpenAPI."""
    text = {"type": "string"}
    error = {**dict.fromkeys(("parameter", "reason", "detail"), text), "allowed": _TEXTS}
    errors = {"type": "array", "items": {"type": "object", "properties": error}}
    always = {**dict.fromkeys(("type", "title", "detail", "reason"), text), "status": _NUMBER}
    schema = {
        "type": "object",
        "properties": {**always, "errors": errors},
        "required": list(always),
    }
    content = {MEDIA_TYPE: {"schema": schema}}
    return {
        "4XX": {"description": "The request is refused; `reason` says why.", "content": content},
        "503": {
            "description": "Something it needs is away; try again after `Retry-After` seconds.",
            "content": content,
        },
    }


def _body_errors(error: RequestValidationError) -> list[ParameterError]:
    return [_body_error(found["loc"][1:], found["type"], found["msg"]) for found in error.errors()]


def _body_error(place: Sequence[Any], kind: str, message: str) -> ParameterError:
    if kind == "json_invalid":
        # Its place is a number of bytes, not a field.
        return ParameterError("body", kind, f"not JSON, from byte {place[0]} on")
    reason, told = _BODY_REASONS.get(kind, ("invalid_value", message))
    return ParameterError(".".join(map(str, place)) or "body", reason, told)


# In the words that query parameters are told in; all else is an invalid value.
_BODY_REASONS = {
    "missing": ("missing_parameter", "is required"),
    "extra_forbidden": ("unknown_parameter", "there is no such parameter"),
    "model_attributes_type": ("invalid_value", "not an object"),
}
