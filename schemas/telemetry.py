"""Every metric by name, and how a process logs.

Metrics are declared here and nowhere else; label values come from enums, never from users.

Next: schemas.settings
"""

import json
import logging
import sys
from typing import Any, Literal

import orjson
import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

_FAST_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)

# Libraries that log at level info what only their own developers want to know.
_TALKATIVE = ("kafka", "aiokafka", "faust", "mode", "httpx", "uvicorn.access")


class IngestMetrics:
    """Metrics of the gateway."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.events = Counter(
            "usage_ingest_events", "Events by verdict.", ["verdict", "reason"], registry=registry
        )
        self.requests = Counter(
            "usage_ingest_requests", "Requests by status code.", ["code"], registry=registry
        )
        self.request_seconds = Histogram(
            "usage_ingest_request_seconds",
            "Time to answer a request.",
            buckets=_FAST_SECONDS,
            registry=registry,
        )
        self.ack_seconds = Histogram(
            "usage_ingest_ack_seconds",
            "Time until the broker acknowledged a record.",
            buckets=_FAST_SECONDS,
            registry=registry,
        )
        self.buffer_bytes = Gauge(
            "usage_ingest_buffer_bytes", "Bytes waiting for the broker.", registry=registry
        )


class WorkerMetrics:
    """Metrics of the worker."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.fold_events = Counter(
            "usage_fold_events", "Lines folded, by verdict.", ["verdict"], registry=registry
        )
        self.fold_records = Counter("usage_fold_records", "Records folded.", registry=registry)
        self.flush_seconds = Histogram(
            "usage_flush_seconds",
            "Time of a flush, acknowledged.",
            buckets=_FAST_SECONDS,
            registry=registry,
        )
        self.flush_rows = Histogram(
            "usage_flush_rows",
            "Rows of usage_daily in a flush.",
            buckets=(1, 10, 100, 1_000, 10_000, 100_000),
            registry=registry,
        )
        self.user_days_held = Gauge(
            "usage_user_days_held", "User-days in memory.", registry=registry
        )
        self.rows_held = Gauge("usage_rows_held", "Rows in memory.", registry=registry)
        self.ids_held = Gauge("usage_ids_held", "Identities in memory.", registry=registry)
        self.lag_records = Gauge(
            "usage_lag_records",
            "Records not yet committed, from the broker.",
            ["partition"],
            registry=registry,
        )
        self.complete_up_to = Gauge(
            "usage_complete_up_to_timestamp_seconds",
            "Every event answered before this moment is in the rows.",
            ["partition"],
            registry=registry,
        )
        self.lost_records = Gauge(
            "usage_lost_records",
            "Records of topics that were deleted before these were folded, at least.",
            registry=registry,
        )
        self.end_to_end_seconds = Histogram(
            "usage_end_to_end_seconds",
            "From an event's arrival to its row.",
            buckets=(*_FAST_SECONDS, 60, 300, 1800, 7200),
            registry=registry,
        )
        self.sink_errors = Counter(
            "usage_sink_errors", "Failed inserts and loads.", ["reason"], registry=registry
        )
        self.dead_letters = Counter(
            "usage_dead_letters", "Lines that could not be decoded.", ["reason"], registry=registry
        )
        self.stopped = Gauge(
            "usage_stopped", "1 when a person is needed.", ["reason"], registry=registry
        )
        # Remedies are a fixed set of sentences, so this label is one of few values.
        self.stopped_info = Gauge(
            "usage_stopped_info",
            "What a person can do about it.",
            ["reason", "remedy"],
            registry=registry,
        )


class QueryMetrics:
    """Metrics of the query service."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.query_seconds = Histogram(
            "usage_query_seconds",
            "Time of a query, by its name.",
            ["query"],
            buckets=_FAST_SECONDS,
            registry=registry,
        )
        self.query_errors = Counter(
            "usage_query_errors", "Failed requests.", ["reason"], registry=registry
        )
        self.export_rows = Counter(
            "usage_export_rows", "Rows exported.", ["format"], registry=registry
        )


def configure_logging(
    *, log_format: Literal["auto", "json", "console"] = "auto", level: str = "info"
) -> None:
    """Set up structlog, and the standard library's logging through it, for this process."""
    as_json = log_format == "json" or (log_format == "auto" and not sys.stderr.isatty())
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer(serializer=_json)
        if as_json
        # Without the values of variables, which may name users.
        else structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
    )
    shared: list[structlog.typing.Processor] = [
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    if as_json:
        shared.append(structlog.processors.format_exc_info)
    structlog.configure(
        processors=[*shared, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    # It logs whole addresses, and those to ClickHouse carry parameters that name users.
    logging.getLogger("urllib3").setLevel(logging.ERROR)
    # It can't read what Faust tells the group about itself, and says so at every look.
    logging.getLogger("kafka.admin._groups").setLevel(logging.ERROR)
    if level != "debug":
        for name in _TALKATIVE:
            logging.getLogger(name).setLevel(logging.WARNING)


def _json(entry: Any, *, default: Any) -> str:
    """A line of JSON; orjson writes it several times as fast, but not every text and number."""
    try:
        return orjson.dumps(entry, default=default).decode()
    except TypeError:
        return json.dumps(entry, default=default)
