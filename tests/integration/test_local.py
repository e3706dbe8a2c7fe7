"""`usage-report up` as a user has it: one start, one stop, and every crash in between.

Next: deploy.local
"""

import os
import select
import stat
import subprocess
import time
from datetime import UTC, datetime
from itertools import count

import httpx
import pytest
from kafka import KafkaProducer

from deploy import connection
from schemas import topics
from tests.support.up_process import UpProcess

NUMBERS = count(1)
NAMES = ("kafka", "clickhouse", "ingest", "worker", "query")


@pytest.fixture(scope="module")
def up(tmp_path_factory):
    """The system, running; tests may hurt it, and leave it running."""
    with UpProcess(tmp_path_factory.mktemp("up") / "data") as running:
        yield running


def headers(up: UpProcess) -> dict[str, str]:
    """The first key, as a request needs it."""
    return {"Authorization": f"Bearer {up.ready['key']}"}


def send(up: UpProcess, events: int = 10) -> None:
    """Send new events of one user until the gateway answers 202."""
    batch = [
        {
            "specversion": "1.0",
            "id": f"local-{next(NUMBERS)}",
            "source": "sample/test",
            "type": "product.launched",
            "subject": "sample-user",
            "time": datetime.now(UTC).isoformat(),
            "data": {"team_id": "sample-team", "product_id": "sample-product"},
        }
        for _ in range(events)
    ]
    answer = until_answered("POST", f"{up.ready['ingest_url']}/v1/events", up, json=batch)
    assert answer.json() == {"accepted": events, "rejected": []}


def until_answered(method: str, url: str, up: UpProcess, **more) -> httpx.Response:
    """The answer, as a client gets it that tries again while a process restarts."""
    while True:
        try:
            answer = httpx.request(method, url, headers=headers(up), timeout=30, **more)
        except httpx.TransportError:
            time.sleep(0.1)
            continue
        if answer.status_code < 500:
            return answer
        time.sleep(0.1)


def launches(up: UpProcess) -> int:
    """What the report says."""
    answer = until_answered("GET", f"{up.ready['query_url']}/v1/report?preset=30d", up)
    assert answer.status_code == 200, answer.text
    return answer.json()["totals"]["launches"]


def wait_for_launches(up: UpProcess, expected: int) -> None:
    """Until the report has them all; more than that is wrong at any moment."""
    while (found := launches(up)) != expected:
        assert found < expected
        time.sleep(0.1)


@pytest.fixture(scope="module")
def sent(up):
    """How many events were answered 202, in a list of one."""
    return [0]


def send_and_count(up: UpProcess, sent: list[int]) -> None:
    """Send some, and wait until the report shows all that ever were sent."""
    send(up)
    sent[0] += 10
    wait_for_launches(up, sent[0])


def test_ready_line_is_the_contracts(up):
    """When `up` says that it is ready, it says where everything is, in one line of JSON."""
    assert set(up.ready) == {
        "ingest_url",
        "query_url",
        "kafka",
        "clickhouse_url",
        "tenant",
        "key",
        "data_dir",
        "pids",
    }
    assert up.ready["pids"] == up.pids()
    assert set(up.ready["pids"]) == set(NAMES)


