"""A real Prometheus over a running `up`: nothing fires while it is well, the right alert when not.

The rules are those that operators get; only their `for` is seconds here instead of minutes.
"""

import json
import os
import re
import shutil
import signal
import subprocess
import time
from contextlib import suppress

import httpx
import pytest
import yaml

from deploy import ports
from tests.support.sources import ROOT
from tests.support.up_process import UpProcess

MISSING = "Prometheus is missing: apt-get install prometheus (or: make promtool)"
# What was refused stays in the hour's share for an hour.
REFUSED = {"UsageEventsRefused", "UsageEventsRefusedSlowly"}
PATIENCE_SECONDS = 120
WELL_SECONDS = 15


class Watched:
    """The system, and Prometheus beside it."""

    def __init__(self, up: UpProcess, prometheus: str) -> None:
        self.up = up
        self._prometheus = prometheus

    def firing(self, *severities: str) -> set[str]:
        """The alerts that fire now, of these severities or of any."""
        answer = httpx.get(f"{self._prometheus}/api/v1/alerts", timeout=30).json()
        alerts = answer["data"]["alerts"]
        return {
            each["labels"]["alertname"]
            for each in alerts
            if each["state"] == "firing"
            if not severities or each["labels"]["severity"] in severities
        }

    def targets(self) -> dict[str, str]:
        """The health of each target, by its job."""
        answer = httpx.get(f"{self._prometheus}/api/v1/targets", timeout=30).json()
        return {each["labels"]["job"]: each["health"] for each in answer["data"]["activeTargets"]}

    def send(self) -> None:
        """An event, whatever comes of it."""
        event = {
            "specversion": "1.0",
            "id": str(time.time_ns()),
            "source": "sample",
            "type": "product.launched",
            "subject": "sample-user",
            "data": {"team_id": "sample-team", "product_id": "sample-product"},
        }
        with suppress(httpx.TransportError):
            httpx.post(
                f"{self.up.ready['ingest_url']}/v1/events",
                json=[event],
                headers={"Authorization": f"Bearer {self.up.ready['key']}"},
                timeout=30,
            )

    def wait_for(self, holds) -> None:
        """Go on sending until it holds."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not holds():
            assert time.monotonic() < deadline, (self.firing(), self.targets())
            self.send()
            time.sleep(0.5)


@pytest.fixture(scope="module")
def watched(tmp_path_factory):
    """Both, running."""
    directory = tmp_path_factory.mktemp("alerts")
    port = ports.free()
    environment = {"USAGE_QUERY_SILENCE_SECONDS": "5"}
    with UpProcess(directory / "data", environment=environment) as up:
        configure(directory, json.loads((up.data_dir / "ports.json").read_text()))
        program = shutil.which("prometheus")
        assert program, MISSING
        with (directory / "prometheus.log").open("wb") as log:
            process = subprocess.Popen(
                [
                    program,
                    f"--config.file={directory}/prometheus.yaml",
                    f"--storage.tsdb.path={directory}/tsdb",
                    f"--web.listen-address=127.0.0.1:{port}",
                ],
                stdout=log,
                stderr=log,
            )
        try:
            url = f"http://127.0.0.1:{port}"
            until_it_answers(f"{url}/-/ready")
            yield Watched(up, url)
        finally:
            process.kill()
            process.wait()


def configure(directory, chosen):
    """Operators' own configuration with other targets, looked at more often."""
    place = ROOT / "deploy" / "prometheus"
    shutil.copy(place / "recording.yaml", directory)
    alerts = (place / "alerts.yaml").read_text(encoding="utf-8")
    (directory / "alerts.yaml").write_text(re.sub(r"for: \d+m", "for: 8s", alerts))
    config = yaml.safe_load((place / "prometheus.yaml").read_text(encoding="utf-8"))
    config["global"] = {"scrape_interval": "2s", "evaluation_interval": "1s"}
    for job, name in zip(config["scrape_configs"], ("ingest", "worker", "query"), strict=True):
        job["static_configs"] = [{"targets": [f"127.0.0.1:{chosen[name]}"]}]
    (directory / "prometheus.yaml").write_text(yaml.safe_dump(config))


def until_it_answers(url):
    """Wait for a 200."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        with suppress(httpx.TransportError):
            if httpx.get(url, timeout=10).status_code == 200:
                return
        assert time.monotonic() < deadline, url
        time.sleep(0.2)


def test_nothing_fires_while_it_is_well(watched):
    """All three are scraped, events come in, and nobody would be woken up."""
    watched.wait_for(lambda: set(watched.targets().values()) == {"up"})
    assert set(watched.targets()) == {"usage-gateway", "usage-worker", "usage-query"}
    end = time.monotonic() + WELL_SECONDS
    while time.monotonic() < end:
        watched.send()
        assert watched.firing("page") == set()
        time.sleep(0.5)


@pytest.mark.parametrize(
    ("hurt", "told"),
    [
        ("clickhouse", {"UsageStoreDown"}),
        ("worker", {"UsageTargetDown", "UsageNoWorker"}),
        ("kafka", {"UsageEventsRefused"}),
    ],
)
def test_a_fault_is_told(watched, hurt, told):
    """A process that hangs: its alerts fire, and end when it goes on."""
    pid = watched.up.pids()[hurt]
    os.kill(pid, signal.SIGSTOP)
    try:
        watched.wait_for(lambda: told <= watched.firing())
    finally:
        os.kill(pid, signal.SIGCONT)
    watched.wait_for(lambda: not watched.firing() & told - REFUSED)
