"""The client for products, alone or before a scripted gateway: it gets in nobody's way."""

import json
import logging
import os
import subprocess
import sys
import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.client import Client
from tests.support.scripted_gateway import scripted_gateway
from tests.support.sources import ROOT

NOWHERE = "http://127.0.0.1:9"
PLACE = {"team_id": "sample-team", "product_id": "sample-product"}
PERSON = "sample-secret-person"
DAY_SECONDS = 86_400
MIB = 1 << 20


class Awkward:
    """Says in every way who it is about, and that it can't be written."""

    def __str__(self) -> str:
        raise ValueError(PERSON)

    __repr__ = __str__


@pytest.fixture
def make(tmp_path):
    """Makes clients over one spool."""
    made = []

    def client(url=NOWHERE, **more):
        given = {"key": "ur_sample_key", "source": "sample", "spool": tmp_path / "spool"}
        made.append(Client(url, **{**given, **more}))
        return made[-1]

    yield client
    for each in made:
        each.close(timeout_seconds=5)


def until(holds):
    """Wait until it does."""
    deadline = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def run(program, *arguments):
    """A product of its own, to its end; what it printed."""
    command = [sys.executable, "-c", program, *map(str, arguments)]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


ANYTHING = st.one_of(
    st.none(),
    st.binary(),
    st.text(st.characters()),
    st.just("\ud800"),
    st.just("x" * 100_000),
    st.integers(),
    st.just(10**5_000),
    st.floats(),
    st.just(Awkward()),
    st.lists(st.text(), max_size=2),
    st.dictionaries(st.text(), st.none(), max_size=2),
)


def test_nothing_that_is_told_raises(make, caplog):
    """Whatever stands for a user, tokens or a team: it is taken or counted as dropped."""
    client = make()
    calls = 0

    @given(ANYTHING, ANYTHING, ANYTHING, ANYTHING)
    def tell(user, tokens, team, other):
        nonlocal calls
        client.launched(user, team_id=team, product_id=other, session_id=tokens)
        client.consumed(user, tokens, team_id=team, product_id=other, kind=other, data=team)
        calls += 2

    tell()
    client.consumed(PERSON, Awkward(), **PLACE)
    client.launched(Awkward(), **PLACE)
    assert client.counts.taken + client.counts.dropped == calls + 2
    assert client.counts.dropped >= 2
    assert "events are lost" in caplog.text
    assert PERSON not in caplog.text


@pytest.mark.parametrize(
    "wrong",
    [{"url": None}, {"url": "sample"}, {"key": "ur_secret\n"}, {"key": None}, {"spool": None}],
    ids=str,
)
def test_a_wrong_setting_is_no_error_of_the_product(make, caplog, wrong):
    """It is logged, without the key, and what was told stays on disk if there is a place."""
    client = make(**wrong)
    client.launched("user-1", **PLACE)
    until(lambda: "usage_report_client" in {each.name for each in caplog.records})
    client.close(timeout_seconds=10)
    assert client.counts.taken + client.counts.dropped == 1
    assert "ur_secret" not in caplog.text


def test_a_logger_that_fails_is_no_error_either(make):
    """Handlers are the product's."""

    class Broken(logging.Handler):
        def emit(self, record):
            raise RuntimeError("the product's own mistake")

    handler = Broken()
    logging.getLogger("usage_report_client").addHandler(handler)
    try:
        client = make()
        client.launched(b"user", **PLACE)
        client.close(timeout_seconds=10)
    finally:
        logging.getLogger("usage_report_client").removeHandler(handler)
    assert client.counts.dropped == 1


def test_after_close_nothing_is_written(make, tmp_path):
    """The number of a closed file may be another file's by then, and that stays as it is."""
    client = make()
    client.launched("user-1", **PLACE)
    client.close(timeout_seconds=10)
    files = [(tmp_path / f"product-{number}").open("w") for number in range(8)]
    client.launched("user-2", **PLACE)
    assert (client.counts.taken, client.counts.dropped) == (1, 1)
    assert not client.flush(60)
    for file in files:
        file.close()
        assert not (tmp_path / file.name).stat().st_size


def test_a_place_that_comes_later_is_used(make, tmp_path):
    """A disk that is mounted after the product began, or was full, is tried again."""
    (tmp_path / "spool").write_text("in the way")
    with scripted_gateway() as gateway:
        client = make(gateway.url)
        client.launched("user-1", **PLACE)
        (tmp_path / "spool").unlink()
        before = client.counts.dropped

        def taken():
            client.launched("user-2", **PLACE)
            return client.counts.taken

        until(taken)
        assert before == 1
        assert client.flush(60)
        assert len(gateway.identities) == client.counts.taken