def test_key_file_is_private(up):
    """The first key is in admin.key, readable by its owner alone."""
    path = up.data_dir / "admin.key"
    assert path.read_text().strip() == up.ready["key"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_an_event_becomes_a_row(up, sent):
    """With nothing but the ready line, an event is sent and counted."""
    send_and_count(up, sent)


def test_commands_find_it(up):
    """The other commands find a running `up` by its data directory."""
    found = connection.find(up.data_dir)
    assert found.ingest_url == up.ready["ingest_url"]
    assert found.key == up.ready["key"]


def test_second_up_on_the_directory_is_refused(up, sent):
    """A second `up` says which process has the directory, exits 1, and disturbs nothing."""
    second = subprocess.run(up.command(), capture_output=True, text=True, check=False)
    assert second.returncode == 1
    assert f"pid {up.process.pid}" in second.stderr
    assert up.pids() == up.ready["pids"]
    send_and_count(up, sent)


def test_a_taken_port_is_refused_by_name(up, tmp_path):
    """A port that is asked for and taken is an error that names it, not a silent other one."""
    port = up.ready["query_url"].rsplit(":", 1)[1]
    other = UpProcess(tmp_path / "other")
    refused = subprocess.run(
        [*other.command(), "--query-port", port], capture_output=True, text=True, check=False
    )
    assert refused.returncode == 1
    assert port in refused.stderr


@pytest.mark.parametrize("name", NAMES)
def test_a_killed_process_comes_back(up, sent, name):
    """`kill -9` of any of the five: it is started again, and every event is counted once."""
    send(up)
    sent[0] += 10
    before = up.pids()
    os.kill(before[name], 9)
    while up.pids()[name] in {before[name], None}:
        time.sleep(0.05)
    send_and_count(up, sent)
    after = up.pids()
    assert {other: after[other] for other in NAMES if other != name} == {
        other: before[other] for other in NAMES if other != name
    }


def test_two_at_once(up, sent, tmp_path):
    """A second clone's `up` finds ports of its own and counts for itself."""
    with UpProcess(tmp_path / "second") as second:
        mine, other = up.ready, second.ready
        assert not {mine["ingest_url"], mine["query_url"]} & {
            other["ingest_url"],
            other["query_url"],
        }
        send(second)
        wait_for_launches(second, 10)
        send_and_count(up, sent)
        assert second.stop() == 0


def test_kill_9_of_everything_and_up_again(up, sent):
    """After `kill -9` of the supervisor nothing runs on; the next start has all the data."""
    send(up)
    sent[0] += 10
    before = up.ready
    watched = [os.pidfd_open(pid) for pid in up.pids().values()]
    up.kill()
    for ended in watched:
        select.select([ended], [], [])
        os.close(ended)
    up.start()
    kept = ("ingest_url", "query_url", "kafka", "clickhouse_url", "tenant", "key", "data_dir")
    assert {name: up.ready[name] for name in kept} == {name: before[name] for name in kept}
    wait_for_launches(up, sent[0])
    send_and_count(up, sent)


def test_stop_is_in_order_and_clean(up, sent):
    """SIGTERM stops who takes in before who stores, exits 0, and a new start has the data."""
    send_and_count(up, sent)
    ended = {os.pidfd_open(pid): name for name, pid in up.pids().items()}
    poll = select.poll()
    for process in ended:
        poll.register(process, select.POLLIN)
    up.process.terminate()
    order = []
    while len(order) < len(NAMES):
        for process, _ in poll.poll():
            poll.unregister(process)
            order.append(ended[process])
            os.close(process)
    assert order == ["ingest", "worker", "query", "clickhouse", "kafka"]
    assert up.stop() == 0
    with pytest.raises(connection.NotFound):
        connection.find(up.data_dir)
    up.start()
    wait_for_launches(up, sent[0])


def headers_of(kind: str) -> list[tuple[str, bytes]]:
    """Headers as a gateway writes them, but for the kind."""
    written = dict(topics.events_headers(count=1, partitions=12, request_id="sample"))
    return list({**written, topics.HEADER_KIND: kind.encode()}.items())


def test_a_worker_that_needs_a_person_is_left_stopped(tmp_path):
    """Exit status 78 is told and not answered by a restart; all else goes on, the next start too.

    What stops the worker here is a record of a kind that is reserved for later releases.
    """
    with UpProcess(tmp_path / "data") as up:
        producer = KafkaProducer(bootstrap_servers=up.ready["kafka"])
        producer.send(topics.EVENTS, b"{}", headers=headers_of("control")).get(30)
        producer.close()
        for told in (1, 2):
            while up.pids()["worker"] is not None:
                time.sleep(0.1)
            assert up.errors().count("worker needs a person") == told
            send(up)
            assert launches(up) == 0
            assert up.stop() == 0
            up.start()
