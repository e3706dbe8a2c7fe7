"""`usage-report up` as a real process on a directory of its own.

Next: tests.integration.test_local
"""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any, Self

# A stop for a person is told by the exit status; no scraper looks on.
AT_ONCE = {"USAGE_STOP_LINGER_SECONDS": "0"}


class UpProcess:
    """`start` returns the line of JSON that `up` prints when it is ready."""

    def __init__(
        self, data_dir: Path, *flags: str, environment: dict[str, str] | None = None
    ) -> None:
        self.data_dir = data_dir
        self.flags = flags
        # Tests that run beside others keep the machine busy.
        calm = {"USAGE_QUERY_SILENCE_SECONDS": "30", **AT_ONCE}
        self.environment = {**os.environ, **calm, **(environment or {})}
        self.process: subprocess.Popen[str] | None = None
        self.ready: dict[str, Any] = {}

    def start(self) -> dict[str, Any]:
        """Start, and wait until everything answers."""
        self.data_dir.mkdir(parents=True, exist_ok=True)
        with (self.data_dir / "up.err").open("a") as errors:
            self.process = subprocess.Popen(
                [*self.command(), *self.flags],
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                env=self.environment,
            )
        line = self.process.stdout.readline()
        assert line, (self.data_dir / "up.err").read_text()
        self.ready = json.loads(line)
        return self.ready

    def command(self) -> list[str]:
        """The command without further flags: `up` finds free ports itself."""
        return [
            sys.executable,
            "-m",
            "deploy.cli",
            "up",
            "--json",
            "--data-dir",
            str(self.data_dir),
        ]

    def pids(self) -> dict[str, int]:
        """The pids as they are now."""
        return json.loads((self.data_dir / "pids.json").read_text())

    def errors(self) -> str:
        """What it said on standard error."""
        return (self.data_dir / "up.err").read_text()

    def kill(self) -> None:
        """`kill -9` of the supervisor alone."""
        self._end(signal.SIGKILL)

    def stop(self) -> int:
        """SIGTERM; the exit status."""
        return self._end(signal.SIGTERM)

    def _end(self, how: signal.Signals) -> int:
        if self.process is None:
            return 0
        if self.process.poll() is None:
            self.process.send_signal(how)
        status = self.process.wait(120)
        self.process.stdout.close()
        return status

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
