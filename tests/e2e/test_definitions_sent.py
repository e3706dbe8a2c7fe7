"""The examples of the definitions that begin at the gateway, by number, through every part."""

import os
import random
import signal
import time
from datetime import UTC, datetime, timedelta

import httpx

from tests.support.cloud_events import event

QUIET_SECONDS = 120


def moment(day, clock):
    """A time as a sender writes it."""
    return f"{day}T{clock}Z"


def send(up, key, events):
    """What the gateway answers."""
    headers = {"Authorization": f"Bearer {key}"}
    url = f"{up.ready['ingest_url']}/v1/events"
    return httpx.post(url, json=events, headers=headers, timeout=30)


def until_folded(up):
    """Wait until the worker is at the log's end."""
    deadline = time.monotonic() + QUIET_SECONDS
    while up.ask("lag")["lag_records"]:
        assert time.monotonic() < deadline, "the worker never came to an end"
        time.sleep(0.3)


def restart_worker(up):
    """Kill -9 of the worker; `up` starts another."""
    before = up.pids()["worker"]
    os.kill(before, signal.SIGKILL)
    deadline = time.monotonic() + QUIET_SECONDS
    while up.pids()["worker"] == before:
        assert time.monotonic() < deadline, "there is no new worker"
        time.sleep(0.1)


def test_example_02(up):
    """Three events sent five times each, in any order, across worker restarts, are three."""
    key = up.new_key("sample-example-2", "ingest", "read")
    first = datetime.now(UTC).date() - timedelta(days=10)
    times = [
        moment(first, "00:00:00"),
        moment(first, "23:59:59"),
        moment(first + timedelta(days=1), "00:00:00"),
    ]
    copies = [event(id=f"event-{number}", time=at) for number, at in enumerate(times)] * 5
    random.Random(2).shuffle(copies)
    for number in range(0, len(copies), 3):
        assert send(up, key, copies[number : number + 3]).json()["accepted"] == 3
        if number in {3, 9}:
            until_folded(up)
            restart_worker(up)
    until_folded(up)
    (row,) = up.ask("report", key=key)["rows"]
    assert (row["days_used"], row["launches"]) == (2, 3)


def test_example_09(up):
    """34 days back counts on its own day; 36 days back and 6 minutes ahead are refused."""
    key = up.new_key("sample-example-9", "ingest", "read")
    now = datetime.now(UTC)
    counted = now - timedelta(days=34)
    times = [counted, now - timedelta(days=36), now + timedelta(minutes=6)]
    answer = send(up, key, [event(time=at.isoformat()) for at in times]).json()
    assert answer["accepted"] == 1
    reasons = [(reject["index"], reject["reason"]) for reject in answer["rejected"]]
    assert reasons == [(1, "time_too_old"), (2, "time_in_future")]
    until_folded(up)
    (row,) = up.ask("report", key=key)["rows"]
    assert (row["days_used"], row["launches"]) == (1, 1)
    assert row["last_accessed"].startswith(counted.date().isoformat())
