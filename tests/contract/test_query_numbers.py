"""Reports over HTTP against the real engine, compared with the same numbers in plain Python."""

import random
from decimal import Decimal
from urllib.parse import urlencode

from query_service.columns import COLUMNS, GRAINS
from tests.support.plain_report import ordered, plain_report, totals, written
from tests.support.random_reports import random_event, random_query, random_sort
from tests.support.usage import insert_usage

COMBINATIONS = 100


def pages(http, pairs, limit):
    """All rows of a report, page by page, and every page's totals."""
    rows, seen, cursor = [], [], None
    while True:
        more = [("limit", limit), *([("cursor", cursor)] if cursor else [])]
        answer = http.get(f"/v1/report?{urlencode([*pairs, *more])}")
        assert answer.status_code == 200, answer.text
        body = answer.json()
        rows += body["rows"]
        seen.append(body["totals"])
        cursor = body["next_cursor"]
        if cursor is None:
            return rows, seen
        assert len(body["rows"]) == limit


def shown(row, by):
    """A plain row as the answer has it: every column, null where the grain has none."""
    names = [name for name in COLUMNS if name in GRAINS[by].columns and name != "user_id"]
    return {name: written(row.get(name)) if name in names else None for name in COLUMNS}


def test_reports_equal_a_plain_computation(store_client, new_tenant):
    """Whatever the grain, filters, range, order and page size: the rows of the plain report."""
    rng = random.Random(2026)
    tenant, http, secret = new_tenant()
    events = [random_event(rng) for _ in range(2500)]
    insert_usage(store_client, tenant, events)
    compared = 0
    for _ in range(COMBINATIONS):
        pairs, asked = random_query(rng, secret)
        by = rng.choice(list(GRAINS))
        sort = random_sort(rng, by)
        expected = ordered(plain_report(events, asked, secret, by), sort, by)
        query = [*pairs, ("by", by), ("sort", ",".join(sort))]
        rows, seen = pages(http, query, rng.choice([19, 1000, 1000]))
        assert rows == [shown(row, by) for row in expected], query
        assert all(each == totals(expected) for each in seen), query
        compared += len(rows)
    assert compared > 2000


def test_a_series_adds_up_to_the_report(store_client, new_tenant):
    """Sum of launches and tokens over the series, whatever its interval, equals the totals."""
    rng = random.Random(7)
    tenant, http, secret = new_tenant()
    insert_usage(store_client, tenant, [random_event(rng) for _ in range(1500)])
    for _ in range(30):
        pairs, _ = random_query(rng, secret)
        sums = http.get(f"/v1/report?{urlencode(pairs)}").json()["totals"]
        interval = rng.choice(["day", "week", "month"])
        group_by = rng.choice(["", "team", "product,access", "team,product,access"])
        grouped = [("group_by", group_by)] if group_by else []
        answer = http.get(f"/v1/daily?{urlencode([*pairs, ('interval', interval), *grouped])}")
        series = answer.json()["series"]
        assert sum(entry["launches"] for entry in series) == sums["launches"]
        tokens = sum((Decimal(entry["tokens_used"]) for entry in series), Decimal(0))
        assert tokens == Decimal(sums["tokens_used"])
