"""The client's promise through the whole system: what a call returned for is counted once.

USAGE_CLIENT_EVENTS=100000 takes that many; `make test` takes fewer.
"""

import os
import subprocess
import sys
import threading
import time
import uuid
from contextlib import closing
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from ingest.client import Client
from sinks.clickhouse import connect
from tests.support.gateway_process import GatewayProcess
from tests.support.sources import ROOT

EVENTS = int(os.environ.get("USAGE_CLIENT_EVENTS", "6000"))
KILLS = 10
PRODUCTS, THREADS = 2, 2
PATIENCE_SECONDS = 240
PLACE = {"team_id": "sample-team", "product_id": "sample-product"}
# Tells of launches by two threads, and notes each call that has returned, until it is killed.
PRODUCT = """
import os, sys, threading
from ingest.client import Client
url, key, spool, noted, name, number = sys.argv[1:]
client = Client(url, key, source="sample/killed", spool=spool)
file = os.open(noted, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
def tell(thread):
    for each in range(int(number)):
        session = f"{name}-{thread}-{each}"
        client.launched(f"user-{each % 50}", team_id="sample-team", product_id="sample-product",
                        session_id=session)
        os.write(file, (session + "\\n").encode())
threads = [threading.Thread(target=tell, args=(thread,)) for thread in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(client.counts, flush=True)
client.flush(600)
"""
STORED = "SELECT session_id, count() FROM usage_events FINAL WHERE tenant = {t:String} GROUP BY 1"
FOLDED = "SELECT sum(launches) FROM usage_daily FINAL WHERE tenant = {t:String}"
DAYS = "SELECT DISTINCT day FROM usage_daily FINAL WHERE tenant = {t:String} ORDER BY day"


class Tenant:
    """A tenant of the test's own, and what the system holds of it."""

    def __init__(self, up) -> None:
        self.up = up
        self.name = f"sample-client-{uuid.uuid4().hex[:8]}"
        self.key = up.new_key(self.name, "ingest", "read")

    def ask(self, query: str) -> list:
        """Rows of the store."""
        with closing(connect(self.up.ready["clickhouse_url"])) as client:
            return client.query(query, parameters={"t": self.name}).result_rows

    def launches(self) -> int:
        """As the report tells."""
        url, headers = self.up.ready["query_url"], {"Authorization": f"Bearer {self.key}"}
        report = httpx.get(f"{url}/v1/report?preset=3m", headers=headers, timeout=60).json()
        return report["totals"]["launches"]


@pytest.fixture
def tenant(up):
    """A new one."""
    return Tenant(up)


@pytest.fixture
def gateway(up, tmp_path):
    """A gateway of the test's own before the broker and the store of `up`, to be killed."""
    kafka, dsn = up.ready["kafka"], up.ready["clickhouse_url"]
    made = GatewayProcess(tmp_path / "gateway", kafka=kafka, clickhouse_dsn=dsn)
    made.start()
    yield made
    made.kill()


def until(holds):
    """Wait until it does."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.2)


def lines(file):
    """How many calls have returned."""
    return file.read_bytes().count(b"\n") if file.exists() else 0


def killed_products(gateway, tenant, place):
    """Two products over one spool, each killed and started again, while others go on."""
    noted, share = place / "noted", EVENTS // PRODUCTS
    each = max(1, share // KILLS)

    def product(name, number):
        given = [gateway.url, tenant.key, place / "spool", noted / name, name, number]
        return subprocess.Popen(
            [sys.executable, "-c", PRODUCT, *map(str, given)], cwd=ROOT, stdout=subprocess.PIPE
        )

    def life(which):
        # Killed after its share of events, most of which are not sent by then.
        for kill in range(KILLS // PRODUCTS):
            name = f"{which}-{kill}"
            started = product(name, share)
            until(lambda name=name: lines(noted / name) >= 2 * each)
            started.kill()
            started.communicate()
        rest = max(0, share - sum(lines(file) for file in noted.glob(f"{which}-*")))
        told = product(f"{which}-end", rest // THREADS).communicate()[0]
        assert b"dropped=0)" in told

    noted.mkdir()
    lives = [threading.Thread(target=life, args=(which,)) for which in range(PRODUCTS)]
    for thread in lives:
        thread.start()
    return lives, noted


def test_what_a_call_returned_for_is_counted_once(tenant, gateway, tmp_path):
    """Ten kills of the products, two of the gateway and an outage: loss 0, double 0."""
    lives, noted = killed_products(gateway, tenant, tmp_path)
    for outage_seconds in (0, 5):
        time.sleep(2)
        gateway.kill()
        time.sleep(outage_seconds)
        gateway.start()
    for life in lives:
        life.join()
    returned = {name for file in noted.iterdir() for name in file.read_text().split()}
    last = Client(gateway.url, tenant.key, source="sample/last", spool=tmp_path / "spool")
    until(lambda: last.flush(10))
    last.close()
    until(lambda: len(returned - {name for name, _ in tenant.ask(STORED)}) == 0)
    stored = dict(tenant.ask(STORED))
    until(lambda: tenant.ask(FOLDED)[0][0] == sum(stored.values()))
    doubled = sum(stored.values()) - len(stored)
    print(f"returned {len(returned)}, stored {len(stored)}, doubled {doubled}")
    assert doubled == 0
    # A call that was under way when it was killed may have come to its end on disk.
    assert len(returned) <= len(stored) <= len(returned) + KILLS * THREADS
    assert tenant.launches() == len(stored)


# Lives so many days ago, where there is no network.
OFFLINE = """
import sys, time
from ingest.client import Client
url, key, spool, days = sys.argv[1:]
client = Client(url, key, source="sample/offline", spool=spool,
                now=lambda: time.time() - int(days) * 86_400)
client.launched(f"user-{days}", team_id="sample-team", product_id="sample-product")
assert client.counts.taken == 1
"""


def test_days_without_network_are_counted_on_their_days(tenant, up, tmp_path):
    """Told 29 days ago, and delivered now, on its own day; what is 31 days old is dropped."""
    now = datetime.now(UTC)
    for days in (31, 29, 2):
        given = ["http://127.0.0.1:9", tenant.key, tmp_path / "spool", days]
        subprocess.run([sys.executable, "-c", OFFLINE, *map(str, given)], cwd=ROOT, check=True)
    online = Client(
        up.ready["ingest_url"], tenant.key, source="sample/offline", spool=tmp_path / "spool"
    )
    until(lambda: online.flush(10))
    online.close()
    assert (online.counts.accepted, online.counts.rejected, online.counts.dropped) == (2, 0, 1)
    until(lambda: tenant.ask(FOLDED)[0][0] == 2)
    days = [day for (day,) in tenant.ask(DAYS)]
    # The test may run over midnight.
    assert days in [
        [(moment - timedelta(days=back)).date() for back in (29, 2)]
        for moment in (now, now + timedelta(minutes=10))
    ]
