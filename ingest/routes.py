"""The gateway's HTTP: two addresses for events with one set of rules, health, metrics.

Plain Starlette: FastAPI's way to a function takes longer than all that is done to a single event.

Next: ingest.gateway
"""

from collections.abc import Awaitable, Callable
from typing import Any

import orjson
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ingest import openapi
from ingest.accept import Verdicts
from ingest.gateway import Gateway
from ingest.problems import problem
from schemas.rejects import Reason


def event_routes(gateway: Gateway) -> list[Route]:
    """Where events are sent to."""

    async def send_events(request: Request) -> Response:
        """202 when at least one was accepted, and the broker has them all."""
        verdicts = await gateway.receive(request)
        return _refusal(verdicts) or _answer(202, verdicts)

    async def send_events_as_openmeter_does(request: Request) -> Response:
        """For clients of OpenMeter: 204 when all events were accepted, else 400."""
        verdicts = await gateway.receive(request)
        if verdicts.accepted and not verdicts.rejects:
            return Response(status_code=204)
        return _refusal(verdicts) or _answer(400, verdicts)

    return [
        Route("/v1/events", send_events, methods=["POST"]),
        Route("/api/v1/events", send_events_as_openmeter_does, methods=["POST"]),
    ]


def operator_routes(
    missing: Callable[[], Awaitable[list[str]]], registry: CollectorRegistry
) -> list[Route]:
    """Health, metrics, OpenAPI; `missing` says what keeps the gateway from taking events."""

    async def live(_: Request) -> Response:
        """The process answers; asks nothing."""
        return Response(b'{"status":"live"}', media_type="application/json")

    async def ready(_: Request) -> Response:
        """The broker answers and keys are known."""
        found = await missing()
        if found:
            return problem(503, Reason.UNAVAILABLE, "; ".join(found), headers={"Retry-After": "1"})
        return Response(b'{"status":"ready"}', media_type="application/json")

    async def metrics(_: Request) -> Response:
        """Prometheus metrics."""
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)

    async def document(_: Request) -> Response:
        """What can be asked, in OpenAPI."""
        return Response(orjson.dumps(openapi.DOCUMENT), media_type="application/json")

    return [
        Route("/health/live", live),
        Route("/health/ready", ready),
        Route("/metrics", metrics),
        Route("/openapi.json", document),
    ]


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
