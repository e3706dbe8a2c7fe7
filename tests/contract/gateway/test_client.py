"""The client for products before a real gateway: kills, outages, refusals, and bounds."""

import signal
import subprocess
import sys
import time

import pytest

from ingest.client import Client
from tests.support.sources import ROOT

NOWHERE = "http://127.0.0.1:9"
PLACE = {"team_id": "sample-team", "product_id": "sample-product"}
DAY_SECONDS = 86_400
# A product that tells of launches until it is killed: it prints how many calls have returned.
PRODUCT = """
import sys
from ingest.client import Client
client = Client(sys.argv[1], "ur_sample_key", source="sample/killed", spool=sys.argv[2])
for number in range(100_000):
    client.launched(f"user-{number}", team_id="sample-team", product_id="sample-product")
    print(number + 1, flush=True)
"""


@pytest.fixture
def make(small_gateway, key, tmp_path):
    """Makes clients over one spool."""
    made = []

    def client(url=small_gateway.url, **more):
        made.append(Client(url, key, source="sample/client", spool=tmp_path / "spool", **more))
        return made[-1]

    yield client
    for each in made:
        each.close(timeout_seconds=0)


def subjects(log, source):
    """Users of the events of a source, one for each identity."""
    lines = [line for line in log.lines() if line["source"] == source]
    return sorted({line["id"]: line["user_id"] for line in lines}.values())


def test_launches_and_tokens_arrive(make, log):
    """With all that was told, at the moment of the call."""
    client = make()
    client.launched("user-1", **PLACE, product_version="2026.1")
    client.consumed("user-2", 1.25, **PLACE, access="flex")
    assert client.flush(30)
    launched, consumed = sorted(log.lines(), key=lambda line: line["user_id"])
    assert (launched["type"], launched["product_version"]) == ("product.launched", "2026.1")
    assert (consumed["type"], consumed["tokens"]) == ("tokens.consumed", "1.25")
    assert (client.counts.taken, client.counts.accepted) == (2, 2)


def test_what_was_told_before_a_kill_is_sent_by_the_next(make, log, tmp_path):
    """Every call that returned is on the log under one id; one more may have been under way."""
    command = [sys.executable, "-c", PRODUCT, NOWHERE, str(tmp_path / "spool")]
    returned = 0
    for _ in range(3):
        product = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        for _ in range(200):
            product.stdout.readline()
        product.send_signal(signal.SIGKILL)
        rest = product.stdout.read().splitlines()
        product.wait()
        product.stdout.close()
        returned += int(rest[-1]) if rest else 200
    client = make()
    assert client.flush(60)
    sent = subjects(log, "sample/killed")
    assert returned <= len(sent) <= returned + 3
    assert client.counts.accepted == len(sent)


def test_an_outage_blocks_nobody(make, log):
    """Nothing is raised while nobody answers, and everything is sent when somebody does."""
    away = make(NOWHERE)
    for number in range(50):
        away.launched(f"user-{number}", **PLACE)
    assert not away.flush(0.5)
    away.close(timeout_seconds=0.5)
    assert away.counts.accepted == 0
    client = make()
    assert client.flush(60)
    assert subjects(log, "sample/client") == sorted(f"user-{number}" for number in range(50))


def test_refusals_are_told_and_not_sent_again(make, log):
    """A wrong event spoils no other; what the product does with the news harms nobody."""
    told = []

    def tell(reject):
        told.append(reject)
        raise RuntimeError("the product's own mistake")

    client = make(on_rejected=tell)
    client.launched("user-1", team_id="", product_id="sample-product")
    client.launched("user-2", **PLACE)
    assert client.flush(30)
    assert [(each["reason"], each["field"]) for each in told] == [("invalid_field", "data.team_id")]
    assert subjects(log, "sample/client") == ["user-2"]
    assert (client.counts.accepted, client.counts.rejected) == (1, 1)


def test_what_is_too_old_or_too_much_goes(make):
    """The oldest first, and counted."""
    clock = [time.time()]
    client = make(NOWHERE, now=lambda: clock[0], max_age_days=30)
    client.launched("user-1", **PLACE)
    client.close(timeout_seconds=5)
    clock[0] += 31 * DAY_SECONDS
    after = make(NOWHERE, now=lambda: clock[0], max_age_days=30)
    after.launched("user-2", **PLACE)
    until(lambda: after.counts.dropped == 1)
    after.close(timeout_seconds=5)
    # Nothing may be kept but the file that is written to.
    small = make(NOWHERE, now=lambda: clock[0], max_bytes=0)
    until(lambda: small.counts.dropped == 1)


def test_a_product_without_a_place_to_write_goes_on(tmp_path):
    """No spool, no events, and no error either."""
    (tmp_path / "file").write_text("in the way")
    client = Client(NOWHERE, "ur_sample_key", source="sample", spool=tmp_path / "file")
    client.launched("user-1", **PLACE)
    client.close()
    assert (client.counts.taken, client.counts.dropped) == (0, 1)


def until(holds):
    """Wait until it does."""
    deadline = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)
