"""The client's bounds: of disk, of age, and what clocks, threads and strangers do to it."""

import json
import os
import shutil
import threading
import time

import pytest

from tests.support.products import NOWHERE, PLACE, run, until
from tests.support.scripted_gateway import scripted_gateway

DAY_SECONDS = 86_400
MIB = 1 << 20
LITTLE_ROOM = """
import resource, sys
from ingest.client import Client
client = Client(sys.argv[1], "ur_sample_key", source="sample", spool=sys.argv[2])
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
for number in range(1_000):
    client.launched(f"user-{number}", team_id="sample-team", product_id="sample-product")
print(client.counts.taken, client.counts.dropped)
"""


def test_a_line_that_fits_in_part_is_none(make, tmp_path):
    """Where the room ends within a line, whole lines stay, and the rest is counted as dropped."""
    taken, dropped = map(int, run(LITTLE_ROOM, NOWHERE, tmp_path / "spool").split())
    assert taken + dropped == 1_000
    assert 0 < taken < 1_000
    with scripted_gateway() as gateway:
        client = make(gateway.url)
        assert client.flush(60)
        assert len(gateway.identities) == client.counts.accepted == taken
        assert client.counts.rejected == 0


def test_the_disk_is_bounded_during_an_outage(make, tmp_path):
    """Never more than the bound and the file in hand; what goes is the oldest, and counted."""
    client = make(max_bytes=2 * MIB)
    most = 0
    for number in range(30_000):
        client.launched("user", **PLACE, session_id=f"{number:06}")
        if number % 1_000 == 0:
            sizes = [file.stat().st_size for file in (tmp_path / "spool").rglob("*.ndjson")]
            most = max(most, sum(sizes))
    client.close(timeout_seconds=10)
    assert MIB < most <= 4 * MIB
    with scripted_gateway() as gateway:
        after = make(gateway.url, max_bytes=2 * MIB)
        assert after.flush(120)
    dropped = client.counts.dropped + after.counts.dropped
    assert client.counts.taken == 30_000
    assert after.counts.accepted + dropped == 30_000
    assert after.counts.accepted > 3_000


def test_the_newest_survive_the_bound(make, tmp_path):
    """The files that are left hold the end of what was told, without a gap."""
    client = make(max_bytes=2 * MIB)
    for number in range(30_000):
        client.launched("user", **PLACE, session_id=str(number))
    client.close(timeout_seconds=10)
    lines = [
        json.loads(line)["data"]["session_id"]
        for file in sorted((tmp_path / "spool").rglob("*.ndjson"))
        for line in file.read_text().splitlines()
    ]
    assert lines == [str(number) for number in range(30_000 - len(lines), 30_000)]
    assert client.counts.dropped == 30_000 - len(lines)


@pytest.mark.parametrize("days", [-400, -1, 1, 29])
def test_a_clock_that_jumps_loses_nothing(make, days):
    """Within the thirty days; a clock that goes back makes nothing too old."""
    moment = [time.time()]
    client = make(now=lambda: moment[0])
    client.launched("user-1", **PLACE)
    moment[0] += days * DAY_SECONDS
    client.launched("user-2", **PLACE)
    client.close(timeout_seconds=10)
    with scripted_gateway() as gateway:
        after = make(gateway.url, now=lambda: moment[0])
        after.launched("user-3", **PLACE)
        assert after.flush(60)
        assert (len(gateway.identities), after.counts.dropped) == (3, 0)


def test_two_clients_of_many_threads_count_exactly(make):
    """Eight threads over two clients of one spool, before a gateway that fails in every way."""
    ways = [(503, None), "cut", (502, None), (429, "1"), (413, None), (503, "²")]
    with scripted_gateway(lambda number: dict(enumerate(ways)).get(number)) as gateway:
        clients = [make(gateway.url), make(gateway.url)]

        def tell(client):
            for _ in range(500):
                client.launched("user", **PLACE)

        threads = [threading.Thread(target=tell, args=(clients[n % 2],)) for n in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert [client.counts.taken for client in clients] == [2_000, 2_000]
        assert all(client.flush(120) for client in clients)
        assert len(gateway.identities) == 4_000


def test_a_spool_that_somebody_removes_begins_anew(make, tmp_path):
    """What was in it is gone; what is told from then on arrives."""
    with scripted_gateway() as gateway:
        client = make(gateway.url)
        client.launched("user-1", **PLACE)
        assert client.flush(60)
        shutil.rmtree(tmp_path / "spool")

        def arrives():
            client.launched("user-2", **PLACE)
            return client.flush(60) and len(gateway.identities) > 1

        until(arrives)


def test_counts_of_a_file_that_is_not_ours(make, tmp_path):
    """A stranger's file in the spool neither stops the rest nor is sent for ever."""
    left = tmp_path / "spool" / "left"
    left.mkdir(parents=True)
    (left / "._stranger.ndjson").write_bytes(b"\0\1")
    (left / "stranger.ndjson").write_bytes(b"not JSON, and no end")
    os.utime(left / "stranger.ndjson", (time.time(), time.time()))
    with scripted_gateway() as gateway:
        client = make(gateway.url)
        client.launched("user-1", **PLACE)
        assert client.flush(60)
        assert (len(gateway.identities), client.counts.dropped) == (1, 0)
