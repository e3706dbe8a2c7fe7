"""The manifest of metrics: each with its name, what it tells, and the values its labels may have.

A process makes its own by its class here; nothing else makes any. A value of a label that is not
declared is refused: none can come from a sender, and none is a user.

Next: schemas.telemetry
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, Self

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector

from schemas.rejects import Reason

Allowed = Callable[[str], object]

_FAST_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)


def one_of(*values: str) -> Allowed:
    """Values of a fixed set."""
    return frozenset(values).__contains__


# What stands in the code: reasons of refusals, names of questions, what a person can do.
WORD = re.compile(r"[a-z][a-z0-9_]{0,39}").fullmatch
SENTENCE = re.compile(r".{1,500}", re.DOTALL).fullmatch
NAME = re.compile(r"[A-Za-z0-9_.-]{1,60}").fullmatch
NUMBER = re.compile(r"[0-9]{1,5}").fullmatch


def new_registry() -> CollectorRegistry:
    """For the metrics of this process, with those of any process: memory, files, processor time."""
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    return registry


class _Checked:
    """A family that refuses values of labels that are not declared."""

    allowed: Mapping[str, Allowed]

    def labels(self, *values: Any, **named: Any) -> Self:
        """The child of these values. Raises ValueError for one that is never declared."""
        for label, value in (*zip(self.allowed, values, strict=False), *named.items()):
            if label in self.allowed and not self.allowed[label](str(value)):
                raise ValueError(f"label {label} of {self} is never {value!r}")
        child: Self = super().labels(*values, **named)  # type: ignore[misc]
        return child


class _Counter(_Checked, Counter):
    pass


class _Gauge(_Checked, Gauge):
    pass


class _Histogram(_Checked, Histogram):
    pass


def counter(registry: CollectorRegistry, name: str, told: str, **labels: Allowed) -> Counter:
    """A counter; its name is without the `_total` that it is scraped with."""
    made = _Counter(name, told, tuple(labels), registry=registry)
    made.allowed = labels
    return made


def gauge(registry: CollectorRegistry, name: str, told: str, **labels: Allowed) -> Gauge:
    """A gauge."""
    made = _Gauge(name, told, tuple(labels), registry=registry)
    made.allowed = labels
    return made


def histogram(
    registry: CollectorRegistry,
    name: str,
    told: str,
    buckets: tuple[float, ...] = _FAST_SECONDS,
    **labels: Allowed,
) -> Histogram:
    """A histogram; its buckets are upper bounds, of seconds by default."""
    made = _Histogram(name, told, tuple(labels), registry=registry, buckets=buckets)
    made.allowed = labels
    return made


class IngestMetrics:
    """Metrics of the gateway."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.events = counter(
            registry,
            "usage_ingest_events",
            "Events by verdict.",
            verdict=one_of("accepted", "rejected", "refused"),
            reason=one_of("", *Reason),
        )
        self.requests = counter(
            registry, "usage_ingest_requests", "Requests by status code.", code=NUMBER
        )
        self.request_seconds = histogram(
            registry, "usage_ingest_request_seconds", "Time to answer a request."
        )
        self.ack_seconds = histogram(
            registry, "usage_ingest_ack_seconds", "Time until the broker acknowledged a record."
        )
        self.buffer_bytes = gauge(
            registry, "usage_ingest_buffer_bytes", "Bytes waiting for the broker."
        )


class WorkerMetrics:
    """Metrics of the worker."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.fold_events = counter(
            registry,
            "usage_fold_events",
            "Lines folded, by verdict.",
            verdict=one_of("stored", "duplicate", "dead"),
        )
        self.fold_records = counter(registry, "usage_fold_records", "Records folded.")
        self.flush_seconds = histogram(
            registry, "usage_flush_seconds", "Time of a flush, acknowledged."
        )
        self.flush_rows = histogram(
            registry,
            "usage_flush_rows",
            "Rows of usage_daily in a flush.",
            (1, 10, 100, 1_000, 10_000, 100_000),
        )
        self.user_days_held = gauge(registry, "usage_user_days_held", "User-days in memory.")
        self.rows_held = gauge(registry, "usage_rows_held", "Rows in memory.")
        self.ids_held = gauge(registry, "usage_ids_held", "Identities in memory.")
        self.lag_records = gauge(
            registry,
            "usage_lag_records",
            "Records not yet committed, from the broker.",
            partition=NUMBER,
        )
        self.complete_up_to = gauge(
            registry,
            "usage_complete_up_to_timestamp_seconds",
            "Every event answered before this moment is in the rows.",
            partition=NUMBER,
        )
        self.lost_records = gauge(
            registry,
            "usage_lost_records",
            "Records of topics that were deleted before these were folded, at least.",
        )
        self.end_to_end_seconds = histogram(
            registry,
            "usage_end_to_end_seconds",
            "From an event's arrival to its row.",
            (*_FAST_SECONDS, 60, 300, 1800, 7200),
        )
        self.sink_errors = counter(
            registry, "usage_sink_errors", "Failed inserts and loads.", reason=WORD
        )
        self.dead_letters = counter(
            registry,
            "usage_dead_letters",
            "Lines that could not be decoded.",
            reason=one_of("undecodable"),
        )
        self.stopped = gauge(registry, "usage_stopped", "1 when a person is needed.", reason=WORD)
        self.stopped_info = gauge(
            registry,
            "usage_stopped_info",
            "What a person can do about it.",
            reason=WORD,
            remedy=SENTENCE,
        )


class QueryMetrics:
    """Metrics of the query service."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.query_seconds = histogram(
            registry, "usage_query_seconds", "Time of a query, by its name.", query=WORD
        )
        self.query_errors = counter(registry, "usage_query_errors", "Failed requests.", reason=WORD)
        self.export_rows = counter(registry, "usage_export_rows", "Rows exported.", format=WORD)
        self.store_up = gauge(
            registry, "usage_store_up", "1 when ClickHouse answered the last look at it, else 0."
        )
        self.store_free_bytes = gauge(
            registry, "usage_store_free_bytes", "Room on a disk of ClickHouse.", disk=NAME
        )
        self.store_size_bytes = gauge(
            registry, "usage_store_size_bytes", "Size of a disk of ClickHouse.", disk=NAME
        )
        self.books_difference = gauge(
            registry,
            "usage_books_difference_events",
            "Events by which the books do not balance.",
        )
        self.backup_timestamp = gauge(
            registry,
            "usage_backup_timestamp_seconds",
            "When the newest whole backup was begun, or the store was made while there is none.",
        )
