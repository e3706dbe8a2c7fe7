"""What the page reads at once is what each question alone is answered."""

import random
from dataclasses import replace

import pytest

from query_service import cursor
from query_service.filters import Filters
from query_service.options import options
from query_service.page import advice
from query_service.page.reading import read_rows
from query_service.queries import report_query
from query_service.report import read_page
from query_service.snapshot import snapshot
from query_service.view import look
from tests.support.random_reports import RandomQuestions
from tests.support.random_tenant import RandomTenant
from tests.support.surfaces import GRAINS
from tests.support.tenant_rows import insert_tenant

TENANTS, QUESTIONS = 3, 12


@pytest.fixture
def ask(store_client, new_tenant, query_server):
    """Makes a random tenant, and what answers questions about it: a view and a query each."""

    def make(number):
        rng = random.Random(number)
        tenant, http, secret = new_tenant(str(number))
        drawn = RandomTenant(rng)
        raw = drawn.draw(secret)
        insert_tenant(store_client, tenant, raw, before=drawn.stale(raw.directory))
        questions = RandomQuestions(rng, drawn, raw, frozenset(), strict=False)
        key = query_server.wiring.ring.find(http.headers["Authorization"].removeprefix("Bearer "))

        def draw():
            pairs, asked = questions.draw()
            by = rng.choice(GRAINS)
            order = questions.sort(by, shown=asked.shown)
            more = [("by", by), ("sort", ",".join(order)), ("limit", "5")]
            pairs = [(name, str(value)) for name, value in [*pairs, *more]]
            teams = [value for name, value in pairs if name == "team"]
            view = look(query_server.wiring, key, teams)
            return view, report_query(pairs, view)

        return draw

    return make


def by_recommendation(rows):
    """Rows of advice, which come in no order."""
    return sorted(rows, key=lambda row: row["recommendation"])


def shown_of(page, view):
    """Its rows without what only the page asks for, its totals, and the place of the next one."""
    rows = [{name: row[name] for name in row if name != "days"} for row in page.rows]
    place = page.next_cursor and cursor.decode(page.next_cursor, view.secret)
    return rows, page.totals, place


@pytest.mark.parametrize("number", range(TENANTS))
def test_what_is_read_at_once_is_what_each_is_answered_alone(ask, number):
    """Whatever is filtered, sorted and gathered: rows, totals, snapshot, advice, options."""
    draw, rows = ask(number), 0
    for _ in range(QUESTIONS):
        view, query = draw()
        found = read_rows(view, query)
        assert shown_of(found["page"], view) == shown_of(read_page(view, query), view)
        assert found["snapshot"] == snapshot(view, query), query
        assert by_recommendation(found["advice"]) == by_recommendation(advice.read(view, query))
        assert found["options"] == options(view, replace(query, filters=Filters()))
        rows += len(found["page"].rows)
    assert rows > QUESTIONS


def test_a_page_behind_the_first_is_read_at_once_too(ask):
    """Page after page, with the totals of all; behind the last row there are only these."""
    draw = ask(0)
    view, query = next((view, query) for view, query in iter(draw, None) if more(view, query))
    seen, places = [], 0
    while query:
        page = read_rows(view, query)["page"]
        seen += page.rows
        places += 1
        query = page.next_cursor and at(query, page.next_cursor, view)
    assert places > 1
    assert len(seen) == page.totals["rows"]


def more(view, query):
    """Whether there is another page."""
    return read_rows(view, query)["page"].next_cursor is not None


def at(query, place, view):
    """The query for the page at that place."""
    return replace(query, after=cursor.decode(place, view.secret))
