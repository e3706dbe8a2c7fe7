"""Every setting of every process, read once from the environment by its entry point.

`usage-report settings` lists them; nothing else touches the environment.

Next: ingest.__main__
"""

from pathlib import Path
from typing import Literal

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from schemas import topics


class CommonSettings(BaseSettings):
    """What all processes share."""

    model_config = SettingsConfigDict(env_prefix="USAGE_", extra="ignore", populate_by_name=True)

    clickhouse_dsn: str = Field(
        "clickhouse://default:@127.0.0.1:8123/usage",
        validation_alias="CLICKHOUSE_DSN",
        description="ClickHouse over HTTP: clickhouse://user:password@host:port/database.",
    )
    kafka_bootstrap: str = Field(
        "127.0.0.1:9092",
        validation_alias="KAFKA_BOOTSTRAP",
        description="Kafka's bootstrap servers, host:port, separated by commas.",
    )
    partitions: int = Field(
        topics.DEFAULT_PARTITIONS,
        ge=1,
        le=1024,
        description="Partitions that users are hashed to; grown only by `usage-report epoch bump`.",
    )
    replication_factor: int = Field(
        1, ge=1, description="Replicas of each topic that `usage-report migrate` creates."
    )
    state_dir: Path = Field(
        Path("usage-state"),
        description="Small files a process keeps over a restart: cached keys, the worker's lock.",
    )
    log_format: Literal["auto", "json", "console"] = Field(
        "auto", description="Log lines as JSON or for people; auto: JSON unless at a terminal."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="Lowest level that is logged."
    )
    failpoints: str = Field(
        "", description="For tests alone: where to die, as in stored_usage_daily:3."
    )


class HttpSettings(CommonSettings):
    """What the two services that speak HTTP share."""

    connections_max: int = Field(
        4096,
        ge=8,
        description="Most open connections; fewer where the process may open fewer files.",
    )
    arrival_seconds: float = Field(
        20.0, gt=0, description="Longest wait for a request's head, or for more of its body."
    )


class IngestSettings(HttpSettings):
    """The gateway."""

    ingest_host: str = Field("127.0.0.1", description="Address the gateway listens on.")
    ingest_port: int = Field(8081, description="Port the gateway listens on.")
    body_max_bytes: int = Field(
        8 << 20, ge=1024, description="Largest body of a request, after decompression, in bytes."
    )
    batch_max_events: int = Field(10_000, ge=1, description="Most events in one request.")
    decompression_max_ratio: int = Field(
        200, ge=2, description="Largest ratio of a body to its compressed form (against bombs)."
    )
    linger_seconds: float = Field(
        0.05,
        ge=0,
        description="How long a record waits, at most, while those before are on their way.",
    )
    ack_timeout_seconds: float = Field(
        10.0, gt=0, description="Longest wait for the broker's acknowledgement before a 503."
    )
    buffer_max_bytes: int = Field(
        64 << 20, ge=1 << 20, description="Bytes of events waiting for the broker before a 503."
    )
    tenant_events_per_second: int = Field(
        50_000, ge=1, description="Events a second of one tenant at one gateway before a 429."
    )
    tenant_requests_per_second: int = Field(
        5_000, ge=1, description="Requests a second of one tenant at one gateway before a 429."
    )
    keys_refresh_seconds: float = Field(2.0, gt=0, description="How often keys are read again.")
    keys_max_age_seconds: float = Field(
        86_400.0,
        gt=0,
        description="How long cached keys are trusted while ClickHouse is away.",
    )
    events_retention_days: int = Field(
        400,
        ge=36,
        description="How far back scope import reaches; usage_events are kept 8 days longer.",
    )


class WorkerSettings(CommonSettings):
    """The worker."""

    worker_id: str = Field("worker-1", description="Unique among running workers; locked.")
    worker_host: str = Field("127.0.0.1", description="Address of the worker's /metrics.")
    worker_port: int = Field(8082, description="Port of the worker's /metrics.")
    batch_max_records: int = Field(1000, ge=1, description="Most records folded in one batch.")
    batch_within_seconds: float = Field(
        0.2, gt=0, description="Longest wait for more records before a batch is folded."
    )
    state_max_bytes: int = Field(
        512 << 20, ge=1 << 16, description="Bytes of user-days held before clean ones are evicted."
    )
    watch_seconds: float = Field(1.0, gt=0, description="How often lag and progress are read.")
    stall_seconds: float = Field(
        60.0, gt=0, description="No progress with lag for this long ends the process."
    )
    stop_linger_seconds: float = Field(
        20.0,
        ge=0,
        description="How long /metrics tell why a worker stopped before it exits with 78.",
    )


class QuerySettings(HttpSettings):
    """The query service."""

    query_host: str = Field("127.0.0.1", description="Address the query service listens on.")
    query_port: int = Field(8080, description="Port the query service listens on.")
    query_max_seconds: float = Field(30.0, gt=0, description="Longest a single query may run.")
    query_silence_seconds: float = Field(
        1.0, gt=0, description="ClickHouse answers no ping for this long: questions fail at once."
    )
    query_max_memory_bytes: int = Field(
        4 << 30, ge=1 << 20, description="Most memory a single query may take, in bytes."
    )
    tenant_queries_per_second: int = Field(
        200,
        ge=1,
        description="Requests a second of one tenant at one query service before a 429.",
    )
    export_max_seconds: float = Field(
        3600.0, gt=0, description="Longest an export may take, its client's reading included."
    )
    root_path: str = Field("", description="Path the service is served under, behind a proxy.")
    trusted_proxies: str = Field(
        "127.0.0.1,::1",
        description="Addresses and networks of proxies whose X-Forwarded-Proto is believed:"
        " the page's cookie is Secure behind one that speaks TLS. Commas between.",
    )
    frequent_days_per_month: float = Field(
        7.0, gt=0, description="Days a month from which use without prices is frequent."
    )
    privacy_scope: Literal["view", "tenant"] = Field(
        "view",
        description="Whose teams hide names when one has personal data off: view, tenant.",
    )
