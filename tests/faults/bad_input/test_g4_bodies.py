"""Bodies at JSON's edges: what is good gets through and is counted, what is bad is named.

Next: tests.support.hostile_json
"""

import json
from contextlib import closing

import httpx
import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from schemas.rejects import Reason
from tests.support.fault_report import record
from tests.support.hostile_json import BAD, DRESSES, INVALID, NO_EVENTS, GoodEvents

SEED = 20_260_531
SHORT_EXAMPLES, LONG_EXAMPLES = 40, 3_000
NDJSON, JSON = "application/x-ndjson", "application/json"
MEDIA_TYPES = (NDJSON, JSON, "application/cloudevents+json", "application/cloudevents-batch+json")
BIG_BYTES = 10 << 20
MOST_GROWTH_BYTES = 400 << 20

pytestmark = pytest.mark.timeout(900)
kinds = pytest.mark.parametrize(
    "examples", [SHORT_EXAMPLES, pytest.param(LONG_EXAMPLES, marks=pytest.mark.faults)]
)
PIECES = st.lists(st.one_of(DRESSES, DRESSES, st.sampled_from(BAD)), min_size=1, max_size=12)


def tried(examples: int, **strategies):
    """Run a function for so many examples, always the same ones."""
    chosen = settings(
        max_examples=examples,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    return lambda function: seed(SEED)(chosen(given(**strategies)(function)))()


class Sender:
    """Posts bodies with one key of a tenant, and counts what was tried and accepted."""

    def __init__(self, system, tenant: str) -> None:
        self.http = httpx.Client(timeout=60, trust_env=False)
        self.url = f"{system.ingest}/v1/events"
        self.key = system.key(tenant)
        self.requests = self.accepted = 0

    def close(self) -> None:
        """Hang up."""
        self.http.close()

    def post(self, body, media_type: str, **headers: str) -> httpx.Response:
        """One request."""
        named = {"X-API-Key": self.key, "Content-Type": media_type, **headers}
        answer = self.http.post(self.url, content=body, headers=named)
        self.requests += 1
        if answer.status_code == 202:
            self.accepted += answer.json()["accepted"]
        return answer


@pytest.fixture
def sender(system, request):
    """A sender in a tenant of this test."""
    with closing(Sender(system, f"sample-{request.node.name}")) as made:
        made.tenant = f"sample-{request.node.name}"
        yield made


def report(system, sender, name: str) -> None:
    """Nobody was hurt, and exactly what was accepted is counted."""
    found = system.check()
    assert system.counted(sender.tenant) == (sender.accepted, sender.accepted)
    figures = {name: {"seed": SEED, "requests": sender.requests, "accepted": sender.accepted}}
    record("G4", requests=sender.requests, lost=0, doubled=0, figures=figures, **found)


@kinds
def test_g4_lines_are_judged_one_by_one(system, sender, examples):
    """NDJSON: good lines go through, each bad one is named by index and reason."""
    good = GoodEvents()

    @tried(examples, pieces=PIECES, blanks=st.sampled_from((b"\n", b"\n\n", b"\n \r\n")))
    def _(pieces, blanks):
        lines = [each[0] if type(each) is tuple else good.text(each) for each in pieces]
        bad = [(i, each[1]) for i, each in enumerate(pieces) if type(each) is tuple]
        answer = sender.post(blanks.join(lines), NDJSON)
        told = answer.json()
        assert answer.status_code == (400 if len(bad) == len(pieces) else 202)
        assert [(each["index"], each["reason"]) for each in told["rejected"]] == bad
        assert told["accepted"] == len(pieces) - len(bad)

    report(system, sender, "lines")


@kinds
def test_g4_arrays_are_judged_one_by_one(system, sender, examples):
    """A JSON array: the same, with all that is JSON at all."""
    good = GoodEvents()
    bad_ones = [each for each in BAD if each[0] in (*INVALID, *NO_EVENTS)]
    pieces = st.lists(st.one_of(DRESSES, st.sampled_from(bad_ones)), min_size=1, max_size=12)

    @tried(examples, pieces=pieces)
    def _(pieces):
        events = [each[0] if type(each) is tuple else good.text(each) for each in pieces]
        bad = [(i, each[1]) for i, each in enumerate(pieces) if type(each) is tuple]
        answer = sender.post(b"[%b]" % b",".join(events), JSON)
        told = answer.json()
        assert [(each["index"], each["reason"]) for each in told["rejected"]] == bad
        assert told["accepted"] == len(pieces) - len(bad)

    report(system, sender, "arrays")


@kinds
def test_g4_any_bytes_are_answered(system, sender, examples):
    """Whatever the bytes, their encoding and their type: a refusal with reasons, and no event."""
    known = {str(reason) for reason in Reason}
    texts = st.text().map(lambda text: text.encode("utf-16", "surrogatepass"))
    values = st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    ).map(lambda value: json.dumps(value).encode())
    encodings = st.sampled_from(({}, {"Content-Encoding": "gzip"}, {"ce-specversion": "1.0"}))

    @tried(
        examples,
        body=st.binary() | texts | values | st.sampled_from((b"", b" ", b"\n" * 9)),
        media_type=st.sampled_from(MEDIA_TYPES),
        headers=encodings,
    )
    def _(body, media_type, headers):
        answer = sender.post(body, media_type, **headers)
        assert answer.status_code == 400, answer.text
        told = answer.json()
        assert told["accepted"] == 0
        assert {each["reason"] for each in told["rejected"]} <= known

    report(system, sender, "bytes")


def test_g4_ten_megabytes_are_refused_in_bounded_memory(system, sender):
    """Announced or not, as one string, as numbers, as brackets: 413 or 400, and memory stays."""
    system.forget_peak("ingest")
    before = system.memory("ingest", "VmRSS")
    text = b'[{"id":"%b"}]' % (b"i" * BIG_BYTES)
    assert sender.post(text, JSON).status_code == 413
    assert sender.post(iter([text[:1000], text[1000:]]), JSON).status_code == 413
    large = 8_000_000
    for body in (
        b"[" * large,
        b"[%b0]" % (b"0," * (large // 2)),
        b'"%b"' % (b"\\u0061" * (large // 6)),
    ):
        for media_type in (JSON, NDJSON):
            assert sender.post(body, media_type).status_code in {400, 413}
    assert sender.post(b"[]\n" * (large // 3), NDJSON).status_code == 413
    for number in range(20):  # an amount is remembered by its text: not by such a text
        line = INVALID[0].replace(b"product.launched", b"tokens.consumed")
        amount = b'"data":{"tokens":"%d%b",' % (number, b"9" * large)
        answer = sender.post(line.replace(b"\\ud800", b"x").replace(b'"data": {', amount), NDJSON)
        assert answer.json()["rejected"][0]["field"] == "data.tokens"
    growth = system.memory("ingest", "VmHWM") - before
    kept = system.memory("ingest", "VmRSS") - before
    print(f"the gateway grew by {growth >> 20} MiB at most, {kept >> 20} MiB are left")
    assert growth < MOST_GROWTH_BYTES
    report(system, sender, "ten_megabytes")
