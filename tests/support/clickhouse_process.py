"""The ClickHouse server of one machine as a child process, for tests.

Next: deploy.clickhouse
"""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx

START_SECONDS = 30.0


class ClickHouseProcess:
    """A server over its own data directory; port None takes a free one, and keeps it.

    `module` is another one that serves as deploy.clickhouse does.
    """

    def __init__(
        self, data_dir: Path, port: int | None = None, *, module: str = "deploy.clickhouse"
    ) -> None:
        self.data_dir = data_dir
        self.module = module
        self.port = port
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def dsn(self) -> str:
        """Where clickhouse-connect finds it."""
        return f"clickhouse://default:@127.0.0.1:{self.port}/usage"

    def start(self) -> ClickHouseProcess:
        """Start it, and come back when it answers."""
        self.data_dir.mkdir(parents=True, exist_ok=True)
        port_file = self.data_dir / "clickhouse.port"
        port_file.unlink(missing_ok=True)
        command = [sys.executable, "-m", self.module, "--data-dir", str(self.data_dir)]
        with (self.data_dir / "clickhouse.log").open("ab") as log:
            self.process = subprocess.Popen(
                [*command, "--port", str(self.port or 0)], stdout=log, stderr=log
            )
        deadline = time.monotonic() + START_SECONDS
        while not self._answers(port_file):
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.kill()
                raise RuntimeError((self.data_dir / "clickhouse.log").read_text())
            time.sleep(0.05)
        return self

    def _answers(self, port_file: Path) -> bool:
        if not port_file.exists():
            return False
        self.port = int(port_file.read_text())
        return httpx.get(f"http://127.0.0.1:{self.port}/ping").text == "Ok.\n"

    def kill(self) -> None:
        """Kill -9, and wait until it is gone."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def stop(self) -> int:
        """SIGTERM; its exit status."""
        if self.process is None:
            return 0
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=60)
