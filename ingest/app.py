"""The gateway put together: one place where every part meets its settings.

Next: ingest.routes
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import partial

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect

from ingest import health, refusals
from ingest.accept import Rules
from ingest.budget import Budget
from ingest.dead_letters import DeadLetters
from ingest.gateway import Gateway
from ingest.observe import Observed
from ingest.publish import Publisher
from ingest.routes import event_routes, operator_routes
from ingest.sender import Sender
from schemas.metrics import IngestMetrics, new_registry
from schemas.rate_limits import RateLimits
from schemas.rejects import Rejected, Unavailable
from schemas.security_headers import SecurityHeaders
from schemas.settings import IngestSettings
from schemas.topics import DEAD_LETTERS, EVENTS
from sinks.key_ring import KeyRing, keys_reader

_STOP_SECONDS = 3.0


def utc_now() -> datetime:
    """The present moment."""
    return datetime.now(UTC)


def create_app(settings: IngestSettings, *, clock: Callable[[], datetime] = utc_now) -> Starlette:
    """The gateway as an ASGI application; its lifespan connects and disconnects."""
    registry = new_registry()
    metrics = IngestMetrics(registry)
    events, letters = _sender(settings, EVENTS), _sender(settings, DEAD_LETTERS)
    gateway = _gateway(settings, metrics, events, letters, clock)
    missing = partial(health.missing, settings, events, gateway.ring)
    app = Starlette(
        routes=[*event_routes(gateway), *operator_routes(missing, registry)],
        middleware=[Middleware(Observed, metrics=metrics), Middleware(SecurityHeaders)],
        exception_handlers={
            Rejected: refusals.rejected,
            Unavailable: refusals.unavailable,
            HTTPException: refusals.http,
            ClientDisconnect: refusals.disconnected,
            Exception: refusals.mistake,
        },
        lifespan=partial(_lifespan, gateway, events, letters),
    )
    app.state.gateway = gateway
    return app


def _sender(settings: IngestSettings, topic: str) -> Sender:
    return Sender(
        topic,
        kafka=settings.kafka,
        ack_timeout_seconds=settings.ack_timeout_seconds,
    )


def _gateway(
    settings: IngestSettings,
    metrics: IngestMetrics,
    events: Sender,
    letters: Sender,
    clock: Callable[[], datetime],
) -> Gateway:
    budget = Budget(settings.buffer_max_bytes, metrics.buffer_bytes)
    return Gateway(
        settings=settings,
        metrics=metrics,
        ring=KeyRing(
            keys_reader(settings.clickhouse_dsn),
            path=settings.state_dir / "keys.json",
            refresh_seconds=settings.keys_refresh_seconds,
            max_age_seconds=settings.keys_max_age_seconds,
        ),
        request_limits=RateLimits("requests", settings.tenant_requests_per_second),
        event_limits=RateLimits("events", settings.tenant_events_per_second),
        budget=budget,
        publisher=Publisher(
            events,
            budget,
            metrics,
            partitions=settings.partitions,
            linger_seconds=settings.linger_seconds,
            ack_timeout_seconds=settings.ack_timeout_seconds,
        ),
        dead_letters=DeadLetters(letters, timeout_seconds=settings.ack_timeout_seconds),
        rules=Rules(
            partitions=settings.partitions,
            batch_max_events=settings.batch_max_events,
            retention=timedelta(days=settings.events_retention_days),
        ),
        clock=clock,
        judging=ThreadPoolExecutor(1, thread_name_prefix="judge"),
    )


@asynccontextmanager
async def _lifespan(
    gateway: Gateway, events: Sender, letters: Sender, _: Starlette
) -> AsyncIterator[None]:
    await asyncio.to_thread(gateway.ring.start)
    events.start()
    letters.start()
    yield
    deadline = time.monotonic() + _STOP_SECONDS
    await gateway.publisher.drain(timeout_seconds=_STOP_SECONDS)
    for sender in (events, letters):
        left_seconds = max(0.1, deadline - time.monotonic())
        await asyncio.to_thread(sender.stop, timeout_seconds=left_seconds)
    gateway.ring.stop()
    gateway.judging.shutdown(wait=False)
