"""Every example of deploy/api.md, as printed, against `up --sample`: it answers what is printed."""

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support.sources import ROOT
from tests.support.up_process import UpProcess

PAGE = (ROOT / "deploy" / "api.md").read_text(encoding="utf-8")
_INSIDE = r"((?:(?!```).*\n)*)```\n"
BLOCK = re.compile(rf"^```(sh|python)\n{_INSIDE}", re.MULTILINE)
EXAMPLE = re.compile(rf"^```(sh|python)\n{_INSIDE}```(json|text)\n{_INSIDE}", re.MULTILINE)
KEY = "KEY=$(cat usage-data/admin.key)\n"
PATIENCE_SECONDS = 60
FORMATS = re.search(r"for format in (.+); do", PAGE)[1].split()
CHANGES = re.compile(r" -d | -X |--data|python")


@pytest.fixture(scope="module")
def terminal(tmp_path_factory):
    """Runs a block where `usage-data` lies; what it prints."""
    place: Path = tmp_path_factory.mktemp("api")
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    with UpProcess(place / "usage-data", "--sample") as up:

        def run(language: str, text: str) -> str:
            # The page prints the usual ports, and the client as it is installed; its
            # distribution is tried in tests.contract.gateway.test_client_alone.
            text = text.replace("http://127.0.0.1:8081", up.ready["ingest_url"])
            text = text.replace("http://127.0.0.1:8080", up.ready["query_url"])
            text = text.replace("from usage_report_client", "from ingest.client")
            program = [sys.executable, "-c", text]
            if language == "sh":
                program = ["bash", "-euo", "pipefail", "-c", KEY + text]
            env = {**os.environ, "PATH": path, "PYTHONPATH": str(ROOT)}
            done = subprocess.run(
                program, cwd=place, env=env, capture_output=True, text=True, check=False
            )
            assert done.returncode == 0, f"{text}\n{done.stdout}\n{done.stderr}"
            return done.stdout

        yield run


def holds(found, wanted) -> bool:
    """Whether what was answered has all that is printed; of a list, each among its entries."""
    if isinstance(wanted, dict):
        return isinstance(found, dict) and all(
            name in found and holds(found[name], value) for name, value in wanted.items()
        )
    if isinstance(wanted, list) and wanted:
        return isinstance(found, list) and all(
            any(holds(each, one) for each in found) for one in wanted
        )
    return found == wanted


def is_as_printed(printed: str, form: str, wanted: str) -> bool:
    """JSON holds what is wanted; text has its lines, each from its start."""
    if form == "json":
        return holds(json.loads(printed.splitlines()[-1]), json.loads(wanted))
    lines = printed.splitlines()
    return all(any(line.startswith(each) for line in lines) for each in wanted.splitlines())


def test_every_example_answers_what_is_printed(terminal):
    """In the order of the page; a question is asked again until its events are in the rows."""
    for language, text, form, wanted in EXAMPLE.findall(PAGE):
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not is_as_printed(printed := terminal(language, text), form, wanted):
            asks = language == "sh" and not CHANGES.search(text)
            assert asks, f"{text}\n{printed}"
            assert time.monotonic() < deadline, f"{text}\n{printed[:2000]}"
            time.sleep(0.2)


def test_every_block_has_its_answer():
    """But for the one that reads the key, none is left out of the test."""
    answered = [text for _, text, _, _ in EXAMPLE.findall(PAGE)]
    assert [text for _, text in BLOCK.findall(PAGE) if text not in answered] == [KEY]


@pytest.mark.parametrize("service", ["http://127.0.0.1:8081", "http://127.0.0.1:8080"])
def test_every_endpoint_has_its_example(terminal, service):
    """What a service's OpenAPI document names is asked for in a block of the page."""
    blocks = "\n".join(text for _, text, _, _ in EXAMPLE.findall(PAGE)).replace("$url", service)
    blocks += "".join(blocks.replace("$format", each) for each in FORMATS)
    paths = json.loads(terminal("sh", f"curl -s {service}/openapi.json"))["paths"]
    assert len(paths) >= 2
    missing = [
        path
        for path in paths
        if not re.search(
            re.escape(service) + re.sub(r"\\{.*?\\}", "[^ ?/]+", re.escape(path)), blocks
        )
    ]
    assert missing == []
