"""The client for products, alone or before a scripted gateway: it gets in nobody's way."""

import json
import logging
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.products import PLACE, run, until
from tests.support.scripted_gateway import scripted_gateway

PERSON = "sample-secret-person"


class Awkward:
    """Says in every way who it is about, and that it can't be written."""

    def __str__(self) -> str:
        raise ValueError(PERSON)

    __repr__ = __str__


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
