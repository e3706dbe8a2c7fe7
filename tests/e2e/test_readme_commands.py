"""The README's commands, as printed, against `up --sample`: they work, and say what it says."""

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support.up_process import UpProcess

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)
# The second block of the README goes on in the terminal of the first.
KEY = "KEY=$(cat usage-data/admin.key)\n"
PATIENCE_SECONDS = 60


class Terminal:
    """The second terminal of the README: a directory with `usage-data`, and the command's path."""

    def __init__(self, place: Path, up: UpProcess) -> None:
        self.place, self.up = place, up

    def run(self, script: str) -> str:
        """Run a block with bash; its standard output. Every command in it must succeed."""
        # The README prints the usual ports; here they may be taken.
        text = script.replace("http://127.0.0.1:8081", self.up.ready["ingest_url"])
        text = text.replace("http://127.0.0.1:8080", self.up.ready["query_url"])
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", text],
            cwd=self.place,
            env={**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{text}\n{done.stdout}\n{done.stderr}"
        return done.stdout


@pytest.fixture(scope="module")
def terminal(tmp_path_factory):
    """The directory in which `usage-data` lies, after the README's first command."""
    place = tmp_path_factory.mktemp("readme")
    up = UpProcess(place / "usage-data", "--sample")
    up.start()
    yield Terminal(place, up)
    up.stop()


def block(start: str) -> str:
    """The README's block of commands that holds `start`."""
    return next(text for text in BLOCK.findall(README) if start in text)


def answers(terminal: Terminal, start: str) -> list[dict]:
    """What the curls of a block answer, each a line of JSON."""
    printed = terminal.run(KEY + block(start).replace("\ncurl", "\necho\ncurl"))
    return [json.loads(line) for line in printed.splitlines()]


def test_an_event_is_sent_and_seen(terminal):
    """The first curl is accepted, the second finds it; sent again, it stays one."""
    send = block("/v1/events")
    ask = KEY + block("/v1/report?")
    for _ in range(2):
        answer = json.loads(terminal.run(send))
        assert answer == {"accepted": 1, "rejected": []}
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not (rows := json.loads(terminal.run(ask))["rows"]):
            assert time.monotonic() < deadline, "the event never showed up"
            time.sleep(0.1)
    assert [(row["days_used"], row["launches"]) for row in rows] == [(1, 1)]
    assert all(row["user_id"] is None and row["hashed_user_id"] for row in rows)
    assert '`{"accepted":1,"rejected":[]}`' in README


def test_the_commands_work_as_printed(terminal):
    """Every command of the list succeeds, in the order of the list."""
    printed = terminal.run(block("usage-report report --by product"))
    assert "the books balance" in printed
    assert "0 differences" in printed
    assert (terminal.place / "load.ndjson").exists()


def test_administrators_find_what_they_ask_for(terminal):
    """Seats without use by name of the column, and a file that is there."""
    printed = terminal.run(block("--recommendation unassign"))
    assert "Sample Team 3" in printed
    assert (terminal.place / "seldom-used.xlsx").exists()


def test_numbers_packs_and_a_user_are_answered(terminal):
    """One JSON document a curl: the snapshot, the packs, the user with a reason in words."""
    snapshot, tokens, user = answers(terminal, "/v1/snapshot")
    assert snapshot["seats"]["over"] > 0
    assert tokens["balance"]["expiring"]
    (advice,) = user["recommendations"]
    assert advice["arithmetic"]


def test_a_seat_is_taken_away_and_given_back(terminal):
    """A dry run tells the verdict, the request itself has the same one, and is undone."""
    told, done, undone = answers(terminal, "/v1/unassign")
    assert (told["dry_run"], done["dry_run"]) == (True, False)
    assert told["counts"] == done["counts"]
    assert done["counts"]["unassigned"] == undone["counts"]["undone"] == 1


def test_one_team_hides_names_until_it_is_turned_on(terminal):
    """Hashes for all teams, names for one; after the README's command names for all."""
    printed = terminal.run(block('"personal_data": true}'))
    assert "personal data hidden by 1 of the teams in view" in " ".join(printed.split())
    shown = terminal.run("usage-report report --by user --limit 3")
    assert "personal data shown" in shown


def test_who_is_who_is_loaded_and_listed(terminal):
    """The directory takes the README's files, and lists what was in them."""
    assert "Design" in terminal.run(block("usage-report directory list teams"))
