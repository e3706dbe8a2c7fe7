"""`up --sample`: every state of the report occurs, and a crash in the middle doubles nothing."""

import contextlib
import json
import subprocess
import threading
import time
from collections import Counter
from datetime import datetime
from itertools import chain

import httpx
import pytest

from deploy import generate, sample_stories
from deploy.commands.screen import report_commands
from deploy.local import Ready
from deploy.sample import sample_load
from schemas.events import LAUNCHED
from tests.support.up_process import UpProcess

PATIENCE_SECONDS = 120
LOADED_ENOUGH = 1_000


class Sample:
    """A running `up --sample`; `until` is the moment that its events end at."""

    def __init__(self, up: UpProcess, until: datetime) -> None:
        self.up, self.until = up, until

    def ask(self, path: str, **parameters: object) -> dict:
        """The answer of a GET."""
        return _ask(self.up, path, **parameters)

    def rows(self, **parameters: object) -> list[dict]:
        """Rows of the default report, filtered."""
        return self.ask("/v1/report", limit=1000, **parameters)["rows"]

    def totals(self) -> Counter:
        """Launches by product over all days of the sample."""
        days = {"from": f"{sample_load(self.until).first_day}", "to": f"{self.until.date()}"}
        rows = self.rows(by="product", **days)
        return Counter({row["product_id"]: row["launches"] for row in rows if row["launches"]})

    def expected(self) -> Counter:
        """Launches by product among the events that were made for it, each counted once."""
        load = sample_load(self.until)
        texts = set(chain(sample_stories.lines(self.until), generate.lines(load)))
        events = (json.loads(text) for text in texts)
        return Counter(e["data"]["product_id"] for e in events if e["type"] == LAUNCHED)


def _ask(up: UpProcess, path: str, **parameters: object) -> dict:
    place = json.loads((up.data_dir / "up.json").read_text())["query_url"]
    key = (up.data_dir / "admin.key").read_text().strip()
    headers = {"Authorization": f"Bearer {key}"}
    answer = httpx.get(f"{place}{path}", headers=headers, params=parameters, timeout=30)
    assert answer.status_code == 200, answer.text
    return answer.json()


def _wait(what, wanted) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not wanted():
        assert time.monotonic() < deadline, f"{what} never came"
        time.sleep(0.1)


def _half_loaded(up: UpProcess) -> bool:
    """Whether some, but not all, of the sample's events are in the report."""
    if not (up.data_dir / "sample-until").exists():
        return False
    with contextlib.suppress(httpx.TransportError, FileNotFoundError):
        return _ask(up, "/v1/report", limit=1)["totals"]["launches"] > LOADED_ENOUGH
    return False


def _start_and_crash(up: UpProcess) -> str:
    """Start, and kill everything in the middle of the sample; when its events were to end."""

    def start() -> None:
        with contextlib.suppress(AssertionError):  # it is killed before it is ready
            up.start()

    starting = threading.Thread(target=start)
    starting.start()
    _wait("the middle of the sample", lambda: _half_loaded(up))
    until = (up.data_dir / "sample-until").read_text()
    up.process.kill()
    starting.join(PATIENCE_SECONDS)
    up.kill()
    assert not up.ready
    return until


@pytest.fixture(scope="module")
def sample(tmp_path_factory):
    """Loaded by a start that was killed in the middle, and a second one."""
    up = UpProcess(tmp_path_factory.mktemp("sample") / "usage-data", "--sample")
    try:
        until = _start_and_crash(up)
        up.start()
        loaded = Sample(up, datetime.fromisoformat(until))
        _wait("the whole sample", lambda: sum(loaded.totals().values()) >= 20_000)
        expected = loaded.expected()
        _wait("the whole sample", lambda: loaded.totals() == expected)
        yield loaded
    finally:
        up.stop()


STATES = {
    "active": {"activity": "active"},
    "inactive": {"activity": "inactive"},
    "assigned": {"seat": "assigned"},
    "unassigned": {"seat": "unassigned"},
    "directly": {"assignment": "direct"},
    "by default": {"assignment": "default"},
    "by a group": {"group": "Sample Group Design"},
    "by another group": {"group": "Sample Group Site"},
    "unused": {"frequency": "unused"},
    "occasional": {"frequency": "occasional"},
    "frequent": {"frequency": "frequent"},
    "unassign": {"recommendation": "unassign"},
    "switch to flex": {"recommendation": "switch_to_flex"},
    "switch to subscription": {"recommendation": "switch_to_subscription"},
    "flex, assigned and used": {"access": "flex", "seat": "assigned", "activity": "active"},
    "flex, assigned and unused": {"access": "flex", "seat": "assigned", "activity": "inactive"},
    "a collection": {"product": "sample-collection-design", "activity": "active"},
    "a collection, unused": {"product": "sample-collection-design", "frequency": "unused"},
}


