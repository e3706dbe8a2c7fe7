"""Ports for two starts at once, and for a start after another.

Next: deploy.ports
"""

import json
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from deploy import plan, ports
from schemas.settings import CommonSettings

# Another start: it holds the port it is told to, says whether it could, and waits.
OTHER = """
import sys
from deploy import ports
print(ports.hold(int(sys.argv[1])), flush=True)
sys.stdin.read()
"""


@pytest.fixture
def free():
    """A port that nothing holds and nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def test_a_port_with_a_listener_is_not_held(free):
    """Whoever listens already keeps the port."""
    with socket.create_server(("127.0.0.1", free)):
        assert not ports.hold(free)
    assert ports.hold(free)


def test_a_port_that_another_start_chose_is_not_held(free):
    """Two starts at the same moment do not choose the same port, though neither listens yet."""
    other = subprocess.Popen(
        [sys.executable, "-c", OTHER, str(free)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert other.stdout.readline() == "True\n"
    assert not ports.hold(free)
    other.communicate("")
    assert ports.hold(free)


def test_free_ports_are_not_those_of_outgoing_connections():
    """No client that retries against a stopped server can be given the server's port."""
    lowest = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    chosen = {ports.free() for _ in range(20)}
    assert len(chosen) == 20
    assert max(chosen) < lowest


def test_near_keeps_the_last_digits():
    """In place of a port that is taken comes one with the same last two digits."""
    wanted = ports.near(21080)
    ports.release(wanted)
    with socket.create_server(("127.0.0.1", wanted)):
        assert ports.near(wanted) > wanted
        assert ports.near(wanted) % 100 == 80


def test_a_directory_keeps_its_ports(tmp_path):
    """A second start on a directory gets the ports of the first, unless another is asked for."""
    first = plan.choose_ports(tmp_path, {})
    assert plan.choose_ports(tmp_path, {}) == first
    asked = ports.free()
    assert plan.choose_ports(tmp_path, {"query": asked}) == {**first, "query": asked}
    assert json.loads((tmp_path / "ports.json").read_text())["query"] == asked


def test_a_port_that_is_asked_for_is_nobody_elses(tmp_path, monkeypatch):
    """Whatever it is usual for; and two processes are not given the same."""
    asked = ports.free()
    ports.release(asked)
    monkeypatch.setattr(plan, "DEFAULT_PORTS", {**plan.DEFAULT_PORTS, "ingest": asked})
    chosen = plan.choose_ports(tmp_path, {"query": asked})
    assert chosen["query"] == asked != chosen["ingest"]
    assert list(chosen) == list(plan.NAMES)
    with pytest.raises(plan.PortTaken):
        plan.choose_ports(tmp_path, {"query": asked, "kafka": asked})


def test_a_remembered_port_that_is_taken_is_replaced(tmp_path, free):
    """What took the port meanwhile is left alone, and the start finds another."""
    (tmp_path / "ports.json").write_text(json.dumps({"query": free}))
    with socket.create_server(("127.0.0.1", free)):
        assert plan.choose_ports(tmp_path, {})["query"] != free


def test_a_port_that_was_asked_for_and_is_taken_is_an_error(tmp_path, free):
    """A number that a person gave is not silently replaced."""
    with socket.create_server(("127.0.0.1", free)), pytest.raises(plan.PortTaken, match=str(free)):
        plan.choose_ports(tmp_path, {"query": free})


def test_an_engine_elsewhere_is_not_started(tmp_path):
    """With CLICKHOUSE_DSN set, `up` uses that server and runs the other four processes."""
    dsn = "clickhouse://default:@127.0.0.1:1/elsewhere"
    settings = CommonSettings(clickhouse_dsn=dsn)
    made = plan.make_plan(tmp_path, {}, settings, {"CLICKHOUSE_DSN": dsn})
    assert made.names == ["kafka", "ingest", "worker", "query"]
    assert made.connection.clickhouse_dsn == dsn
    assert {child.environment["CLICKHOUSE_DSN"] for child in plan.children(made, {})} == {dsn}


def test_a_port_is_chosen_once():
    """Nothing need listen yet: two listeners of one process get two ports."""
    port = ports.near(22080)
    assert ports.near(22080) > port
    ports.release(port)
    assert ports.near(22080) == port
