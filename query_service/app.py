"""The query service put together: its parts, its routes, its errors.

Next: query_service.routes.report
"""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime

from clickhouse_connect.driver.client import Client
from fastapi import APIRouter, FastAPI

from query_service import problems
from query_service.body_limit import BodyLimit
from query_service.lag import LagReader
from query_service.page.rendering import refuse
from query_service.pulse import Pulse, Pulsed
from query_service.request_log import RequestLog
from query_service.routes import (
    audit,
    dead_letters,
    directory,
    docs,
    events,
    exports,
    health,
    keys,
    operations,
    options,
    page,
    page_seats,
    page_settings,
    report,
    seats,
    sign_in,
    snapshot,
    tokens,
    users,
)
from query_service.settler import Settling
from query_service.store import Store
from query_service.watch import Watch
from query_service.wiring import Wiring
from schemas.metrics import QueryMetrics, new_registry
from schemas.rate_limits import RateLimits
from schemas.security_headers import SecurityHeaders
from schemas.settings import QuerySettings
from sinks.clickhouse import connect
from sinks.key_ring import KeyRing
from sinks.keys import Key, read_keys
from sinks.settle import SETTINGS, Settler

KEYS_REFRESH_SECONDS = 2.0
# No answer without ClickHouse anyway: an old copy only keeps a good key from a wrong 401.
KEYS_MAX_AGE_SECONDS = 3600.0
# Longest that one statement on a month takes.
SETTLE_SECONDS = 1800.0

ROUTERS = (
    report.router,
    exports.router,
    directory.router,
    seats.router,
    snapshot.router,
    tokens.router,
    options.router,
    users.router,
    events.router,
    dead_letters.router,
    operations.router,
    keys.router,
    audit.router,
)
PAGES = (page.router, page_seats.router, page_settings.router, sign_in.router, docs.router)


def _now() -> datetime:
    return datetime.now(UTC)


def create_app(settings: QuerySettings, *, now: Callable[[], datetime] = _now) -> FastAPI:
    """The application; it connects when it starts. `now` tells the time, in UTC."""
    wired = _wire(settings, now)
    pulse = Pulse(
        lambda: connect(settings.clickhouse_dsn, timeout_seconds=settings.query_silence_seconds),
        silence_seconds=settings.query_silence_seconds,
    )

    app = FastAPI(
        title="Usage Report",
        summary="Who used which product, counted exactly once.",
        version="1",
        root_path=settings.root_path,
        lifespan=_lifespan(wired, pulse),
        # FastAPI's own run a script from another host beside the session's cookie: routes.docs.
        docs_url=None,
        redoc_url=None,
    )
    app.state.wiring = wired
    problems.install(app, wired.metrics, refuse)
    app.add_middleware(Pulsed, pulse=pulse, metrics=wired.metrics, refuse=refuse)
    app.add_middleware(BodyLimit, metrics=wired.metrics)
    app.add_middleware(SecurityHeaders)
    app.add_middleware(RequestLog)
    app.include_router(health.router)
    api = APIRouter(prefix="/v1", responses=problems.documented_problems())
    for router in ROUTERS:
        api.include_router(router)
    app.include_router(api)
    for pages in PAGES:
        app.include_router(pages)
    return app


def _lifespan(
    wired: Wiring, pulse: Pulse
) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    """What runs beside the answers, from the start of the application to its end."""
    watch = Watch(wired.store, wired.metrics)
    settling = _settling(wired)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        for each in (wired.ring, pulse, watch, settling):
            each.start()
        yield
        for each in (settling, watch, pulse, wired.ring):
            each.stop()
        wired.store.close()

    return lifespan


def _settling(wired: Wiring) -> Settling:
    settings = wired.settings

    def make() -> Client:
        return connect(
            settings.clickhouse_dsn,
            timeout_seconds=SETTLE_SECONDS + 5,
            max_execution_time=SETTLE_SECONDS,
            max_memory_usage=settings.query_max_memory_bytes,
            **SETTINGS,
        )

    return Settling(make, Settler(settings.settle_after_seconds), wired.now)


def _wire(settings: QuerySettings, now: Callable[[], datetime]) -> Wiring:
    registry = new_registry()
    metrics = QueryMetrics(registry)
    store = Store(
        settings.clickhouse_dsn,
        max_seconds=settings.query_max_seconds,
        export_max_seconds=settings.export_max_seconds,
        max_memory_bytes=settings.query_max_memory_bytes,
        metrics=metrics,
    )
    return Wiring(
        settings=settings,
        registry=registry,
        metrics=metrics,
        store=store,
        ring=KeyRing(
            _key_reader(store),
            path=settings.state_dir / "query-keys.json",
            refresh_seconds=KEYS_REFRESH_SECONDS,
            max_age_seconds=KEYS_MAX_AGE_SECONDS,
        ),
        lag=LagReader(settings.kafka, partitions=settings.partitions),
        limits=RateLimits("requests", settings.tenant_queries_per_second),
        now=now,
    )


def _key_reader(store: Store) -> Callable[[], list[Key]]:
    def read() -> list[Key]:
        with store.quick_client() as client:
            return read_keys(client)

    return read
