"""Every setting of every process, read once from the environment by its entry point.

`usage-report settings` lists them; nothing else touches the environment.

Next: ingest.__main__
"""

from pathlib import Path
from typing import Literal, Self, TypeVar

from pydantic import Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from schemas import topics
from schemas.clickhouse_address import with_certificates
from schemas.kafka_address import KafkaAddress, Mechanism, Security
from schemas.tls import Certificates

Settings = TypeVar("Settings", bound=BaseSettings)


def read(kind: type[Settings]) -> Settings:
    """The settings of the environment; exits with status 1, and what is wrong, when they are."""
    try:
        return kind()
    except ValidationError as error:
        prefix = str(kind.model_config["env_prefix"])
        raise SystemExit(
            "\n".join(f"usage-report: {line}" for line in _wrong(error, prefix))
        ) from None


def _wrong(error: ValidationError, prefix: str) -> list[str]:
    """Without what was given, which may be a password."""
    found = []
    for each in error.errors(include_input=False, include_url=False):
        name = ".".join(str(part) for part in each["loc"])
        variable = name if name.isupper() else f"{prefix}{name}".upper()
        found.append(f"{variable}: {each['msg']}" if name else each["msg"].split(", ", 1)[-1])
    return found


class SecuritySettings(BaseSettings):
    """How Kafka and ClickHouse are spoken to, for whoever speaks to them."""

    model_config = SettingsConfigDict(
        env_prefix="USAGE_", extra="ignore", populate_by_name=True, hide_input_in_errors=True
    )

    kafka_security: Security = Field(
        "plaintext",
        description="How Kafka is spoken to: plaintext, ssl, sasl_plaintext, sasl_ssl.",
    )
    kafka_ca_file: Path | None = Field(
        None,
        description="Whom we trust as Kafka, in PEM; without it, whom this machine trusts.",
    )
    kafka_cert_file: Path | None = Field(
        None, description="Our own certificate for a Kafka that asks for one, in PEM."
    )
    kafka_key_file: Path | None = Field(
        None, description="Its key, not encrypted; without it, the key is in the same file."
    )
    kafka_sasl_mechanism: Mechanism | None = Field(
        None, description="PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512."
    )
    kafka_sasl_user: str | None = Field(None, description="Who we are to Kafka.")
    kafka_sasl_password: SecretStr | None = Field(None, description="Our password at Kafka.")
    kafka_sasl_password_file: Path | None = Field(
        None, description="A file with that password instead, read at each new connection."
    )
    clickhouse_ca_file: Path | None = Field(
        None,
        description="Whom we trust as ClickHouse, in PEM; without it, whom this machine trusts.",
    )
    clickhouse_cert_file: Path | None = Field(
        None, description="Our own certificate for a ClickHouse that asks for one, in PEM."
    )
    clickhouse_key_file: Path | None = Field(
        None, description="Its key, not encrypted; without it, the key is in the same file."
    )

    def kafka_at(self, bootstrap: str) -> KafkaAddress:
        """Kafka at these addresses, spoken to as these settings say."""
        names = (
            *("security", "ca_file", "cert_file", "key_file"),
            *("sasl_mechanism", "sasl_user", "sasl_password", "sasl_password_file"),
        )
        return KafkaAddress(bootstrap, **{name: getattr(self, f"kafka_{name}") for name in names})

    def clickhouse_at(self, dsn: str) -> str:
        """The DSN with the certificates in it. Raises ValueError for one that speaks no TLS."""
        files = (self.clickhouse_ca_file, self.clickhouse_cert_file, self.clickhouse_key_file)
        return with_certificates(dsn, Certificates("USAGE_CLICKHOUSE", *files))


class CommonSettings(SecuritySettings):
    """What all processes share."""

    clickhouse_dsn: str = Field(
        "clickhouse://default:@127.0.0.1:8123/usage",
        validation_alias="CLICKHOUSE_DSN",
        description="ClickHouse over HTTP: clickhouse://user:password@host:port/database,"
        " clickhouses:// for TLS.",
    )
    cluster: str = Field(
        "",
        pattern=r"^\w*$",
        description="Name of ClickHouse's cluster that `usage-report migrate` makes the tables on;"
        " empty: one node. The other processes see it in the store.",
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

    @property
    def kafka(self) -> KafkaAddress:
        """Kafka, and how it is spoken to."""
        return self.kafka_at(self.kafka_bootstrap)

    @model_validator(mode="after")
    def _check_connections(self) -> Self:
        self.kafka.check()
        self.clickhouse_dsn = self.clickhouse_at(self.clickhouse_dsn)
        return self


class EventsKeptSettings(CommonSettings):
    """How long events are kept: the gateway takes none of before, the store deletes them."""

    events_retention_days: int = Field(
        400,
        ge=36,
        description="How far back scope import reaches; `up` and `usage-report migrate` make"
        " usage_events keep events 8 days longer.",
    )


class StoreSettings(EventsKeptSettings):
    """How long tables keep what names users; `up` and `usage-report migrate` apply it."""

    daily_retention_days: int = Field(
        0,
        ge=0,
        description="Days that rows of usage_daily are kept, no fewer than events; 0: for ever.",
    )
    dead_letters_retention_days: int = Field(
        400, ge=1, description="Days that dead letters are kept."
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


class IngestSettings(HttpSettings, EventsKeptSettings):
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
    settle_after_seconds: float = Field(
        3600.0,
        ge=0,
        description="Reports read a month that is over from fewer rows when nobody has written"
        " to it for so long.",
    )
    frequent_days_per_month: float = Field(
        7.0, gt=0, description="Days a month from which use without prices is frequent."
    )
    privacy_scope: Literal["view", "tenant"] = Field(
        "view",
        description="Whose teams hide names when one has personal data off: view, tenant.",
    )
