"""One tenant and another's ids: every route, every parameter, every field; nothing comes back.

Where it matters that nothing is *missing*: routes, parameters and fields are read from the app and
its OpenAPI document, and one that tests.support.tenant_calls does not know fails here.
"""

import re
from io import BytesIO

import pytest
from pyarrow import parquet

from tests.support.app_routes import routes_of_the_app
from tests.support.leaks import texts_in
from tests.support.tenant_calls import CALLS, IDS, NOT_IDS, PAGE_PARAMETERS, PLACES, Call
from tests.support.two_tenants import OWN, TWIN, marks

_CSRF = re.compile(r'name="csrf" value="([0-9a-f]+)"')
# What differs by itself from one answer to the next.
_ONCE = re.compile(r'name="once"\s+value="\w+"|value="\w+"\s+name="once"')
# A spreadsheet holds the time that it was made at; other formats hold the same rows.
_PACKED = {"/v1/report.xlsx", "/v1/report.parquet"}
_UNSTEADY = {"/metrics", "/v1/seat-changes", "/v1/audit", "/v1/report.xlsx"}
_TRIES = 10
_PATHS = {"user:path": f"{OWN}-user", "user": f"{OWN}-user", "name": "teams", "entity": "teams"}
_FLAT = {"{user:path}": "{user}", "{request_id:path}": "{request_id}"}


def filled(path):
    """A path of the attacker's own."""
    if path.startswith("/static"):
        return "/static/page.css"
    return re.sub(r"\{([^}]+)\}", lambda found: _PATHS[found[1]], path)


@pytest.fixture(scope="module")
def document(query_server):
    """The OpenAPI document."""
    return query_server.client("").get("/openapi.json").json()


@pytest.fixture(scope="module")
def send(attacker):
    """Sends a call as the attacker does: with the key, or with the page's session and its token."""
    csrf = _CSRF.search(attacker.page.get("/settings/keys").text)[1]

    def sent(call):
        # Tests that run beside others keep the machine busy, and then the store may be too slow.
        for _ in range(_TRIES):
            answer = once(call)
            if answer.status_code != 503:
                break
        return answer

    def once(call):
        if call.form is not None:
            fields = {}
            for name, value in [("csrf", csrf), *call.form]:
                fields.setdefault(name, []).append(value)
            return attacker.page.post(call.path, data=fields)
        http = attacker.page if call.page else attacker.http
        return http.request(call.method, call.path, params=call.items, json=call.json)

    return sent


def parameters_of(document, route):
    """The query parameters of a route that is asked with GET."""
    path = route[1]
    for spelled, flat in _FLAT.items():
        path = path.replace(spelled, flat)
    told = document["paths"].get(path, {}).get(route[0].lower(), {}).get("parameters", [])
    named = [each["name"] for each in told if each["in"] == "query"]
    return [*named, *PAGE_PARAMETERS.get(route[1], ())]


def base_items(path, attacker):
    """What a route needs to answer at all."""
    if path == "/v1/events/trace":
        return [("source", "sample"), ("id", attacker.events[0])]
    return [("request", f"{OWN}-request")] if path == "/seats/done" else []


def asked(document, route, alien, attacker):
    """Every call of a route: each parameter by itself with each value, and the calls by hand."""
    method, path = route
    yield from CALLS[route](alien)
    if method != "GET":
        return
    base = base_items(path, attacker)
    page = not path.startswith(("/v1", "/health", "/metrics", "/openapi"))
    for name in parameters_of(document, route):
        if name in NOT_IDS | PLACES:
            continue
        for value in alien.said(name):
            items = [each for each in base if each[0] != name]
            yield Call("GET", filled(path), [*items, (name, value)], page=page)
            if name in {"team", "product", "user"} and not path.startswith("/v1/report."):
                items = [(name, f"{OWN}-{name}"), (name, value)]
                yield Call("GET", filled(path), items, page=page)


