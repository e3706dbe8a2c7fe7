"""What a system under fault consists of: engines, proxies before them, services and their settings.

Gateway and worker each have a proxy of their own before Kafka and before ClickHouse, so that one
of them can be cut off from one engine alone. The harness and the query service go straight.

Next: tests.faults.proxy
"""

import os
import sys
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from deploy import kafka, ports
from deploy.children import Child
from tests.faults.proxy import Proxy

SIDES = ("gateway", "worker")
SERVICES = {"gateway": "ingest", "worker": "aggregators", "query": "query_service"}


@dataclass
class Topology:
    """Ports and settings of one system; nothing runs yet.

    `modules` may name another module for a service, `extra` more environment for one.
    """

    root: Path
    gateways: int = 1
    workers: int = 1
    partitions: int = 12
    modules: dict[str, str] = field(default_factory=dict)
    extra: dict[str, dict[str, str]] = field(default_factory=dict)
    kafka_overrides: str = ""
    replication_factor: int = 1
    kafka_port: int = field(default_factory=ports.free)
    clickhouse_port: int = field(default_factory=ports.free)
    query_port: int = field(default_factory=ports.free)

    def __post_init__(self) -> None:
        self._listeners = {side: ports.free() for side in SIDES}
        self.kafka_proxies = {side: Proxy(self._listeners[side]) for side in SIDES}
        self.clickhouse_proxies = {side: Proxy(self.clickhouse_port) for side in SIDES}
        self._service_ports: dict[str, int] = {}

    @property
    def bootstrap(self) -> str:
        """Kafka, straight."""
        return f"127.0.0.1:{self.kafka_port}"

    def bootstrap_of(self, kind: str) -> str:
        """Kafka as a side sees it."""
        return f"127.0.0.1:{self.kafka_proxies[kind].port}"

    @property
    def dsn(self) -> str:
        """ClickHouse, straight."""
        return dsn(self.clickhouse_port)

    @property
    def query_url(self) -> str:
        """The query service."""
        return f"http://127.0.0.1:{self.query_port}"

    @property
    def gateway_urls(self) -> list[str]:
        """The gateways."""
        return [f"http://127.0.0.1:{self.port(name)}" for name in self.names("gateway")]

    def names(self, kind: str) -> list[str]:
        """`worker-1` and so on."""
        count = {"gateway": self.gateways, "worker": self.workers}[kind]
        return [f"{kind}-{number}" for number in range(1, count + 1)]

    def port(self, name: str) -> int:
        """The port of a service, chosen when it is first asked for."""
        if name == "query":
            return self.query_port
        if name not in self._service_ports:
            self._service_ports[name] = ports.free()
        return self._service_ports[name]

    def engines(self) -> list[Child]:
        """Kafka and ClickHouse."""
        self._write_overrides()
        place = ["--data-dir", str(self.root / "kafka"), "--port", str(self.kafka_port)]
        log_place = ["--data-dir", str(self.root / "clickhouse")]
        python = [sys.executable, "-m"]
        return [
            self._child(
                "kafka",
                [*python, "deploy.kafka", "start", *place],
                ready=lambda: kafka.answers(self.kafka_port),
            ),
            self._child(
                "clickhouse",
                [*python, "deploy.clickhouse", *log_place, "--port", str(self.clickhouse_port)],
                ready=lambda: answers(f"http://127.0.0.1:{self.clickhouse_port}/ping"),
            ),
        ]

    def service(self, name: str) -> Child:
        """`query`, or a gateway or worker by its numbered name."""
        kind = name.split("-", maxsplit=1)[0]
        port = self.port(name)
        path = {"worker": "metrics", "query": "health/live"}.get(kind, "health/ready")
        return self._child(
            name,
            [sys.executable, "-m", self.modules.get(kind, SERVICES[kind])],
            ready=lambda: answers(f"http://127.0.0.1:{port}/{path}"),
            environment=self._environment(name, kind, port),
        )

    def _environment(self, name: str, kind: str, port: int) -> dict[str, str]:
        straight = kind == "query"
        return {
            "KAFKA_BOOTSTRAP": self.bootstrap if straight else self.bootstrap_of(kind),
            "CLICKHOUSE_DSN": self.dsn if straight else dsn(self.clickhouse_proxies[kind].port),
            "USAGE_PARTITIONS": str(self.partitions),
            "USAGE_STATE_DIR": str(self.root / "state" / name),
            "USAGE_LOG_FORMAT": "json",
            "USAGE_INGEST_PORT": str(port),
            "USAGE_WORKER_PORT": str(port),
            "USAGE_QUERY_PORT": str(port),
            "USAGE_WORKER_ID": name,
            "USAGE_STOP_LINGER_SECONDS": "2",
            **self.extra.get(kind, {}),
            **self.extra.get(name, {}),
        }

    def _child(self, name, command, *, ready, environment=None) -> Child:
        return Child(
            name=name,
            command=command,
            environment={**os.environ, "PYTHONUNBUFFERED": "1", **(environment or {})},
            log=self.root / "logs" / f"{name}.log",
            lock=self.root / "run" / f"{name}.lock",
            ready=ready,
        )

    def _write_overrides(self) -> None:
        """A listener for each side, told to clients as the proxy before it."""
        place = self.root / "kafka"
        place.mkdir(parents=True, exist_ok=True)
        controller = ports.free()
        own = [("BROKER", self.kafka_port, self.kafka_port)]
        own += [
            (side.upper(), self._listeners[side], self.kafka_proxies[side].port) for side in SIDES
        ]
        names = [name for name, _, _ in own]
        lines = [
            f"controller.quorum.voters=1@127.0.0.1:{controller}",
            "listeners="
            + ",".join(f"{name}://127.0.0.1:{port}" for name, port, _ in own)
            + f",CONTROLLER://127.0.0.1:{controller}",
            "advertised.listeners="
            + ",".join(f"{name}://127.0.0.1:{told}" for name, _, told in own),
            "listener.security.protocol.map=CONTROLLER:PLAINTEXT,"
            + ",".join(f"{name}:PLAINTEXT" for name in names),
            self.kafka_overrides,
        ]
        (place / "overrides.properties").write_text("\n".join(lines) + "\n")


def dsn(port: int) -> str:
    """Where clickhouse-connect finds it."""
    return f"clickhouse://default:@127.0.0.1:{port}/usage"


def answers(url: str) -> bool:
    """Whether it answers 200 within a few seconds."""
    try:
        with httpx.Client(trust_env=False, timeout=5) as client:
            return client.get(url).status_code == 200
    except httpx.TransportError:
        return False
