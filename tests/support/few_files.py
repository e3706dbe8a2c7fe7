"""A service that may open few files, and waits for nobody long.

Next: schemas.connections
"""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Self

import httpx

from deploy import ports

FILES = 200
START_SECONDS = 90.0
_SETTINGS = {"USAGE_ARRIVAL_SECONDS": "2", "USAGE_LOG_FORMAT": "json"}


class FewFiles:
    """`python -m MODULE` over the log and the store of a running `up`."""

    def __init__(self, module: str, ready: dict[str, Any], directory: Path) -> None:
        port = ports.free()
        self.place = "127.0.0.1", port
        self.url = f"http://127.0.0.1:{port}"
        self._log = directory / f"{module}.log"
        name = "INGEST" if module == "ingest" else "QUERY"
        environment = {
            "KAFKA_BOOTSTRAP": ready["kafka"],
            "CLICKHOUSE_DSN": ready["clickhouse_url"],
            "USAGE_STATE_DIR": str(directory),
            f"USAGE_{name}_PORT": str(port),
            **_SETTINGS,
        }
        limited = ["sh", "-c", f'ulimit -n {FILES} && exec "$@"', "sh"]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [*limited, sys.executable, "-m", module],
                env={**os.environ, **environment},
                stdout=log,
                stderr=log,
            )

    def __enter__(self) -> Self:
        deadline = time.monotonic() + START_SECONDS
        while not self.ready():
            assert time.monotonic() < deadline, self._log.read_text()
            time.sleep(0.1)
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        # uvicorn raises the signal again when it is done.
        assert self._process.wait(30) in {0, -signal.SIGTERM}

    def ready(self) -> bool:
        """Whether it can do its work: it reaches the log, or the store."""
        try:
            return httpx.get(f"{self.url}/health/ready", timeout=10).status_code == 200
        except httpx.TransportError:
            return False

    def is_sound(self, *, but: int | None = None) -> bool:
        """Whether it lives, and has answered no 5xx (save one kind)."""
        text = httpx.get(f"{self.url}/metrics", timeout=10).text
        codes = set(re.findall(r'requests_total\{code="(5\d\d)"\}', text)) - {str(but)}
        mistakes = "internal_error" in text or "Traceback" in self._log.read_text()
        return self._process.poll() is None and not codes and not mistakes

    def files(self) -> int:
        """How many files it has open."""
        return len(list(Path(f"/proc/{self._process.pid}/fd").iterdir()))

    def memory(self, name: str) -> int:
        """Bytes of memory: VmRSS now, or VmHWM, its most."""
        status = Path(f"/proc/{self._process.pid}/status").read_text()
        return int(re.search(rf"{name}:\s+(\d+) kB", status)[1]) * 1024
