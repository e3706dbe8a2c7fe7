"""What `up` runs: five processes, their ports, directories, environment and signs of readiness.

Next: deploy.children
"""

import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import httpx

from deploy import kafka, ports
from deploy.children import Child
from deploy.connection import Connection
from schemas.kafka_address import KafkaAddress
from schemas.settings import CommonSettings

# In the order of their start.
NAMES = ("kafka", "clickhouse", "ingest", "worker", "query")
STOP_ORDER = ("sample", "ingest", "worker", "query", "clickhouse", "kafka")
ENGINES = ("kafka", "clickhouse")
MODULES = {"ingest": "ingest", "worker": "aggregators", "query": "query_service"}
DEFAULT_PORTS = {
    "kafka": kafka.DEFAULT_PORT,
    "clickhouse": 8123,
    "ingest": 8081,
    "worker": 8082,
    "query": 8080,
}


class PortTaken(Exception):  # noqa: N818 - named for what happened, as the style asks
    """A port that was asked for by number is in use."""


class NothingToSecure(Exception):  # noqa: N818 - named for what happened, as the style asks
    """TLS or SASL is asked for of a Kafka that is started here, where it speaks neither."""


def choose_ports(data_dir: Path, asked: Mapping[str, int | None]) -> dict[str, int]:
    """A port for each process, held for this process.

    One that was asked for, or PortTaken; else the one of the last start on this directory, if
    it is free; else the usual one, or a free one near it. The choice is remembered.
    """
    memory = data_dir / "ports.json"
    before = json.loads(memory.read_text()) if memory.exists() else {}
    chosen: dict[str, int] = {}
    # Those that were asked for first: none of the others is to be given one of them.
    for name in sorted(NAMES, key=lambda name: asked.get(name) is None):
        port = asked.get(name)
        if port is not None and (port in chosen.values() or not ports.hold(port)):
            raise PortTaken(f"port {port} for {name} is taken; without --{name}-port one is found")
        remembered = before.get(name)
        if port is None and remembered and remembered not in chosen.values():
            port = remembered if ports.hold(remembered) else None
        chosen[name] = port or ports.near(DEFAULT_PORTS[name])
    chosen = {name: chosen[name] for name in NAMES}
    memory.write_text(json.dumps(chosen) + "\n")
    return chosen


@dataclass(frozen=True)
class Plan:
    """Where everything is. `elsewhere` names the engines that the environment points to."""

    data_dir: Path
    ports: Mapping[str, int]
    connection: Connection
    elsewhere: frozenset[str]

    @property
    def names(self) -> list[str]:
        """The processes to run here, in the order of their start."""
        return [name for name in NAMES if name not in self.elsewhere]


def make_plan(
    data_dir: Path,
    asked: Mapping[str, int | None],
    settings: CommonSettings,
    environ: Mapping[str, str],
) -> Plan:
    """Choose the ports; an engine whose address is in the environment is used, not started.

    `settings` are of the same environment.
    """
    engines = {"clickhouse": "CLICKHOUSE_DSN", "kafka": "KAFKA_BOOTSTRAP"}
    elsewhere = frozenset(name for name, variable in engines.items() if environ.get(variable))
    if "kafka" not in elsewhere and settings.kafka_security != "plaintext":
        raise NothingToSecure(
            f"USAGE_KAFKA_SECURITY={settings.kafka_security} is for a Kafka that KAFKA_BOOTSTRAP"
            " names; the one that `up` starts here speaks plaintext, on this machine alone"
        )
    chosen = choose_ports(data_dir, asked)
    address = {name: f"127.0.0.1:{port}" for name, port in chosen.items()}
    dsn = f"clickhouse://default:@{address['clickhouse']}/usage"
    return Plan(
        data_dir=data_dir,
        ports=chosen,
        connection=Connection(
            ingest_url=f"http://{address['ingest']}",
            query_url=f"http://{address['query']}",
            clickhouse_dsn=settings.clickhouse_dsn if "clickhouse" in elsewhere else dsn,
            kafka=settings.kafka if "kafka" in elsewhere else KafkaAddress(address["kafka"]),
        ),
        elsewhere=elsewhere,
    )


def children(plan: Plan, environ: Mapping[str, str]) -> list[Child]:
    """The processes of the plan, none of them started."""
    return [
        Child(
            name=name,
            command=_command(plan, name),
            environment=_environment(plan, name, environ),
            log=plan.data_dir / "logs" / f"{name}.log",
            lock=lock_of(plan.data_dir, name),
            ready=_readiness(name, plan.ports[name]),
        )
        for name in plan.names
    ]


def sample(plan: Plan, environ: Mapping[str, str], *, until: str) -> Child:
    """The one-shot process that loads the sample, its events ending at `until`."""
    return Child(
        name="sample",
        command=[sys.executable, "-P", "-m", "deploy.sample", str(plan.data_dir), until],
        environment=_environment(plan, "sample", environ),
        log=plan.data_dir / "logs" / "sample.log",
        lock=lock_of(plan.data_dir, "sample"),
        ready=lambda: True,
    )


def lock_of(data_dir: Path, name: str) -> Path:
    """The file that a living process of this name holds locked."""
    return data_dir / "run" / f"{name}.lock"


def _command(plan: Plan, name: str) -> list[str]:
    # -P: modules come from where they are installed, whatever lies in the current directory.
    python = [sys.executable, "-P", "-m"]
    place = ["--data-dir", str(plan.data_dir / name), "--port", str(plan.ports[name])]
    if name == "kafka":
        return [*python, "deploy.kafka", "start", *place]
    if name == "clickhouse":
        return [*python, "deploy.clickhouse", *place, "--database", "usage"]
    return [*python, MODULES[name]]


def _environment(plan: Plan, name: str, environ: Mapping[str, str]) -> dict[str, str]:
    state = plan.data_dir / "state" / name
    state.mkdir(parents=True, exist_ok=True)
    return {
        **environ,
        "CLICKHOUSE_DSN": plan.connection.clickhouse_dsn,
        "KAFKA_BOOTSTRAP": plan.connection.kafka.bootstrap,
        "USAGE_INGEST_PORT": str(plan.ports["ingest"]),
        "USAGE_WORKER_PORT": str(plan.ports["worker"]),
        "USAGE_QUERY_PORT": str(plan.ports["query"]),
        "USAGE_STATE_DIR": str(state),
        "PYTHONUNBUFFERED": "1",
    }


def _readiness(name: str, port: int) -> Callable[[], bool]:
    if name == "kafka":
        return lambda: kafka.answers(port)
    path = {"clickhouse": "ping", "worker": "metrics"}.get(name, "health/ready")
    return lambda: _answers(f"http://127.0.0.1:{port}/{path}")


def _answers(url: str) -> bool:
    try:
        # No proxy of the environment stands between processes of one machine.
        with httpx.Client(trust_env=False, timeout=5) as client:
            return client.get(url).status_code == 200
    except httpx.TransportError:
        return False