def body_fields(document):
    """The name of every field of every body, wherever in it."""
    found = set()

    def look(schema):
        for name, value in schema.get("properties", {}).items():
            found.add(name)
            look(value)
        named = schema.get("$ref", "").rsplit("/", 1)[-1]
        parts = [document["components"]["schemas"][named]] if named else []
        for each in (*parts, *schema.get("oneOf", ()), *schema.get("anyOf", ())):
            look(each)
        if isinstance(schema.get("items"), dict):
            look(schema["items"])

    for methods in document["paths"].values():
        for told in methods.values():
            for content in told.get("requestBody", {}).get("content", {}).values():
                look(content["schema"])
    return found


def found_in(answer, call, alien, forbidden):
    """The marks in an answer, apart from what was said in the call."""
    said = {*vars(alien).values(), *(value for name in IDS for value in alien.said(name))}
    spoken = f"{call.path} {call.items} {call.json} {call.form}"
    headers = "\n".join(f"{name}: {value}" for name, value in answer.headers.multi_items())
    text = "\n".join((headers, *texts_in(answer.content)))
    for value in sorted((each for each in said if each in spoken), key=len, reverse=True):
        text = text.replace(value, "")
    return {mark for mark in forbidden if mark in text}


def alike(answer, alien):
    """An answer without what was sent: status, and what it says."""
    text = _ONCE.sub("", answer.text)
    spellings = {*vars(alien).values(), *(value for name in IDS for value in alien.said(name))}
    for value in sorted(spellings, key=len, reverse=True):
        text = text.replace(value, "*")
    return answer.status_code, answer.headers.get("location", "").count("/"), text


def own_answers(attacker, send, document):
    """What the attacker is told of itself, by every route that is read."""
    found = {}
    for method, path in sorted(CALLS):
        if method != "GET" or path in _UNSTEADY:
            continue
        page = not path.startswith(("/v1", "/health", "/openapi"))
        items = base_items(path, attacker)
        answer = send(Call("GET", filled(path), items, page=page))
        assert answer.status_code in {200, 303}, (path, answer.text)
        packed = path in _PACKED
        content = answer.content if packed else _ONCE.sub("", answer.text).encode()
        # How the rows are cut into pieces is not the same each time.
        is_parquet = path == "/v1/report.parquet"
        rows = parquet.read_table(BytesIO(content)).to_pylist() if is_parquet else ()
        texts = [str(rows)] if is_parquet else texts_in(content)
        found[path] = (answer.status_code, *texts)
    assert len(found) > 25, document
    return found


def test_all_of_the_app_is_tried(tmp_path, document):
    """A route, a parameter or a field without a case fails here."""
    there = routes_of_the_app(tmp_path)
    assert there == set(CALLS)
    known = {*IDS, *NOT_IDS, *PLACES}
    named = {name for route in there for name in parameters_of(document, route)}
    assert named <= known
    assert body_fields(document) <= known
    assert set(PAGE_PARAMETERS) <= {path for _, path in there}


@pytest.fixture(scope="module")
def before_and_after(attacker, send, document, victim, request):
    """What the attacker is told of itself, before the victim had anything and after."""
    before = own_answers(attacker, send, document)
    request.getfixturevalue("full_victim")
    return before, own_answers(attacker, send, document)


def test_nothing_that_another_tenant_has_is_seen(before_and_after):
    """The same ids in another tenant with other names, numbers, prices: no answer changes."""
    before, after = before_and_after
    assert {path for path in before if before[path] != after[path]} == set()


ROUTES = sorted(CALLS)


@pytest.fixture(scope="module")
def world(attacker, victim, alien, nobodys):
    """Who asks, whom it must not see, and what the two call things."""
    return attacker, victim, alien, nobodys


