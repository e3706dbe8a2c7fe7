"""Two releases side by side under load, forward and back: every event answered 2xx counts once.

The later release is a copy of the code with a migration more; deploy/upgrade.md is the procedure.
"""

import itertools
import threading
import time
from contextlib import closing
from datetime import UTC, datetime

import httpx
import pytest

from sinks.clickhouse import connect
from sinks.keys import create_key
from tests.support import next_release
from tests.support.cloud_events import event
from tests.support.gateway_process import GatewayProcess
from tests.support.worker_world import PARTITIONS

pytestmark = pytest.mark.timeout(900)

TENANT = "acme"
BATCH = 10


class Sender(threading.Thread):
    """Sends batches to the gateways in turn; one without a 2xx is sent again, with the same ids."""

    def __init__(self, key):
        super().__init__(daemon=True)
        self.urls, self.accepted, self.answered = [], 0, {}
        self._over = threading.Event()
        self._http = httpx.Client(headers={"Authorization": f"Bearer {key}"}, timeout=30)

    def run(self):
        """Until told."""
        for turn in itertools.count():
            if self._over.wait(0.1):
                return
            batch = [event(subject=f"sample-user-{(turn + n) % 40}") for n in range(BATCH)]
            for again in itertools.count(turn):
                if self._post(batch, again):
                    break
                time.sleep(0.2)
            self.accepted += BATCH

    def _post(self, batch, turn):
        url = self.urls[turn % len(self.urls)]
        try:
            answer = self._http.post(f"{url}/v1/events", json=batch)
        except httpx.TransportError:
            return False
        if answer.is_success:
            self.answered[url] = self.answered.get(url, 0) + 1
        return answer.is_success

    def stop(self):
        """After the batch under way."""
        self._over.set()
        self.join()
        self._http.close()


def gateway(world, name, code=None):
    """A gateway of this release, or of another one's code."""
    made = GatewayProcess(
        world.root / name,
        kafka=world.kafka.bootstrap,
        clickhouse_dsn=world.store.dsn,
        code=code,
        partitions=PARTITIONS,
    )
    return made.start()


def takes_over(world, sender, joining, leaving):
    """The one joins beside the other, both work for a while, then the other ends."""
    world.until(lambda: joining.entries("assigned"))
    before = sender.accepted
    world.until(lambda: sender.accepted > before + 5 * BATCH)
    assert leaving.process.poll() is None
    assert leaving.terminate() == 0
    after = world.counted()[0]
    world.until(lambda: world.counted()[0] > after)


def test_a_release_rolls_forward_and_back_under_load(world, tmp_path):
    """Migrate first, then gateways and workers one by one; back: the code alone, no migration."""
    with closing(connect(world.store.dsn)) as client:
        now = datetime.now(UTC)
        _, key = create_key(client, tenant=TENANT, scopes=["ingest"], teams=(), now=now)
    code = next_release.next_release(tmp_path / "next")
    places = {"clickhouse_dsn": world.store.dsn, "kafka": world.kafka.bootstrap}
    sender = Sender(key)
    old_gateway = gateway(world, "gateway-old")
    sender.urls = [old_gateway.url]
    old = world.worker("worker-old")
    sender.start()
    new_gateway = None
    try:
        world.until(lambda: world.counted()[0] > 0)
        assert "applied 1 migrations" in next_release.migrate(code, partitions=PARTITIONS, **places)
        counted = world.counted()[0]
        world.until(lambda: world.counted()[0] > counted)

        new_gateway = gateway(world, "gateway-new", code)
        sender.urls = [old_gateway.url, new_gateway.url]
        new = world.worker("worker-new", code=code)
        takes_over(world, sender, new, old)
        assert new.entries("started")[-1]["release"] == "next"
        sender.urls = [new_gateway.url]
        assert old_gateway.stop() == 0

        old_gateway = gateway(world, "gateway-old")
        sender.urls = [old_gateway.url, new_gateway.url]
        back = world.worker("worker-old")
        takes_over(world, sender, back, new)
        assert "release" not in back.entries("started")[-1]
    finally:
        sender.stop()
        for running in (old_gateway, new_gateway):
            if running:
                running.kill()

    world.until_counted(sender.accepted)
    assert sender.accepted > 0
    assert len(sender.answered) == 3  # both of them, and the old one again on another port
    assert world.verified() == 0
    assert world.unbalanced() == 0
    told = next_release.migrate(next_release.ROOT, partitions=PARTITIONS, **places)
    assert "applied 0 migrations" in told
