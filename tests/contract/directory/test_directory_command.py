"""`usage-report directory` against the query service: files in, verdicts by line, lists out."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.directory import VALID, listed, put

README = Path(__file__).parents[3] / "README.md"


@pytest.fixture
def command(new_tenant, query_server, tmp_path):
    """Runs `usage-report directory …` with a key that manages a new tenant."""
    _, http, _ = new_tenant(scopes=["manage"])
    environment = {
        **os.environ,
        "USAGE_QUERY_URL": query_server.url,
        "USAGE_KEY": http.headers["Authorization"].removeprefix("Bearer "),
    }

    def run(*arguments, stdin=""):
        return subprocess.run(
            [sys.executable, "-m", "deploy.cli", "directory", *arguments],
            env=environment,
            cwd=tmp_path,
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
        )

    run.http, run.environment, run.place = http, environment, tmp_path
    return run


@pytest.fixture
def files(tmp_path):
    """Files of good and bad lines."""
    folder = tmp_path / "files"
    folder.mkdir()
    (folder / "teams.csv").write_text("\ufeffteam_id,name,personal_data\nt,Team,true\n,Nobody,\n")
    users = ['{"user_id": "u", "first_name": "Ü"}', "{", "", '{"user_id": "v", "mail": "x"}']
    (folder / "users.ndjson").write_text("\n".join(users))
    products = "product_id,kind,members\nc,collection,a;b\np,product,a\n"
    (folder / "products.csv").write_text(products)
    columns = "user_id,product_id,team_id,at,assignment,assigned"
    seat = "u,c,t,2026-01-01T00:00:00Z,direct,true"
    (folder / "assignments.csv").write_text(f"{columns}\n{seat}\n")
    return folder


def test_load_a_directory(command, files):
    """Good lines are stored, each bad one is told by file and line, and the status is 1."""
    done = command("load", "files")
    assert done.returncode == 1
    told = [line.split(": ", 3)[:3] for line in done.stderr.splitlines()]
    assert told == [
        ["files/teams.csv:3", "team_id", "missing_field"],
        ["files/users.ndjson:2", "-", "malformed_json"],
        ["files/users.ndjson:4", "mail", "invalid_field"],
        ["files/products.csv:3", "members", "invalid_field"],
    ]
    assert "Loaded" in done.stdout
    assert [user["first_name"] for user in listed(command.http, "users")] == ["Ü"]
    assert [product["members"] for product in listed(command.http, "products")] == [["a", "b"]]
    assert [seat["assigned"] for seat in listed(command.http, "assignments")] == [True]


def test_load_for_machines(command, files):
    """--json sums up by file, with every reject; a good file ends with 0, and may come again."""
    done = command("load", "files/users.ndjson", "files/teams.csv", "--json")
    summary = json.loads(done.stdout)
    assert (summary["accepted"], summary["rejected"], summary["error"]) == (2, 3, None)
    assert [file["accepted"] for file in summary["files"]] == [1, 1]
    assert [reject["line"] for reject in summary["rejects"]] == [2, 4, 3]
    for _ in range(2):
        assert command("load", "files/assignments.csv").returncode == 0


def test_load_from_standard_input(command):
    """`-` needs --entity; many lines go in several requests, in order."""
    lines = [json.dumps({"user_id": "u", "first_name": f"name-{n}"}) for n in range(2500)]
    assert command("load", "-", stdin="\n".join(lines)).returncode == 2
    assert command("load", "-", "--entity", "users", stdin="\n".join(lines)).returncode == 0
    put(command.http, "teams", VALID["teams"])
    assert [user["first_name"] for user in listed(command.http, "users")] == ["name-2499"]


def test_load_what_is_larger_than_a_request(command):
    """A batch above the body's limit goes in parts; a line above it is one reject."""
    members = [f"{number:0128}" for number in range(1000)]
    product = {"kind": "collection", "members": members}
    lines = [json.dumps({"product_id": f"p-{n}", **product}) for n in range(100)]
    lines.insert(50, json.dumps({"product_id": "x", "name": "x" * (9 << 20)}))
    done = command("load", "-", "--entity", "products", "--json", stdin="\n".join(lines))
    summary = json.loads(done.stdout)
    assert (summary["accepted"], summary["rejected"]) == (100, 1)
    assert (summary["rejects"][0]["line"], summary["rejects"][0]["reason"]) == (
        51,
        "body_too_large",
    )


@pytest.mark.parametrize("arguments", [("load", "none.csv"), ("load", "."), ("list", "people")])
def test_wrong_usage(command, arguments):
    """A file that is not there, one of no entity, and an unknown entity: status 2."""
    assert command(*arguments).returncode == 2


def test_list(command):
    """A table for people; one entry a line for machines, by hash where names are hidden."""
    put(command.http, "teams", VALID["teams"], {"team_id": "team-2", "name": "Zoe's"})
    put(command.http, "users", VALID["users"])
    assert "Zoe's" in command("list", "teams").stdout
    done = command("list", "teams", "--json", "--team", "team-2")
    assert [json.loads(line)["team_id"] for line in done.stdout.splitlines()] == ["team-2"]
    assert len(command("list", "teams", "--json", "--limit", "1").stdout.splitlines()) == 1
    hidden = command("list", "users", "--json").stdout
    assert json.loads(hidden)["hashed_user_id"]
    assert "user-1" not in hidden + command("list", "users").stdout
    assert "nothing yet" in command("list", "prices").stdout


def test_a_list_can_be_loaded(command):
    """What `list --json` prints of teams is what `load` reads."""
    put(command.http, "teams", VALID["teams"])
    told = command("list", "teams", "--json").stdout
    put(command.http, "teams", {"team_id": "team-1", "deleted": True})
    assert command("load", "-", "--entity", "teams", stdin=told).returncode == 0
    assert listed(command.http, "teams") == [VALID["teams"]]


def test_the_readme_tells_the_truth(command):
    """The README's commands work as they are printed."""
    blocks = re.findall(r"^```sh\n(.*?)^```$", README.read_text(), re.MULTILINE | re.DOTALL)
    (text,) = [block for block in blocks if "directory load teams.csv" in block]
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", text],
        env=command.environment | {"PATH": path},
        cwd=command.place,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "Design" in done.stdout
    assert [user["last_name"] for user in listed(command.http, "users")] == ["Reader"]
