"""A running `up`, a tenant that nobody touches, and what must hold whatever was sent to it.

Next: tests.support.up_process
"""

import json
import re
import subprocess
import sys
from contextlib import closing
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import httpx
from clickhouse_connect.driver.client import Client

from sinks.clickhouse import connect
from sinks.keys import create_key
from tests.support.cloud_events import event
from tests.support.gateway_process import wait_until
from tests.support.up_process import UpProcess

ROOT = Path(__file__).parents[2]
QUIET_SECONDS = 180.0
WITNESS = "sample-witness"
WITNESS_EVENTS = 40
_COUNTED = (
    "SELECT sum(launches) FROM usage_daily FINAL WHERE tenant = {tenant:String}",
    "SELECT count() FROM usage_events FINAL WHERE tenant = {tenant:String}",
)
_SERVICES = ("ingest", "query")
_BUGS = re.compile(r"request_failed|Exception in ASGI|Traceback|thread_failed")


class WholeSystem:
    """Knows keys of `up`, counts what it holds of a tenant, and notices what hurt it."""

    def __init__(self, up: UpProcess) -> None:
        self.up = up
        self.ingest, self.query = up.ready["ingest_url"], up.ready["query_url"]
        self._pids = up.pids()
        self.post(self.key(WITNESS), [event() for _ in range(WITNESS_EVENTS)])
        self.settle()
        self._witnessed = self.counted(WITNESS)

    @property
    def client(self) -> Client:
        """A client of the store, to be closed."""
        return connect(self.up.ready["clickhouse_url"])

    def key(self, tenant: str, *scopes: str, teams: tuple[str, ...] = ()) -> str:
        """A new key, known to both services."""
        wanted = scopes or ("ingest",)
        with closing(self.client) as client:
            now = datetime.now(UTC)
            _, key = create_key(client, tenant=tenant, scopes=wanted, teams=teams, now=now)
        headers = {"X-API-Key": key}
        for ask in (
            partial(httpx.post, f"{self.ingest}/v1/events", headers=headers),
            partial(httpx.get, f"{self.query}/v1/options", headers=headers),
        ):
            wait_until(lambda ask=ask: ask().status_code != 401, seconds=30)
        return key

    def post(self, key: str, events: list[dict]) -> httpx.Response:
        """Send a batch as good clients do; it is accepted as a whole."""
        headers = {"X-API-Key": key}
        answer = httpx.post(f"{self.ingest}/v1/events", json=events, headers=headers, timeout=60)
        assert answer.status_code == 202, answer.text
        return answer

    def place(self, service: str) -> tuple[str, int]:
        """Host and port of a service."""
        parts = urlsplit(getattr(self, service))
        return parts.hostname, parts.port

    def settle(self) -> None:
        """Wait until all that is on the log is in the rows."""
        wait_until(self._is_quiet, seconds=QUIET_SECONDS)

    def _is_quiet(self) -> bool:
        told = self.command("lag")
        return told.get("lag_records") == 0 and all(
            each["end"] in {each["folded"] or 0, each["start"]} for each in told["partitions"]
        )

    def command(self, name: str) -> dict:
        """What a command of `usage-report` says of the running system, in JSON."""
        command = [sys.executable, "-m", "deploy.cli", name, "--json"]
        done = subprocess.run(
            [*command, "--data-dir", str(self.up.data_dir)],
            capture_output=True,
            check=False,
            cwd=ROOT,
        )
        return json.loads(done.stdout or "{}")

    def counted(self, tenant: str) -> tuple[int, int]:
        """Launches in the tenant's rows, and its stored events."""
        with closing(self.client) as client:
            asked = [client.query(each, parameters={"tenant": tenant}) for each in _COUNTED]
        return tuple(int(each.result_rows[0][0]) for each in asked)

    def memory(self, service: str, name: str) -> int:
        """Bytes of memory of a process: VmRSS now, or VmHWM, its most since `forget_peak`."""
        status = Path(f"/proc/{self._pids[service]}/status").read_text()
        return int(re.search(rf"{name}:\s+(\d+) kB", status)[1]) * 1024

    def forget_peak(self, service: str) -> None:
        """Let VmHWM begin anew."""
        Path(f"/proc/{self._pids[service]}/clear_refs").write_text("5")

    def files(self, service: str) -> int:
        """How many files a process has open."""
        return len(list(Path(f"/proc/{self._pids[service]}/fd").iterdir()))

    def log(self, service: str) -> str:
        """What a service has logged."""
        return (self.up.data_dir / "logs" / f"{service}.log").read_text(errors="replace")

    def check(self) -> dict[str, int]:
        """Assert that nobody died, made a mistake or changed the witness; the figures of it."""
        self.settle()
        pids = self.up.pids()
        crashes = sum(pids[name] != pid for name, pid in self._pids.items())
        bugs = {name: _BUGS.findall(self.log(name)) for name in (*_SERVICES, "worker")}
        metrics = {name: httpx.get(f"{getattr(self, name)}/metrics").text for name in _SERVICES}
        failed = re.findall(r'requests_total\{code="5\d\d"\} .+', metrics["ingest"])
        failed += re.findall(
            r'errors_total\{reason="(?:internal_error|unavail\w+)"\} .+', metrics["query"]
        )
        found = self.command("verify")
        assert not crashes, (self._pids, pids)
        assert not any(bugs.values()), bugs
        assert not failed, failed
        assert self.counted(WITNESS) == self._witnessed
        assert found["differences"] == 0, found
        return {"server_errors": len(failed), "crashes": crashes}