def test_a_line_taken_while_a_line_is_taken(make):
    """A signal handler or a finalizer that tells something harms neither."""
    inner = []

    def now():
        if client := next(iter(inner), None):
            inner.clear()
            client.launched("user-inner", **PLACE)
        return time.time()

    with scripted_gateway() as gateway:
        client = make(gateway.url, now=now)
        client.launched("user-1", **PLACE)
        # A file's name has its time, so this is within the change from one file to the next.
        with client._spool._writing:
            inner.append(client)
            client._spool._turn_over()
        client.launched("user-2", **PLACE)
        assert client.flush(60)
        assert (client.counts.taken, client.counts.dropped) == (3, 0)
        assert len(gateway.identities) == 3


# Parent, threads that tell all the time, and children: some end well, some at once, some idle.
FORKS = """
import os, sys, threading
from ingest.client import Client
place = {"team_id": "sample-team", "product_id": "sample-product"}
client = Client(sys.argv[1], "ur_sample_key", source="sample", spool=sys.argv[2])
stop = threading.Event()
def tell():
    while not stop.wait(0.001):
        client.launched("user-thread", **place)
threads = [threading.Thread(target=tell) for _ in range(4)]
for thread in threads:
    thread.start()
for number in range(20):
    client.launched("user-parent", **place)
    if os.fork() == 0:
        if number % 4 == 3:
            os._exit(0)
        for _ in range(10):
            client.launched("user-child", **place)
        if number % 4 == 0:
            client.close(20)
        os._exit(0 if client.counts.taken == 10 and not client.counts.dropped else 1)
stop.set()
for thread in threads:
    thread.join()
failed = sum(os.wait()[1] != 0 for _ in range(20))
taken = client.counts.taken
while not client.flush(60):
    pass
print(failed, taken, client.counts.dropped)
"""


def test_forked_children_have_a_spool_of_their_own(make, tmp_path):
    """What a parent, its threads and its children told arrives, once each, however they end."""
    with scripted_gateway() as gateway:
        failed, taken, dropped = map(int, run(FORKS, gateway.url, tmp_path / "spool").split())
        after = make(gateway.url)
        assert after.flush(60)
        assert (failed, dropped) == (0, 0)
        assert len(gateway.identities) == taken + 15 * 10


def test_a_child_that_tells_nothing_leaves_nothing(tmp_path):
    """It opens no files, and starts no thread."""
    program = """
import os, sys, threading
from ingest.client import Client
client = Client("http://127.0.0.1:9", "ur_sample_key", source="sample", spool=sys.argv[1])
before = os.listdir(sys.argv[1])
if os.fork() == 0:
    os._exit(threading.active_count() - 1)
print(os.wait()[1], before == os.listdir(sys.argv[1]))
"""
    assert run(program, tmp_path / "spool").split() == ["0", "True"]


def test_the_end_of_a_product_is_bounded(tmp_path):
    """At exit it tries for two seconds, even where nobody answers at all; the rest stays."""
    program = """
import socket, sys, time
from ingest.client import Client
silent = socket.create_server(("127.0.0.1", 0))
url = f"http://127.0.0.1:{silent.getsockname()[1]}"
client = Client(url, "ur_sample_key", source="sample", spool=sys.argv[1])
client.launched("user-1", team_id="sample-team", product_id="sample-product")
print("told", flush=True)
"""
    run(program, tmp_path / "spool")
    (left,) = [file for file in (tmp_path / "spool").glob("*/*.ndjson") if file.stat().st_size]
    assert json.loads(left.read_text())["subject"] == "user-1"


LITTLE_ROOM = """
import resource, sys
from ingest.client import Client
client = Client(sys.argv[1], "ur_sample_key", source="sample", spool=sys.argv[2])
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
for number in range(1_000):
    client.launched(f"user-{number}", team_id="sample-team", product_id="sample-product")
print(client.counts.taken, client.counts.dropped)
client._closing.set()
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
    client = make(max_bytes=3 * MIB)
    most = 0
    for number in range(40_000):
        client.launched("user", **PLACE, session_id=f"{number:06}")
        if number % 1_000 == 0:
            sizes = [file.stat().st_size for file in (tmp_path / "spool").rglob("*.ndjson")]
            most = max(most, sum(sizes))
    client.close(timeout_seconds=10)
    assert 2 * MIB < most <= 5 * MIB
    with scripted_gateway() as gateway:
        after = make(gateway.url, max_bytes=3 * MIB)
        assert after.flush(120)
    dropped = client.counts.dropped + after.counts.dropped
    assert client.counts.taken == 40_000
    assert after.counts.accepted + dropped == 40_000
    assert after.counts.accepted > 5_000


def test_the_newest_survive_the_bound(make, tmp_path):
    """The files that are left hold the end of what was told, without a gap."""
    client = make(max_bytes=2 * MIB)
    for number in range(20_000):
        client.launched("user", **PLACE, session_id=str(number))
    client.close(timeout_seconds=10)
    lines = [
        json.loads(line)["data"]["session_id"]
        for file in sorted((tmp_path / "spool").rglob("*.ndjson"))
        for line in file.read_text().splitlines()
    ]
    assert lines == [str(number) for number in range(20_000 - len(lines), 20_000)]
    assert client.counts.dropped == 20_000 - len(lines)


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
