"""Both OpenAPI documents, asked for everything they allow and much that they don't.

Seconds to spend: USAGE_FUZZ_SECONDS; each operation is asked at least once for each key.

Next: tests.support.whole_system
"""

import os
import time
from collections import Counter
from contextlib import suppress
from itertools import count

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.support.fault_report import record

SEED = 20_260_531
SHORT_SECONDS, LONG_SECONDS = 10.0, 240.0
# In the first lap, and in later ones: an operation's strategy is costly to make.
FIRST_EXAMPLES, EXAMPLES = 2, 20
TENANT = "sample-fuzzed"
SCOPES = {
    "ingest": ("", "ingest", "import", "read"),
    "query": ("", "ingest", "read", "manage", "admin"),
}
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    response_headers_conformance,
]
MEMBERS = {"type", "title", "status", "detail", "reason"}

pytestmark = pytest.mark.timeout(900)


def refused_well(response):
    """Whether a refusal says why, as contract.md has it."""
    if response.status_code < 400 or response.request.method == "HEAD":
        return True
    document = response.json()
    if response.headers["content-type"] == "application/json":  # verdicts one by one
        # To OpenMeter's clients the good ones among bad ones are told with a 400, too.
        some_good = "/api/v1/" in response.request.url and document["rejected"]
        return set(document) == {"accepted", "rejected"} and (some_good or not document["accepted"])
    problem = response.headers["content-type"] == "application/problem+json"
    return problem and document.keys() >= MEMBERS and document["status"] == response.status_code


class Asker:
    """Asks operations of one service with one key."""

    def __init__(self, url: str, key: str, codes: Counter) -> None:
        self.session = requests.Session()
        self.session.trust_env = False
        self.url, self.codes = url, codes
        self.headers = {"Authorization": f"Bearer {key}"} if key else {}

    def ask(self, operation, mode: GenerationMode, number: int, examples: int) -> None:
        """A few requests to an operation; what they are follows from the number."""

        @seed(number)
        @settings(
            max_examples=examples,
            deadline=None,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy(mode))
        def try_it(case):
            answer = case.call(base_url=self.url, session=self.session, headers=self.headers)
            self.codes[answer.status_code] += 1
            case.validate_response(answer, checks=CHECKS)
            sent = requests.Response()
            sent.__dict__.update(status_code=answer.status_code, _content=answer.content)
            sent.headers.update({name: value[0] for name, value in answer.headers.items()})
            sent.request = answer.request
            assert refused_well(sent), (case.as_curl_command(), answer.status_code, answer.text)

        with suppress(Unsatisfiable):  # nothing can be wrong with a request that says nothing
            try_it()


def seconds(short: float, long: float, request) -> float:
    """How long to go on: as asked, else by the kind of the run."""
    asked = os.environ.get("USAGE_FUZZ_SECONDS")
    kind = long if request.node.get_closest_marker("faults") else short
    return float(asked) if asked and kind == long else kind


def fuzz(system, service: str, for_seconds: float) -> Counter:
    """Ask every operation in turn until the time is up, the first round whole."""
    url = getattr(system, service)
    schema = schemathesis.openapi.from_url(f"{url}/openapi.json")
    operations = [result.ok() for result in schema.get_all_operations()]
    codes = Counter()
    askers = [
        Asker(url, system.key(TENANT, scope) if scope else "", codes) for scope in SCOPES[service]
    ]
    until = time.monotonic() + for_seconds
    numbers = count(SEED)
    for lap in count():
        for operation in operations:
            if lap and time.monotonic() > until:
                return codes
            for asker, mode in zip(askers, modes(lap), strict=False):
                asker.ask(operation, mode, next(numbers), EXAMPLES if lap else FIRST_EXAMPLES)
    return codes


def modes(lap: int):
    """Valid and invalid in turn, the other way round in the next lap."""
    both = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
    return (both[(lap + turn) % 2] for turn in count())


@pytest.mark.parametrize("service", ["ingest", "query"])
@pytest.mark.parametrize("_kind", ["short", pytest.param("long", marks=pytest.mark.faults)])
def test_g4_openapi_is_kept_whatever_is_sent(system, service, _kind, request):
    """Every answer is one that the document names, none is a 5xx, and nobody is hurt by it."""
    codes = fuzz(system, service, seconds(SHORT_SECONDS, LONG_SECONDS, request))
    figures = {f"openapi_{service}": {"seed": SEED, "codes": dict(sorted(codes.items()))}}
    record("G4", requests=codes.total(), figures=figures, **system.check())
    assert codes.total() > 50
