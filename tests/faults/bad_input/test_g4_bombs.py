"""Compressed bodies that are bombs, nearly bombs, cut short, or followed by something else.

Next: ingest.bodies
"""

import gzip
import json
import random
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import httpx
import pytest
import zstandard

from ingest.bodies import MEMBERS_MAX
from schemas.settings import IngestSettings
from tests.support.cloud_events import event
from tests.support.fault_report import record

SEED = 20_260_531
RATIO = IngestSettings.model_fields["decompression_max_ratio"].default
LIMIT_BYTES = IngestSettings.model_fields["body_max_bytes"].default
PACKERS = {"gzip": gzip.compress, "zstd": zstandard.compress}
MOST_GROWTH_BYTES = 200 << 20
AT_ONCE = 8

pytestmark = pytest.mark.timeout(900)
packers = pytest.mark.parametrize("encoding", PACKERS)


@pytest.fixture
def post(system, request):
    """Posts packed NDJSON in a tenant of this test; `accepted` counts."""
    tenant = f"sample-{request.node.name}"
    key = system.key(tenant)
    with closing(httpx.Client(timeout=120, trust_env=False, headers={"X-API-Key": key})) as http:

        def send(body: bytes, encoding: str) -> httpx.Response:
            headers = {"Content-Encoding": encoding, "Content-Type": "application/x-ndjson"}
            answer = http.post(f"{system.ingest}/v1/events", content=body, headers=headers)
            send.requests += 1
            if answer.status_code == 202:
                send.accepted += answer.json()["accepted"]
            return answer

        send.tenant, send.requests, send.accepted = tenant, 0, 0
        yield send


def report(system, post, name: str) -> None:
    """Nobody was hurt, and exactly what was accepted is counted."""
    found = system.check()
    assert system.counted(post.tenant) == (post.accepted, post.accepted)
    figures = {name: {"requests": post.requests, "accepted": post.accepted}}
    record("G4", requests=post.requests, lost=0, doubled=0, figures=figures, **found)


def line() -> bytes:
    """A good event."""
    return json.dumps(event()).encode() + b"\n"


def near_the_ratio(pack) -> tuple[bytes, bytes]:
    """A good body just below the largest ratio, and one just above."""
    noise = random.Random(SEED).randbytes(2_000).hex().encode()
    body = line().strip()[:-1] + b',"extra":"%b"}\n' % noise
    under = b""
    for blanks in range(0, 1 << 20, 4096):
        packed = pack(body + b" " * blanks)
        if len(body) + blanks > RATIO * len(packed):
            return under, packed
        under = packed
    raise AssertionError("never above")


@packers
def test_g4_the_ratio_is_the_bound_and_not_less(system, post, encoding):
    """Just under it a body counts, just over it, it is refused; a bomb is, in bounded memory."""
    under, over = near_the_ratio(PACKERS[encoding])
    assert post(under, encoding).status_code == 202
    assert post(over, encoding).status_code == 413
    system.forget_peak("ingest")
    before = system.memory("ingest", "VmRSS")
    bomb = PACKERS[encoding](bytes(16 * LIMIT_BYTES))
    with ThreadPoolExecutor(AT_ONCE) as pool:
        codes = [each.status_code for each in pool.map(lambda _: post(bomb, encoding), range(24))]
    assert set(codes) == {413}
    assert system.memory("ingest", "VmHWM") - before < MOST_GROWTH_BYTES
    report(system, post, f"bombs_{encoding}")


@packers
def test_g4_parts_and_ends_of_packed_bodies(system, post, encoding):
    """Several members count as one body; what is cut, or followed by garbage, counts not at all."""
    pack = PACKERS[encoding]
    whole = pack(line()) + pack(b"") + pack(line())
    assert post(whole, encoding).json()["accepted"] == 2
    packed = pack(line() * 50)
    for broken in (
        *(packed[:cut] for cut in range(1, len(packed), 29)),
        *(packed + garbage for garbage in (b"\x00", b"garbage", packed[:9])),
        pack(packed),
        packed[:5] + bytes([packed[5] ^ 255]) + packed[6:-9] + bytes(9),
        line(),
    ):
        answer = post(broken, encoding)
        assert answer.status_code == 400, broken
        assert answer.json()["accepted"] == 0
    report(system, post, f"parts_{encoding}")


@packers
def test_g4_members_without_end_are_refused_at_once(system, post, encoding):
    """A body of ever so many empty members costs no more than its reading."""
    pack = PACKERS[encoding]
    most = pack(line()) + pack(b"") * (MEMBERS_MAX - 1)
    assert post(most, encoding).status_code == 202
    begun = time.monotonic()
    empty = pack(b"")
    for _ in range(3):
        answer = post(empty * (LIMIT_BYTES // len(empty)), encoding)
        assert answer.json()["rejected"][0]["reason"] == "bad_encoding"
    print(f"refused in {time.monotonic() - begun:.2f} s")
    report(system, post, f"members_{encoding}")
