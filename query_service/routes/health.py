"""Whether the process lives, whether it can answer, and its metrics.

Next: query_service.routes.report
"""

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from query_service.wiring import Wired

router = APIRouter(tags=["health"])


@router.get("/health/live")
def live() -> dict[str, str]:
    """Asks nothing."""
    return {"status": "ok"}


@router.get("/health/ready")
def ready(wired: Wired) -> dict[str, str]:
    """Asks ClickHouse; 503 while it is away."""
    wired.store.ask_all("ready")
    return {"status": "ok"}


@router.get("/metrics", response_class=Response)
def metrics(wired: Wired) -> Response:
    """Metrics in the text format of Prometheus."""
    return Response(generate_latest(wired.registry), media_type=CONTENT_TYPE_LATEST)