@pytest.mark.parametrize("filters", STATES.values(), ids=STATES)
def test_every_state_of_a_row_occurs(sample, filters):
    """The default report has a row of each state, whatever today is."""
    assert sample.rows(**filters)


def test_members_are_used_by_a_collection(sample):
    """Two members of the collection are used through it."""
    used = {row["product_id"] for row in sample.rows() if row["via"] == "sample-collection-design"}
    assert used == {"sample-product-bim", "sample-product-render"}


def test_seats_are_over_used_and_free(sample):
    """Some teams own too few seats, others too many."""
    seats = sample.ask("/v1/snapshot")["seats"]
    assert min(seats["over"], seats["free"], seats["active"], seats["inactive"]) > 0


def test_one_team_hides_every_name(sample):
    """The whole view is hidden by one team; a team that shows names is named on its own."""
    whole = sample.ask("/v1/report", limit=1000)
    assert (whole["personal_data"], whole["hidden_by"]) == ("hashed", ["sample-team-8"])
    assert {row["user_id"] for row in whole["rows"]} == {None}
    shown = sample.rows(team="sample-team-3")
    assert {row["team"] for row in shown} == {"Sample Team 3"}
    names = {(row["first_name"], row["last_name"], row["email"]) for row in shown}
    assert ("Sample", "User 000904", "sample.user.000904@example.invalid") in names
    # Users without an entry have no name.
    assert {first for first, _, _ in names} <= {"Sample", None}
    assert "Sample CAD" in {row["product"] for row in shown}


def test_what_the_directory_does_not_know_keeps_its_rows(sample):
    """A team without a name, an unknown product, an unknown user: the id stands for the name."""
    assert {row["team"] for row in sample.rows(team="sample-team-7")} == {"sample-team-7"}
    survey = sample.rows(product="sample-product-survey")
    assert {row["product"] for row in survey} == {"sample-product-survey"}
    (unknown,) = sample.rows(team="sample-team-5", user="sample-user-000909")
    assert (unknown["first_name"], unknown["email"], unknown["days_used"]) == (None, None, 40)


def test_two_users_have_one_name(sample):
    """They stay two, told apart by e-mail and id."""
    twins = sample.rows(team="sample-team-6", q="Twin", by="user")
    assert {(row["first_name"], row["last_name"]) for row in twins} == {("Sample", "Twin")}
    assert len({row["email"] for row in twins}) == len(twins) == 2


def test_one_user_has_a_seat_by_two_paths(sample):
    """Direct before group in the row; the directory lists both."""
    user = {"team": "sample-team-4", "user": "sample-user-000906"}
    (row,) = sample.rows(**user)
    assert row["assignment"] == "direct"
    # Of the whole tenant names are hidden: by hash.
    listed = sample.ask("/v1/directory/assignments", team="sample-team-4", limit=1000)
    paths = Counter(
        (entry["hashed_user_id"], entry["product_id"]) for entry in listed["assignments"]
    )
    assert max(paths.values()) == 2


def test_packs_of_every_state(sample):
    """Own and shared, ended, about to end, not started; and none is overdrawn."""
    answer = sample.ask("/v1/tokens")
    packs = {pack["pack_id"]: pack for pack in answer["packs"]}
    assert {pack["state"] for pack in packs.values()} == {"active", "not_started", "ended"}
    assert {pack["team_id"] for pack in packs.values()} >= {None, "sample-team-1"}
    expiring = answer["balance"]["expiring"]
    assert [pack["pack_id"] for pack in expiring] == ["sample-pack-ending"]
    assert answer["balance"]["overdrawn"] == "0"


def test_prices_change_with_time(sample):
    """A product became dearer: two prices of it are in the directory."""
    prices = sample.ask("/v1/directory/prices")["prices"]
    assert Counter(price["product_id"] for price in prices)["sample-product-cad"] == 2


def test_the_printed_commands_work(sample, tmp_path):
    """What `up` prints to paste answers: a report, the snapshot, and a file of rows."""
    for command in report_commands(Ready(**sample.up.ready)):
        script = command.replace("curl ", "curl --fail --silent --show-error ")
        subprocess.run(["bash", "-c", script], cwd=tmp_path, check=True, capture_output=True)
    (file,) = tmp_path.iterdir()
    assert len(file.read_text().splitlines()) > 2


def test_a_later_start_loads_nothing_again(sample):
    """The same numbers, and the same seats, after another `up --sample` on the directory."""
    before = sample.totals(), sample.ask("/v1/snapshot")["seats"]
    assert sample.up.stop() == 0
    sample.up.start()
    assert not (sample.up.data_dir / "sample-until").exists()
    assert (sample.totals(), sample.ask("/v1/snapshot")["seats"]) == before
