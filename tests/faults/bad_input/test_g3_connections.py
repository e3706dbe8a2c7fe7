"""Both services at the edge of HTTP and of their files: bounded, and good clients get through.

Next: schemas.connections
"""

import time
from contextlib import ExitStack, suppress

import pytest

from schemas.connections import HEAD_MAX_BYTES
from tests.support.fault_report import record
from tests.support.few_files import FILES, FewFiles
from tests.support.raw_http import GET, answers, exchanged, opened, statuses

BODY = b'{"specversion":"1.0"}'
UPGRADE = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AA\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n"


def post(headers: bytes, body: bytes = b"", version: bytes = b"1.1") -> bytes:
    """A POST without a key, which both services answer."""
    return b"POST /v1/events HTTP/%b\r\nHost: x\r\n%b\r\n%b" % (version, headers, body)


def sized(size: bytes, more: bytes = b"") -> bytes:
    """A POST that announces a size."""
    return post(b"Content-Length: %b\r\n%b" % (size, more), BODY)


FLOOD = b"GET / HTTP/1.1\r\nHost: x\r\n"
# What is sent, and which answers come; 4 stands for any refusal.
REQUESTS = {
    "garbage": (b"\x16\x03\x01\x02\x00garbage\r\n\r\n", [400]),
    "HTTP/2": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", [400]),
    "HTTP/1.0": (GET.replace(b"1.1", b"1.0"), [200]),
    "CONNECT": (b"CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n", [400]),
    "path in no ASCII": (b"GET /\xff HTTP/1.1\r\nHost: x\r\n\r\n", [400]),
    "path with escapes": (b"GET /%ff%00%0d%0a HTTP/1.1\r\nHost: x\r\n\r\n", [404]),
    "NUL in a header": (b"GET / HTTP/1.1\r\nHost: x\x00\r\n\r\n", [400]),
    "folded header": (b"GET / HTTP/1.1\r\nHost: x\r\nA: b\r\n c\r\n\r\n", [400]),
    "key in Latin-1": (post(b"X-API-Key: ur_\xe9_\xff\r\n"), [4]),
    "length and chunks": (sized(b"21", CHUNKED), [400]),
    "two lengths": (sized(b"21", b"Content-Length: 3\r\n"), [400]),
    "length below zero": (sized(b"-1"), [400]),
    "length with a sign": (sized(b"+21"), [400]),
    "length beyond 64 bits": (sized(b"9" * 30), [400]),
    "bad chunk size": (post(CHUNKED, b"zz\r\nabc\r\n0\r\n\r\n"), [4]),
    "chunk beyond its size": (post(CHUNKED, b"2\r\nabc\r\n0\r\n\r\n"), [4]),
    "chunks": (post(CHUNKED, b"15\r\n%b\r\n0\r\nce-id: x\r\n\r\n" % BODY), [4]),
    "unknown coding": (post(b"Transfer-Encoding: gzip\r\n"), [400]),
    "offer of HTTP/2": (sized(b"21", UPGRADE) + GET, [4, 200]),
    "offer, then chunks": (
        post(UPGRADE + CHUNKED, b"15\r\n%b\r\n0\r\n\r\n" % BODY) + GET,
        [4, 200],
    ),
    "50 at once": (GET * 50, [200] * 50),
    "1,000 at once": (GET * 1_000, []),
    "good, then garbage": (GET + b"\x00\x01\r\n\r\n", []),
    "many headers": (FLOOD + b"".join(b"x%d: y\r\n" % n for n in range(5_000)) + b"\r\n", [431]),
    "large header": (FLOOD + b"A: " + b"a" * (HEAD_MAX_BYTES + 9) + b"\r\n\r\n", [431]),
    "large header without end": (FLOOD + b"A: " + b"a" * (1 << 20), [431]),
    "large address": (b"GET /" + b"a" * (1 << 20), [431]),
    "trailers without end": (post(CHUNKED, b"0\r\n" + b"a: b\r\n" * 99_999), [4]),
}


CRLF = b"\r\n"
# Never whole: by nothing, by bytes of a head, of a body, of chunks, or between two requests.
NEVER_WHOLE = {
    "nothing": (b"", b"", []),
    "empty lines": (b"", CRLF, []),
    "a head": (b"GET / HTTP/1.1\r\nA: ", b"a", [408]),
    "a body": (sized(b"4000"), b" ", [4]),
    "chunks": (post(CHUNKED), b"1;\r\n \r\n", [4]),
    "after an answer": (GET, CRLF, [200]),
}


