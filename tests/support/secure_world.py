"""Kafka and ClickHouse behind TLS, and our processes and commands in one environment.

Next: tests.integration.test_secure_connections
"""

import os
import subprocess
from pathlib import Path

import httpx
import orjson

from deploy import ports
from tests.support.certificates import Authority
from tests.support.clickhouse_process import ClickHouseProcess
from tests.support.cloud_events import event
from tests.support.gateway_process import GatewayProcess, wait_until
from tests.support.secure_kafka import PASSWORD, USER, SecureKafka
from tests.support.tls_front import TlsFront
from tests.support.worker_world import CommandProcess, WorkerProcess

PATIENCE_SECONDS = 180.0


class SecureWorld:
    """`mutual`: certificates on both sides; else SCRAM at Kafka, and TLS alone at ClickHouse."""

    def __init__(self, root: Path, *, mutual: bool) -> None:
        self.root = root
        self.authority = Authority(root / "authority")
        self.stranger = Authority(root / "stranger", "somebody else")
        self.kafka = SecureKafka(root / "kafka", self.authority, mutual=mutual)
        self.store = ClickHouseProcess(root / "clickhouse")
        self.password_file = root / "password"
        self.password_file.write_text(f"{PASSWORD}\n")
        self._mutual = mutual
        self.front: TlsFront | None = None

    def start(self) -> None:
        """Start both engines, and make them ready by `migrate`."""
        self.store.start()
        self.front = TlsFront(self.store.port, self.authority, mutual=self._mutual)
        self.front.start()
        self.kafka.start()
        done = self.command("migrate", "--json")
        assert done.returncode == 0, done.stderr

    def stop(self) -> None:
        """Stop both."""
        self.kafka.kill()
        if self.front:
            self.front.stop()
        self.store.kill()

    @property
    def environment(self) -> dict[str, str]:
        """What an operator would set."""
        kafka = {"SECURITY": "ssl", **self._identity("KAFKA")} if self._mutual else self._sasl()
        clickhouse = self._identity("CLICKHOUSE") if self._mutual else {}
        return {
            "KAFKA_BOOTSTRAP": self.kafka.bootstrap,
            "CLICKHOUSE_DSN": self.front.dsn,
            "USAGE_PARTITIONS": "3",
            **{f"USAGE_KAFKA_{name}": text for name, text in kafka.items()},
            "USAGE_KAFKA_CA_FILE": str(self.authority.ca_file),
            **{f"USAGE_CLICKHOUSE_{name}": text for name, text in clickhouse.items()},
            "USAGE_CLICKHOUSE_CA_FILE": str(self.authority.ca_file),
        }

    def _sasl(self) -> dict[str, str]:
        return {
            "SECURITY": "sasl_ssl",
            "SASL_MECHANISM": "SCRAM-SHA-512",
            "SASL_USER": USER,
            "SASL_PASSWORD": PASSWORD,
        }

    def _identity(self, name: str) -> dict[str, str]:
        cert_file, key_file = self.authority.issue(f"client-of-{name.lower()}")
        return {"CERT_FILE": str(cert_file), "KEY_FILE": str(key_file)}

    def but(self, **changes: str | None) -> dict[str, str]:
        """The environment with some of it changed, or left out."""
        changed = {**self.environment, **changes}
        return {name: text for name, text in changed.items() if text is not None}

    def command(
        self, *arguments: str, environment: dict[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """`usage-report` to its end."""
        return CommandProcess(arguments, os.environ | (environment or self.environment)).finish()

    def key(self) -> str:
        """A new key with which events are sent and reports read."""
        scopes = ("--scope", "ingest", "--scope", "read", "--scope", "admin")
        done = self.command("keys", "create", "--tenant", "sample", *scopes, "--json")
        return str(orjson.loads(done.stdout)["key"])

    def gateway(self, name: str, environment: dict[str, str]) -> GatewayProcess:
        """A gateway, not started."""
        made = GatewayProcess(self.root / name, kafka="", clickhouse_dsn="")
        made.environment |= environment
        return made

    def worker(self, name: str, environment: dict[str, str]) -> WorkerProcess:
        """A worker that has been started."""
        (self.root / name).mkdir()
        own = {
            "USAGE_WORKER_PORT": str(ports.free()),
            "USAGE_WORKER_ID": name,
            "USAGE_STATE_DIR": str(self.root / name),
            "USAGE_LOG_FORMAT": "json",
        }
        return WorkerProcess(os.environ | environment | own, self.root / name / "worker.log")

    def folded(self, events: int) -> bool:
        """Whether the workers have stored so many events, and committed them."""
        done = self.command("lag", "--json")
        if done.returncode or orjson.loads(done.stdout)["lag_records"]:
            return False
        verified = orjson.loads(self.command("verify", "--all", "--json").stdout)
        assert verified["differences"] == 0, verified
        ledger = self.command("ledger", "--all", "--days", "2", "--json")
        rows = orjson.loads(ledger.stdout)["partitions"]
        return sum(row["stored"] for row in rows) == events

    def until_folded(self, events: int) -> None:
        """Wait for it."""
        wait_until(lambda: self.folded(events), seconds=PATIENCE_SECONDS)


def post(gateway: GatewayProcess, key: str, events: int) -> httpx.Response:
    """So many events in one request."""
    body = [event() for _ in range(events)]
    headers = {"X-API-Key": key}
    return httpx.post(f"{gateway.url}/v1/events", json=body, headers=headers, timeout=60)
