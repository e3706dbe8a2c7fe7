"""Good clients among idle sockets, clients that never end a request, and a storm of retries.

The times are figures for the report; what is asserted is that each event is counted once.

Next: tests.support.good_clients
"""

import json
import random
import subprocess
import sys
import threading
import time
from collections import Counter
from contextlib import ExitStack, contextmanager
from http.client import HTTPConnection

import pytest

from tests.support.cloud_events import event
from tests.support.fault_report import record
from tests.support.gateway_process import wait_until
from tests.support.raw_http import is_closed, opened
from tests.support.whole_system import ROOT

IDLE, DRIPPING, STORMING = 2_000, 100, 300
SHORT_SECONDS, LONG_SECONDS = 5, 30
BATCH = 20
STORM_PAUSE_SECONDS = (1.0, 5.0)
JSON = {"Content-Type": "application/json"}
SEED = 20_260_531
HEAD = b"POST /v1/events HTTP/1.1\r\nHost: x\r\nX-Slow: "

pytestmark = pytest.mark.timeout(900)


def good_clients(system, key: str, seconds: float) -> dict:
    """Good clients, as a process of their own."""
    command = [sys.executable, "-m", "tests.support.good_clients", system.ingest, key, str(seconds)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


@contextmanager
def slow_ones(system):
    """Sockets that say nothing, and some that say a byte of a header now and then."""
    stopped = threading.Event()
    with ExitStack() as stack:
        place = system.place("ingest")
        idle = [stack.enter_context(opened(place)) for _ in range(IDLE)]
        slow = [stack.enter_context(opened(place, HEAD)) for _ in range(DRIPPING)]

        def drip() -> None:
            while not stopped.wait(0.5):
                for each in [each for each in slow if not is_closed(each)]:
                    each.send(b"x")

        dripping = threading.Thread(target=drip)
        dripping.start()
        yield idle, slow
        stopped.set()
        dripping.join()


@contextmanager
def storm(system, key: str, codes: Counter):
    """Many clients that send one and the same batch, again each time they are answered."""
    stopped, rng = threading.Event(), random.Random(SEED)
    events = json.dumps([event(subject="sample-storm") for _ in range(BATCH)]).encode()

    def repeat() -> None:
        http = HTTPConnection(*system.place("ingest"), timeout=60)
        while not stopped.is_set():
            http.request("POST", "/v1/events", events, {"X-API-Key": key, **JSON})
            answer = http.getresponse()
            answer.read()
            codes[answer.status] += 1
            stopped.wait(rng.uniform(*STORM_PAUSE_SECONDS))
        http.close()

    clients = [threading.Thread(target=repeat) for _ in range(STORMING)]
    for each in clients:
        each.start()
    wait_until(lambda: codes.total() >= STORMING, seconds=60)
    yield
    stopped.set()
    for each in clients:
        each.join()


@pytest.mark.parametrize(
    "seconds", [SHORT_SECONDS, pytest.param(LONG_SECONDS, marks=pytest.mark.faults)]
)
def test_g3_good_clients_are_served_among_bad_ones(system, seconds):
    """Every good event is answered 2xx and counted once; slow connections are closed."""
    tenant, stormed = f"sample-good-{seconds}", f"sample-storm-{seconds}"
    key, storm_key = system.key(tenant), system.key(stormed)
    files = system.files("ingest")
    codes = Counter()
    found = {"calm": good_clients(system, key, seconds)}
    with slow_ones(system) as (idle, slow):
        most_files = system.files("ingest")
        found["idle"] = good_clients(system, key, seconds)
        deadline = time.monotonic() + 60
        while not all(map(is_closed, [*idle, *slow])):
            assert time.monotonic() < deadline, "slow connections live for ever"
            time.sleep(0.5)
    with storm(system, storm_key, codes):
        found["storm"] = good_clients(system, key, seconds)
    unhurt = system.check()
    sent = sum(each["sent"] for each in found.values())
    calm = found["calm"]["p99_ms"]
    figures = {
        **found,
        "p99_ratio_idle": round(found["idle"]["p99_ms"] / calm, 2),
        "p99_ratio_storm": round(found["storm"]["p99_ms"] / calm, 2),
        "storm_codes": {str(code): times for code, times in codes.items()},
        "files_of_gateway": {"before": files, "most": most_files},
    }
    requests = sent + codes.total()
    counted, _ = system.counted(tenant)
    fate = {"lost": max(0, sent - counted), "doubled": max(0, counted - sent)}
    record("G3", requests=requests, figures=figures, **fate, **unhurt)
    assert all(each["sent"] == each["accepted"] for each in found.values()), found
    assert system.counted(tenant) == (sent, sent)
    assert set(codes) == {202}
    assert system.counted(stormed) == (BATCH, BATCH)
