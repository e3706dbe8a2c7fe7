"""Every number over HTTP against the real engine, compared with the definitions in plain Python.

USAGE_ORACLE_QUESTIONS and USAGE_ORACLE_SEED ask more, and others.
"""

import os
import random
import traceback
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext

import httpx
import pytest

from tests.support.query_server import NOW, QueryServer
from tests.support.random_reports import RandomQuestions
from tests.support.random_tenant import TEAMS, RandomTenant
from tests.support.settling import unmerged
from tests.support.surfaces import Surfaces
from tests.support.tenant_rows import insert_tenant

QUESTIONS = int(os.environ.get("USAGE_ORACLE_QUESTIONS", "100"))
SEED = int(os.environ.get("USAGE_ORACLE_SEED", "2026"))
PER_TENANT = 25
# Months of which every random tenant has events.
OVER = {202512, 202601, 202602, 202603, 202604}


class Examination:
    """A random tenant, what it is asked, and the answers that were wrong.

    `strict`: another server to ask, with the privacy scope `tenant`.
    """

    def __init__(self, number, store_client, new_tenant, *, strict=None):
        self._rng = rng = random.Random(SEED + number)
        readable = frozenset(rng.choice([(), (), TEAMS[:1], TEAMS[:3]]))
        tenant, http, secret = new_tenant(str(number), teams=sorted(readable))
        drawn = RandomTenant(rng)
        raw = drawn.draw(secret)
        insert_tenant(store_client, tenant, raw, before=drawn.stale(raw.directory))
        if strict:
            http = strict.client(http.headers["Authorization"].removeprefix("Bearer "))
        self._surfaces = Surfaces(rng, http, raw)
        self._questions = RandomQuestions(rng, drawn, raw, readable, strict=bool(strict))
        self._seed = SEED + number
        self.rows, self.wrong = 0, []

    def take(self, questions):
        """Ask so many."""
        for number in range(questions):
            pairs, asked = self._questions.draw()
            try:
                self._ask(number, pairs, asked)
            except (AssertionError, httpx.HTTPError):
                trace = traceback.format_exc(limit=-2)
                self.wrong.append(f"seed {self._seed}, question {number}: {pairs}\n{trace}")
        return self

    def _ask(self, number, pairs, asked):
        surfaces = self._surfaces
        self.rows += surfaces.report(pairs, asked, self._questions.sort)
        more = {0: surfaces.daily, 3: surfaces.snapshot, 5: surfaces.tokens, 7: surfaces.refusal}
        if number % 8 in more:
            more[number % 8](pairs, asked)


@pytest.mark.timeout(60 + QUESTIONS * 3)
@pytest.mark.parametrize("read", ["days", "months"])
def test_every_surface_equals_a_plain_computation(
    store_client, new_tenant, months, record_property, read
):
    """Whatever is asked of whatever tenant: rows, order, totals, files and sums are plain ones.

    Whether reports read every day, or the months that are settled.
    """
    tenants = range(0, QUESTIONS, PER_TENANT)
    examinations = [Examination(number, store_client, new_tenant) for number in tenants]
    with unmerged(store_client) if read == "months" else nullcontext():
        settled = months.settle() if read == "months" else set()
        with ThreadPoolExecutor(3) as threads:
            list(threads.map(lambda each: each.take(PER_TENANT), examinations))
        assert read == "days" or months.settle() == settled >= OVER
    questions, rows = len(examinations) * PER_TENANT, sum(each.rows for each in examinations)
    wrong = [text for each in examinations for text in each.wrong]
    record_property("questions", questions)
    print(f"{questions} questions to {len(examinations)} tenants, {rows} rows, {len(wrong)} wrong")
    assert not wrong, "\n".join([f"{len(wrong)} wrong", *wrong[:3]])
    assert rows > 3 * questions


def test_one_team_hides_every_view_of_the_tenant(
    store_client, query_server, new_tenant, tmp_path, monkeypatch
):
    """With the privacy scope `tenant` all answers are the plain ones, hidden by any team."""
    monkeypatch.setenv("USAGE_PRIVACY_SCOPE", "tenant")
    strict = QueryServer(query_server.settings.clickhouse_dsn, tmp_path, now=NOW).start()
    try:
        for number in range(3):
            examination = Examination(number, store_client, new_tenant, strict=strict)
            assert not examination.take(4).wrong, examination.wrong[0]
    finally:
        strict.stop()
