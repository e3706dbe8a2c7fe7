"""The privacy walk: every route in every format and setting, and what is found of anybody in it."""

from collections import Counter
from itertools import islice

import pytest

from tests.contract.privacy.conftest import HIDDEN, SHOWN
from tests.support.app_routes import routes_of_the_app
from tests.support.leaks import found_in
from tests.support.privacy_calls import CALLS, PERSONAL, Call
from tests.support.private_tenant import (
    EVERYTHING,
    FIRST,
    NOWHERE,
    PEOPLE,
    SECOND,
    STRANGER,
    address,
)

MOST_PAGES = 5
# Where every way to call a route is tried; elsewhere the first two show how the view decides.
THOROUGH = ("one team of two off", "every team on")
# Not for every key: the tenant's alone, or of one event that may be another team's.
NOT_FOR_ALL = {
    *(
        ("GET", path)
        for path in ("/v1/ledger", "/v1/dead-letters", "/v1/events/trace", "/v1/audit")
    ),
}


@pytest.fixture
def routes(tmp_path):
    """How to call each route that there is."""
    return {route: CALLS[route] for route in routes_of_the_app(tmp_path)}


def test_every_route_is_walked(tmp_path):
    """A route that the walk cannot call fails here, until privacy_calls says how."""
    there = routes_of_the_app(tmp_path)
    assert there == set(CALLS)


class Walk:
    """What was asked in one setting, and what was found."""

    def __init__(self, setting) -> None:
        self.setting = setting
        self.statuses = Counter()
        self.media = set()
        self.leaks = []
        self.hashes = {setting.company.hash_of(user): user for user in self._users()}

    @staticmethod
    def _users():
        return (STRANGER, *(person.user_id for person in PEOPLE))

    def forbidden(self) -> set[str]:
        """What no answer of this setting may hold."""
        if self.setting.hidden:
            return set(EVERYTHING)
        if self.setting.foreign:
            return {*EVERYTHING, *self.hashes, *self.setting.company.events}
        # Shown: no hash at all, and nobody of a team that the key may not see.
        unseen = {
            data
            for person in PEOPLE
            if self.setting.limited and not set(person.teams) & set(self.setting.limited)
            for data in person.data
        }
        return unseen | set(self.hashes)

    def ask(self, call: Call):
        """Send it, and look at the whole answer."""
        answer = self.setting.http.request(
            call.method, call.path, params=call.items, json=call.json, content=call.body
        )
        self.statuses[answer.status_code] += 1
        self.media.add(answer.headers.get("content-type", "").split(";")[0])
        assert answer.status_code < 500, (call, answer.text)
        headers = "\n".join(f"{name}: {value}" for name, value in answer.headers.multi_items())
        said = call.said.casefold()
        forbidden = self.forbidden()
        for secret in found_in(answer.content, forbidden) | found_in(headers.encode(), forbidden):
            if secret.casefold() not in said and address(secret).casefold() not in said:
                self.leaks.append((call, secret))
        return answer

    def ask_on(self, call: Call):
        """The same, and every further page; what is refused is refused for its reason."""
        answer = self.ask(call)
        if call.refused and self.setting.hidden:
            problem = (answer.status_code, answer.json()["reason"])
            assert problem == (400, "personal_data_hidden"), call
        page = answer
        for _ in range(MOST_PAGES):
            cursor = _cursor(page)
            if cursor is None:
                break
            items = [*call.items, ("cursor", cursor)]
            page = self.ask(Call(call.method, call.path, items))
            assert page.status_code == 200, page.text
        return answer


def _cursor(answer) -> str | None:
    if answer.headers.get("content-type") != "application/json":
        return None
    body = answer.json()
    return body.get("next_cursor") if isinstance(body, dict) else None


def walk(setting, routes) -> tuple[Walk, int]:
    """Call every route in every way; the first call of each must succeed."""
    walked = Walk(setting)
    for route, calls in sorted(routes.items()):
        ways = None if setting.name in THOROUGH else 2
        for number, call in enumerate(islice(calls(setting), ways)):
            answer = walked.ask_on(call)
            other = (setting.limited or setting.foreign) and route in NOT_FOR_ALL
            if number == 0 and not other and "{" not in route[1]:
                assert answer.status_code in {200, 201, 204, 303}, (call, answer.text)
    return walked, len(routes)


@pytest.fixture(scope="module")
def tally():
    """Counts of all walks, printed at the end."""
    counts = Counter()
    media = set()
    yield counts, media
    print(f"\nprivacy walk: {dict(counts)}, media types {len(media)}: {sorted(media)}")


def _count(tally, walked: Walk, routes: int) -> None:
    counts, media = tally
    counts["routes"] = routes
    counts["settings"] += 1
    counts["requests"] += sum(walked.statuses.values())
    counts["leaks"] += len(walked.leaks)
    media |= walked.media


