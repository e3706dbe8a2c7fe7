"""A gateway as a child process on a free port, for tests.

Next: ingest.__main__
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Self

import httpx

from deploy import ports

START_SECONDS = 90.0
# Limits that tests can reach with little data.
SMALL_LIMITS = {"body_max_bytes": 1 << 20, "batch_max_events": 2_000}


class GatewayProcess:
    """`python -m ingest` with its own state directory; further settings as USAGE_… names.

    `module` is another one that listens where the settings say, `code` the directory of another
    release's packages.
    """

    def __init__(
        self,
        directory: Path,
        *,
        kafka: str,
        clickhouse_dsn: str,
        module: str = "ingest",
        code: Path | None = None,
        **settings: object,
    ) -> None:
        self.directory = directory
        self.module = module
        self.code = code
        self.port = ports.free()
        self.url = f"http://127.0.0.1:{self.port}"
        self.environment = {
            "KAFKA_BOOTSTRAP": kafka,
            "CLICKHOUSE_DSN": clickhouse_dsn,
            "USAGE_INGEST_PORT": str(self.port),
            "USAGE_STATE_DIR": str(directory / "state"),
            "USAGE_LOG_FORMAT": "json",
            **{f"USAGE_{name.upper()}": str(value) for name, value in settings.items()},
        }
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, *, until: str = "/health/ready") -> Self:
        """Start it, and come back when `until` answers 200."""
        self.directory.mkdir(parents=True, exist_ok=True)
        with (self.directory / "gateway.log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", self.module],
                env={**os.environ, **self.environment},
                cwd=self.code,
                stdout=log,
                stderr=log,
            )
        deadline = time.monotonic() + START_SECONDS
        while not self.answers(until):
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.kill()
                raise RuntimeError(self.log())
            time.sleep(0.05)
        return self

    def answers(self, path: str) -> bool:
        """Whether GET `path` answers 200."""
        try:
            return httpx.get(f"{self.url}{path}", timeout=5).status_code == 200
        except httpx.TransportError:
            return False

    def log(self) -> str:
        """What it has logged so far."""
        return (self.directory / "gateway.log").read_text()

    def metric(self, name: str, **labels: str) -> float:
        """The value of one of its metrics; 0 when it is not there."""
        wanted = "{" + ",".join(f'{key}="{value}"' for key, value in sorted(labels.items())) + "}"
        for line in httpx.get(f"{self.url}/metrics").text.splitlines():
            if line.startswith(f"{name}{wanted if labels else ''} "):
                return float(line.rsplit(" ", 1)[1])
        return 0.0

    def memory_bytes(self) -> int:
        """Its resident memory."""
        pid = self.process.pid if self.process else 0
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def stop(self) -> int:
        """SIGTERM; its exit status."""
        if self.process is None:
            return 0
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=20)

    def kill(self) -> None:
        """Kill -9, and wait until it is gone."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()


def wait_until(holds: Callable[[], object], seconds: float = 5.0) -> None:
    """Return when `holds()` does; raises TimeoutError after so many seconds."""
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            raise TimeoutError("did not come to hold in time")
        time.sleep(0.02)
