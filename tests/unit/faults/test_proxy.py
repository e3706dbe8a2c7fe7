"""The proxy hurts as it says: what the fault suite believes of it."""

import socket
import threading
import time
from contextlib import suppress

import pytest

from deploy import ports
from tests.faults.proxy import Proxy


@pytest.fixture
def echo():
    """A port that answers whatever comes, and what came to it."""
    came: list[bytes] = []
    server = socket.create_server(("127.0.0.1", ports.free()))

    def serve(connection: socket.socket) -> None:
        with connection, suppress(OSError):
            while chunk := connection.recv(65536):
                came.append(chunk)
                connection.sendall(chunk)

    def accept() -> None:
        with suppress(OSError):
            while True:
                connection, _ = server.accept()
                threading.Thread(target=serve, args=(connection,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    yield server.getsockname()[1], came
    server.close()


@pytest.fixture
def proxy(echo):
    """A proxy before it."""
    made = Proxy(echo[0])
    made.up()
    yield made
    made.down()


def said(proxy: Proxy, text: bytes = b"hello", seconds: float = 5.0) -> bytes:
    """What comes back; ends with the connection, or when nothing more comes for so long."""
    answer = b""
    with socket.create_connection(("127.0.0.1", proxy.port), timeout=seconds) as client:
        client.sendall(text)
        with suppress(OSError):
            while len(answer) < len(text):
                chunk = client.recv(65536)
                if not chunk:
                    break
                answer += chunk
    return answer


def test_it_passes_everything_on(proxy):
    """Without a toxic nothing is changed, whatever its size."""
    assert said(proxy) == b"hello"
    large = bytes(range(256)) * 4096
    assert said(proxy, large) == large


def test_down_refuses_and_up_takes_again(proxy):
    """Connections there are reset, new ones refused."""
    client = socket.create_connection(("127.0.0.1", proxy.port), timeout=5)
    client.sendall(b"x")
    assert client.recv(1) == b"x"
    proxy.down()
    with pytest.raises(ConnectionResetError):
        client.recv(1)
    client.close()
    with pytest.raises(ConnectionRefusedError):
        said(proxy)
    proxy.up()
    assert said(proxy) == b"hello"


def test_an_answer_is_lost_after_the_peer_had_the_request(proxy, echo):
    """The peer has it, the client gets nothing."""
    proxy.hurt(answers_lost=True)
    assert said(proxy) == b""
    assert b"".join(echo[1]) == b"hello"
    assert proxy.cuts == 1


def test_an_answer_is_cut(proxy):
    """So many bytes, and no more."""
    proxy.hurt(answers_cut_after=3)
    assert said(proxy) == b"hel"


def test_an_answer_is_made_up(proxy, echo):
    """The peer never hears of the request."""
    proxy.hurt(canned=b"canned")
    assert said(proxy) in {b"canned", b"canne"}
    assert echo[1] == []


def test_silence_is_no_end(proxy):
    """Nothing comes, and nothing is closed; afterwards it goes on."""
    proxy.hurt(silent=True)
    with socket.create_connection(("127.0.0.1", proxy.port), timeout=0.3) as client:
        client.sendall(b"hello")
        with pytest.raises(TimeoutError):
            client.recv(5)
        proxy.up()
        client.settimeout(5)
        assert client.recv(5) == b"hello"


@pytest.mark.parametrize(
    "toxics", [{"latency_seconds": 0.1}, {"bytes_per_second": 50}, {"slice_bytes": 1}]
)
def test_slow_is_whole(proxy, toxics):
    """Late, thin or in slices: all of it comes."""
    proxy.hurt(**toxics)
    began = time.monotonic()
    assert said(proxy, b"0123456789") == b"0123456789"
    assert time.monotonic() - began >= (0.0 if "slice_bytes" in toxics else 0.1)