@pytest.mark.parametrize("name", HIDDEN)
def test_nothing_of_anybody_is_found(name, settings, routes, tally):
    """With a hidden team in view no answer holds a name, a mail or an id that was not sent."""
    walked, count = walk(settings[name], routes)
    _count(tally, walked, count)
    assert walked.leaks == []


@pytest.mark.parametrize("name", SHOWN)
def test_shown_names_come_without_hashes(name, settings, routes, tally):
    """Where names show there is no hash, nor anybody of teams that the key does not see."""
    walked, count = walk(settings[name], routes)
    _count(tally, walked, count)
    assert walked.leaks == []


FORMATS = ("", ".csv", ".xlsx", ".json", ".ndjson", ".parquet")


@pytest.mark.parametrize("suffix", FORMATS)
def test_the_walk_would_find_them(suffix, settings):
    """Each format in which names show has all of them, and the hidden one all of their hashes."""
    on, off = settings["every team on"], settings["one team of two off"]
    shown = on.http.get(f"/v1/report{suffix}").content
    hidden = off.http.get(f"/v1/report{suffix}").content
    # A cell that a spreadsheet could run has a ' in front, which does not keep it from being found.
    assert found_in(shown, EVERYTHING) == set(EVERYTHING)
    hashes = {off.company.hash_of(person.user_id) for person in PEOPLE}
    assert found_in(hidden, hashes) == hashes


def test_members_of_a_shown_team_alone(settings):
    """A view of the team that is on shows its people; the other team's stay away."""
    http = settings["one team of two off"].http
    for suffix in FORMATS:
        found = found_in(
            http.get(f"/v1/report{suffix}", params={"team": FIRST}).content, EVERYTHING
        )
        for person in PEOPLE:
            assert (set(person.data) <= found) == (FIRST in person.teams), suffix
            assert FIRST in person.teams or not found & set(person.data), suffix


PAGED = [
    ("/v1/report", {"sort": "user"}),
    ("/v1/report", {"by": "user"}),
    *(("/v1/report", {"sort": f"-{name}"}) for name in PERSONAL),
    ("/v1/events", {}),
    ("/v1/dead-letters", {}),
    *((f"/v1/directory/{name}", {}) for name in ("users", "team_members", "assignments")),
]


@pytest.mark.parametrize(("path", "asked"), PAGED, ids=str)
def test_a_switch_between_two_pages_hides_the_second(path, asked, new_company, url, request):
    """A team that is switched off hides the next page, even to a cursor made of a name."""
    company = new_company(f"flipped-{request.node.name}", first=True, second=True)
    http = company.http(url)
    first = http.get(path, params={**asked, "limit": 1})
    assert (first.status_code, first.json()["personal_data"]) == (200, "shown")
    cursor = first.json()["next_cursor"]
    company.switch(url, SECOND, on=False)
    answer = http.get(path, params={**asked, "limit": 1, "cursor": cursor})
    assert answer.status_code == 400
    assert found_in(answer.content + cursor.encode(), EVERYTHING) == set()
    again = http.get(path, params={"limit": 100})
    assert again.json()["personal_data"] == "hashed"
    assert found_in(again.content, EVERYTHING) == set()


@pytest.mark.parametrize("suffix", FORMATS)
def test_an_unknown_team_in_view_hides_all(suffix, settings):
    """Nobody gets names by asking for a team that is not there."""
    http = settings["every team on"].http
    for teams in ([NOWHERE], [FIRST, NOWHERE], [""]):
        answer = http.get(f"/v1/report{suffix}", params={"team": teams})
        assert found_in(answer.content, EVERYTHING) == set()


def test_file_names_say_nothing_of_people(settings):
    """What a file is filtered by is not in its name."""
    http = settings["every team on"].http
    for extension in FORMATS[1:]:
        for asked in ({"user": PEOPLE[0].user_id}, {"q": PEOPLE[0].last_name}):
            answer = http.get(f"/v1/report{extension}", params=asked)
            name = answer.headers["Content-Disposition"]
            assert found_in(name.encode(), EVERYTHING) == set()


def test_logs_and_metrics_say_nothing_of_people(settings, services):
    """After everything that was asked: no name, mail or id, and no hash, anywhere in them."""
    hashes = {
        setting.company.hash_of(person.user_id)
        for setting in settings.values()
        for person in PEOPLE
    }
    everything = {*EVERYTHING, *hashes}
    for setting in settings.values():
        setting.http.get("/v1/report", params={"user": PEOPLE[0].user_id, "q": PEOPLE[0].email})
    for process in services.values():
        log = process.log.read_bytes()
        assert log.count(b'"route":"/report"') > 0
        assert found_in(log, everything) == set()
    for setting in settings.values():
        assert found_in(setting.http.get("/metrics").content, everything) == set()
