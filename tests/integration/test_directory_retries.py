"""Loading the directory through trouble: a batch is sent again until it is answered."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from deploy.ask import Refused
from deploy.batches import Line
from deploy.connection import Connection
from deploy.directory_load import Loader, Verdict
from deploy.send import GaveUp

BATCHES = [[Line(1, b'{"n": 1}'), Line(3, b'{"n": 2}')], [Line(4, b'{"n": 3}')]]


@pytest.fixture
def service():
    """Answers each request with the next status of a script (200 behind its end; 0 hangs up)."""

    class Handler(BaseHTTPRequestHandler):
        script = ()
        bodies = ()

        def do_PUT(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            number = len(Handler.bodies)
            Handler.bodies = (*Handler.bodies, body)
            status = Handler.script[number] if number < len(Handler.script) else 200
            if not status:
                self.close_connection = True
                return
            rejects = [{"index": 0, "reason": "r", "field": "n", "detail": "d"}]
            answer = (
                {"accepted": 1, "rejected": rejects} if status == 200 else {"detail": "as scripted"}
            )
            self.send_response(status)
            self.end_headers()
            self.wfile.write(json.dumps(answer).encode())

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    Handler.url = f"http://127.0.0.1:{server.server_port}"
    yield Handler
    server.shutdown()
    thread.join()
    server.server_close()


def loaded(service, *, patience_seconds=60):
    """What a load of BATCHES yields, and why batches were sent again."""
    told = []
    place = Connection(query_url=service.url, key="ur_sample_key")
    with Loader(place, patience_seconds=patience_seconds, retried=told.append) as loader:
        return list(loader.load("teams", BATCHES)), told


def test_a_batch_is_sent_again(service):
    """After 503, a gateway's 502 and a lost connection; the same lines, before the next batch."""
    service.script = (503, 502, 0)
    answers, told = loaded(service)
    assert answers == [(2, [Verdict(1, "n", "r", "d")]), (1, [Verdict(4, "n", "r", "d")])]
    first, second = b'{"n": 1}\n{"n": 2}', b'{"n": 3}'
    assert service.bodies == (first, first, first, first, second)
    assert len(told) == 3


def test_a_batch_too_large_goes_in_halves(service):
    """413 for one line is that line's verdict."""
    service.script = (413, 413)
    answers, _ = loaded(service)
    assert [verdict[:3] for verdict in answers[0][1]] == [
        (1, None, "body_too_large"),
        (3, "n", "r"),
    ]


@pytest.mark.parametrize("status", [401, 403, 500])
def test_a_refusal_ends_it(service, status):
    """Nothing more is sent, and the words of the service are told."""
    service.script = (status,)
    with pytest.raises(Refused, match=f"HTTP {status}: as scripted"):
        loaded(service)
    assert len(service.bodies) == 1


def test_patience_ends(service):
    """No success for as long as one was ready to wait."""
    service.script = (503,) * 100
    with pytest.raises(GaveUp, match="503"):
        loaded(service, patience_seconds=0)
