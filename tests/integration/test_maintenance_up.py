"""Maintenance of a running `up`: its supervisor sees no process end, and stops it as ever."""

import json
import subprocess
import sys
import time

import httpx

from tests.support.up_process import UpProcess

PATIENCE_SECONDS = 120


def command(up: UpProcess, *arguments: str) -> dict:
    """The answer of a command that succeeds."""
    done = subprocess.run(
        [sys.executable, "-m", "deploy.cli", *arguments, "--json", "--data-dir", str(up.data_dir)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def send(up: UpProcess, number: int) -> None:
    """An event, answered 2xx."""
    event = {
        "specversion": "1.0",
        "id": str(number),
        "source": "sample",
        "type": "product.launched",
        "subject": f"sample-user-{number % 3}",
        "data": {"team_id": "sample-team", "product_id": "sample-product"},
    }
    answer = httpx.post(
        f"{up.ready['ingest_url']}/v1/events",
        json=[event],
        headers={"Authorization": f"Bearer {up.ready['key']}"},
        timeout=30,
    )
    assert answer.status_code == 202, answer.text


def launches(up: UpProcess) -> int:
    """Launches in the report."""
    answer = httpx.get(
        f"{up.ready['query_url']}/v1/report",
        headers={"Authorization": f"Bearer {up.ready['key']}"},
        timeout=30,
    )
    return int(answer.json()["totals"]["launches"])


def wait_for_launches(up: UpProcess, sent: int) -> None:
    """Until the report has all that was sent, and nothing lags."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while launches(up) != sent or command(up, "lag")["lag_records"]:
        assert time.monotonic() < deadline, launches(up)
        time.sleep(0.5)


def test_each_command_twice(tmp_path):
    """The worker keeps its pid, every event is counted once, and SIGTERM ends all with 0."""
    with UpProcess(tmp_path / "data") as up:
        pid = up.pids()["worker"]
        sent = 0
        for arguments in (
            ("rebuild", "--all"),
            ("replay", "--from", "earliest"),
            ("epoch", "bump", "--after-loss"),
        ):
            if arguments[0] == "epoch":
                # Else there may be no epoch yet: the commands before it left the worker no moment.
                wait_for_launches(up, sent)
            for _ in range(2):
                send(up, sent)
                command(up, *arguments)
                sent += 1
        wait_for_launches(up, sent)
        assert len(command(up, "epoch", "show")["epochs"]) > 1
        assert command(up, "verify")["differences"] == 0
        assert command(up, "ledger", "--all")["balanced"]
        assert up.pids()["worker"] == pid
        assert up.stop() == 0
    assert "worker ended" not in up.errors()
