"""One running `up` for all end-to-end tests; each works in a tenant or with names of its own.

Next: tests.support.up_process
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.up_process import UpProcess


class Running(UpProcess):
    """A running `up`, and its commands."""

    def command_of(self, *arguments: object, key: str | None = None) -> subprocess.CompletedProcess:
        """A command of `usage-report`, told of this `up`; with another key if one is given."""
        place = [] if key else ["--data-dir", str(self.data_dir)]
        environment = {**self.environment, "USAGE_DATA_DIR": str(self.data_dir)}
        return subprocess.run(
            [sys.executable, "-m", "deploy.cli", *map(str, arguments), *place],
            env={**environment, "USAGE_KEY": key} if key else environment,
            capture_output=True,
            text=True,
            check=False,
        )

    def ask(self, *arguments: object, key: str | None = None) -> dict:
        """What a command says in JSON; it must succeed."""
        done = self.command_of(*arguments, "--json", key=key)
        assert done.returncode == 0, f"{arguments}: {done.stdout}{done.stderr}"
        return json.loads(done.stdout)

    def new_key(self, tenant: str, *scopes: str) -> str:
        """A key of a tenant of the test's own."""
        wanted = [word for scope in scopes for word in ("--scope", scope)]
        return self.ask("keys", "create", "--tenant", tenant, *wanted)["key"]


@pytest.fixture(scope="package")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """The whole system in an empty directory, as `usage-data` of that directory."""
    directory: Path = tmp_path_factory.mktemp("e2e")
    running = Running(directory / "usage-data")
    running.start()
    yield running
    running.stop()