@pytest.fixture(scope="module", params=["ingest", "query_service"])
def service(request, system, tmp_path_factory):
    """One of the services with few files and little patience, over the system's log and store."""
    with FewFiles(request.param, system.up.ready, tmp_path_factory.mktemp("few")) as started:
        yield started
        figures = {f"edges_{request.param}": [len(REQUESTS), len(NEVER_WHOLE)]}
        # Each of them is followed by a good one.
        record("G3", requests=2 * len(REQUESTS), server_errors=0, crashes=0, figures=figures)


def as_expected(found: list[int], wanted: list[int]) -> bool:
    """Whether the statuses are the wanted ones; 4 stands for any refusal."""
    return len(found) == len(wanted) and all(
        code // 100 == 4 if want == 4 else code == want
        for code, want in zip(found, wanted, strict=True)
    )


@pytest.mark.parametrize("what", REQUESTS)
def test_g3_odd_requests_are_answered_or_closed(service, what):
    """The right answers and no other, no 5xx, and the next client is served."""
    sent, wanted = REQUESTS[what]
    found, closed = exchanged(service.place, sent)
    assert as_expected(found, wanted), found
    assert closed or wanted
    assert exchanged(service.place, GET, 0.3)[0] == [200]
    assert service.is_sound()


@pytest.mark.parametrize("what", NEVER_WHOLE)
def test_g3_a_request_that_never_ends_is_ended(service, what):
    """However a client drags on, its connection is closed."""
    begun, again, wanted = NEVER_WHOLE[what]
    with opened(service.place, begun) as connection:
        deadline = time.monotonic() + 60
        text = b""
        connection.settimeout(0.2)
        while time.monotonic() < deadline:
            try:
                connection.sendall(again)
                piece = connection.recv(65_536)
            except TimeoutError:
                continue
            except ConnectionError:
                break
            if not piece:
                break
            text += piece
        assert time.monotonic() < deadline
        assert as_expected(statuses(text), wanted), text
    assert service.is_sound()


def test_g3_a_flood_of_requests_waits_in_the_socket(service):
    """Requests that nobody waits for take no memory: what is not answered is not read."""
    before = service.memory("VmRSS")
    with opened(service.place) as connection:
        connection.settimeout(1.0)
        begun = time.monotonic()
        with suppress(OSError):
            while time.monotonic() < begun + 3:
                connection.sendall(GET * 50)
    assert service.memory("VmHWM") - before < 64 << 20
    assert service.is_sound()


def test_g3_many_sockets_leave_room_for_good_clients(service):
    """More sockets than the process may open files: good clients get in all the while."""
    with ExitStack() as stack:
        for number in range(3 * FILES):
            stack.enter_context(opened(service.place, b"GET / HT" if number % 2 else b""))
            if number % 20 == 0:
                assert exchanged(service.place, GET, 0.3)[0] == [200]
        assert service.files() < FILES
        assert service.ready()
    assert service.is_sound()


def test_g3_kept_connections_outlive_a_flood_of_strangers(service):
    """A client that was answered keeps its connection while others that say nothing come."""
    with ExitStack() as stack:
        known = stack.enter_context(opened(service.place, GET))
        assert answers(known, 0.3) == ([200], False)
        for _ in range(2 * FILES):
            stack.enter_context(opened(service.place))
        known.sendall(GET)
        assert answers(known, 0.3)[0] == [200]


def test_g3_bodies_together_are_bounded(service):
    """Clients that send large bodies to no end share a bound, above which they are refused."""
    before = service.memory("VmRSS")
    head = b"PUT /v1/directory/users HTTP/1.1\r\nHost: x\r\nContent-Length: 8000000\r\n\r\n"
    with ExitStack() as stack:
        found = []
        for _ in range(40):
            connection = stack.enter_context(opened(service.place))
            with suppress(OSError):
                connection.sendall(head + bytes(6_000_000))
            found += answers(connection, 0.05)[0]
    assert set(found) <= {404, 503, 408}
    assert service.memory("VmHWM") - before < 250 << 20
    assert service.is_sound(but=503)
