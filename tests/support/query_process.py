"""The query service as a process of its own, so that its memory is its own.

Next: query_service.__main__
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import httpx

from deploy import ports

START_SECONDS = 60.0
EXPORT_SECONDS = 3600.0


class QueryProcess:
    """`python -m query_service` over the ClickHouse of `dsn`; further environment as it is."""

    def __init__(self, dsn: str, directory: Path, **more: str) -> None:
        self.port = ports.free()
        self.log = directory / "query.log"
        environment = {
            "CLICKHOUSE_DSN": dsn,
            "KAFKA_BOOTSTRAP": "127.0.0.1:1",
            "USAGE_QUERY_PORT": str(self.port),
            "USAGE_STATE_DIR": str(directory),
            # Tests that run beside others keep the machine busy.
            "USAGE_QUERY_SILENCE_SECONDS": "30",
            **more,
        }
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "query_service"],
                env={**os.environ, **environment},
                stdout=log,
                stderr=log,
            )

    def start(self) -> QueryProcess:
        """Come back when it answers."""
        deadline = time.monotonic() + START_SECONDS
        while not self._answers():
            if time.monotonic() > deadline or self.process.poll() is not None:
                self.stop()
                raise RuntimeError(self.log.read_text())
            time.sleep(0.1)
        return self

    def _answers(self) -> bool:
        try:
            url = f"http://127.0.0.1:{self.port}/health/ready"
            return httpx.get(url, timeout=START_SECONDS).status_code == 200
        except httpx.TransportError:
            return False

    def export(self, key: str, extension: str, query: str) -> tuple[int, int]:
        """Read an export and throw it away: the rows it says it has, and its size in bytes."""
        url = f"http://127.0.0.1:{self.port}/v1/report.{extension}?{query}"
        headers = {"Authorization": f"Bearer {key}"}
        with httpx.stream("GET", url, headers=headers, timeout=EXPORT_SECONDS) as answer:
            answer.raise_for_status()
            size = sum(len(piece) for piece in answer.iter_raw())
            return int(answer.headers["X-Total-Rows"]), size

    def memory(self, name: str) -> int:
        """Bytes of memory: VmRSS now, or VmHWM, the most since `forget_peak`."""
        lines = Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
        [kilobytes] = [line.split()[1] for line in lines if line.startswith(f"{name}:")]
        return int(kilobytes) * 1024

    def forget_peak(self) -> None:
        """Let VmHWM begin anew."""
        Path(f"/proc/{self.process.pid}/clear_refs").write_text("5")

    def stop(self) -> None:
        """End it, and wait until it is gone."""
        self.process.terminate()
        self.process.wait(timeout=30)