@pytest.mark.parametrize("route", ROUTES, ids=" ".join)
def test_what_is_another_tenants_is_nobodys(route, before_and_after, world, send, document):
    """No mark of the victim comes back, its state stays, and its ids are as good as invented ones.

    What is asked with an id of the victim's is answered as with one that nobody has.
    """
    assert before_and_after
    attacker, victim, alien, nobodys = world
    forbidden, state = marks(victim), victim.state()
    assert sum(map(len, state.values())) > 25
    leaks, told_apart, failed = [], [], []
    pairs = zip(
        asked(document, route, alien, attacker),
        asked(document, route, nobodys, attacker),
        strict=True,
    )
    for call, invented in pairs:
        answer, other = send(call), send(invented)
        leaks += [(call, mark) for mark in found_in(answer, call, alien, forbidden)]
        if answer.status_code >= 500:
            failed.append((call, answer.text))
        if answer.status_code != other.status_code or (
            call.method == "GET"
            and call.path not in _PACKED
            and alike(answer, alien) != alike(other, nobodys)
        ):
            told_apart.append((call, answer.status_code, other.status_code))
    assert (leaks, failed, told_apart) == ([], [], [])
    assert victim.state() == state


def test_the_marks_would_be_found(full_victim, alien):
    """The victim itself is told all that was looked for: the search would have found it."""
    files = [full_victim.http.get(f"/v1/report.{kind}") for kind in ("csv", "xlsx", "parquet")]
    for answer in (*files, full_victim.page.get("/")):
        found = found_in(answer, Call("GET", ""), alien, marks(full_victim))
        assert {alien.ids, TWIN, "777.1234"} <= found


PAGED = ["/v1/report", "/v1/events", "/v1/dead-letters", "/v1/directory/products"]


@pytest.mark.parametrize("path", PAGED)
def test_a_cursor_is_of_one_tenant(path, full_victim, attacker):
    """Another tenant's place in a list is refused, by the API and by the page."""
    cursor = full_victim.http.get(path, params={"limit": 1}).json()["next_cursor"]
    assert cursor
    answer = attacker.http.get(path, params={"limit": 1, "cursor": cursor})
    assert answer.status_code == 400
    assert found_in(answer, Call("GET", cursor), _none(), marks(full_victim)) == set()


def test_the_feed_goes_on_at_ones_own_place(full_victim, attacker):
    """Another tenant's place in the feed of seat changes is refused."""
    place = full_victim.http.get("/v1/seat-changes").json()["next"]
    answer = attacker.http.get("/v1/seat-changes", params={"after": place})
    assert answer.status_code == 400
    own = attacker.http.get("/v1/seat-changes").text
    assert not any(mark in own for mark in (TWIN, *full_victim.events, full_victim.key_id))


def _none():
    class Nobody:
        """Has said nothing."""

        @staticmethod
        def said(_):
            return []

    return Nobody()


def test_sessions_stay_apart(full_victim, attacker, query_server):
    """A session under another key's id is none, and a form of another session changes nothing."""
    cookie = attacker.page.cookies["usage_session"]
    forged = f"{full_victim.key_id}.{cookie.partition('.')[2]}"
    http = query_server.client("")
    for path in ("/", "/v1/report", "/settings/keys"):
        answer = http.get(path, headers={"Cookie": f"usage_session={forged}"})
        assert answer.status_code in {303, 401}
    csrf = _CSRF.search(full_victim.page.get("/settings/keys").text)[1]
    state = full_victim.state()
    for path in ("/settings/keys/revoke", "/seats/undo", "/settings/teams/save", "/sign-out"):
        fields = {"csrf": csrf, "key_id": full_victim.key_id, "sure": "1", "team_id": "x"}
        assert attacker.page.post(path, data=fields).status_code == 403
    assert full_victim.state() == state


def test_a_key_id_with_another_secret_is_no_key(full_victim, attacker, query_server):
    """Nor is the victim's id before the attacker's secret."""
    secret = attacker.key.split("_", 2)[2]
    http = query_server.client(f"ur_{full_victim.key_id}_{secret}")
    assert http.get("/v1/report").status_code == 401
