"""The gateway's HTTP: two addresses for events with one set of rules, health, metrics.

Next: ingest.gateway
"""

from collections.abc import Awaitable, Callable
from typing import Any

import orjson
from fastapi import APIRouter, Request
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from starlette.responses import Response

from ingest import openapi
from ingest.accept import Verdicts
from ingest.gateway import Gateway
from ingest.problems import problem
from schemas.rejects import Reason


def event_routes(gateway: Gateway) -> APIRouter:
    """Where events are sent to."""
    router = APIRouter()

    @router.post("/v1/events", status_code=202, openapi_extra=openapi.EVENTS)
    async def send_events(request: Request) -> Response:
        """Send events: 202 when at least one was accepted, and the broker has them all."""
        verdicts = await gateway.receive(request)
        return _refusal(verdicts) or _answer(202, verdicts)

    @router.post("/api/v1/events", status_code=204, openapi_extra=openapi.EVENTS_OF_OPENMETER)
    async def send_events_as_openmeter_does(request: Request) -> Response:
        """For clients of OpenMeter: 204 when all events were accepted, else 400."""
        verdicts = await gateway.receive(request)
        if verdicts.accepted and not verdicts.rejects:
            return Response(status_code=204)
        return _refusal(verdicts) or _answer(400, verdicts)

    return router


def operator_routes(
    missing: Callable[[], Awaitable[list[str]]], registry: CollectorRegistry
) -> APIRouter:
    """Health and metrics; `missing` says what keeps the gateway from taking events."""
    router = APIRouter()

    @router.get("/health/live")
    async def live() -> dict[str, str]:
        """The process answers; asks nothing."""
        return {"status": "live"}

    @router.get("/health/ready", responses={503: {"description": "Not ready."}})
    async def ready() -> Response:
        """The broker answers and keys are known."""
        found = await missing()
        if found:
            return problem(503, Reason.UNAVAILABLE, "; ".join(found), headers={"Retry-After": "1"})
        return Response(b'{"status":"ready"}', media_type="application/json")

    @router.get("/metrics", openapi_extra=openapi.METRICS)
    async def metrics() -> Response:
        """Prometheus metrics."""
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)

    return router


def _refusal(verdicts: Verdicts) -> Response | None:
    """400 or 403 when nothing was accepted."""
    if verdicts.accepted:
        return None
    reasons = {reject.reason for reject in verdicts.rejects}
    if reasons == {Reason.FORBIDDEN}:
        detail = "The key is limited to other teams."
        return problem(403, Reason.FORBIDDEN, detail, **_body(verdicts))
    return _answer(400, verdicts)


def _answer(status: int, verdicts: Verdicts) -> Response:
    return Response(orjson.dumps(_body(verdicts)), status, media_type="application/json")


def _body(verdicts: Verdicts) -> dict[str, Any]:
    rejected = [reject.answer() for reject in verdicts.rejects]
    return {"accepted": verdicts.accepted, "rejected": rejected}
