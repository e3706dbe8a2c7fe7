"""Every number over HTTP against the real engine, compared with the definitions in plain Python.

USAGE_ORACLE_QUESTIONS and USAGE_ORACLE_SEED ask more, and others.
"""

import os
import random
import traceback

import httpx

from tests.support.plain_tenant import Tenant
from tests.support.random_reports import RandomQuestions
from tests.support.random_tenant import TEAMS, RandomTenant
from tests.support.surfaces import Surfaces
from tests.support.tenant_rows import insert_changes, insert_directory
from tests.support.usage import insert_usage

QUESTIONS = int(os.environ.get("USAGE_ORACLE_QUESTIONS", "300"))
SEED = int(os.environ.get("USAGE_ORACLE_SEED", "2026"))
PER_TENANT = 30


def asked_about(rng, store_client, new_tenant, name):
    """A random tenant in the store: its surfaces, and questions about it."""
    readable = frozenset(rng.choice([(), (), TEAMS[:1], TEAMS[:3]]))
    tenant, http, secret = new_tenant(name, teams=sorted(readable))
    drawn = RandomTenant(rng)
    raw: Tenant = drawn.draw(secret)
    insert_directory(store_client, tenant, drawn.stale(raw.directory))
    insert_directory(store_client, tenant, raw.directory)
    insert_changes(store_client, tenant, raw.changes)
    insert_usage(store_client, tenant, raw.events)
    return Surfaces(rng, http, raw), RandomQuestions(rng, drawn, raw, readable)


def test_every_surface_equals_a_plain_computation(store_client, new_tenant, record_property):
    """Whatever is asked of whatever tenant: rows, order, totals, files, sums are the plain ones."""
    rows, wrong = 0, []
    for number in range(QUESTIONS):
        if number % PER_TENANT == 0:
            rng = random.Random(SEED + number)
            surfaces, questions = asked_about(rng, store_client, new_tenant, str(number))
        pairs, asked = questions.draw()
        try:
            rows += surfaces.report(pairs, asked, questions.sort)
            for surface in (surfaces.daily, surfaces.snapshot, surfaces.tokens)[number % 4 :][:1]:
                surface(pairs, asked)
        except (AssertionError, httpx.HTTPError):
            wrong.append(f"question {number}: {pairs}\n{traceback.format_exc(limit=-2)}")
    record_property("questions", QUESTIONS)
    record_property("rows", rows)
    print(f"{QUESTIONS} questions, {rows} rows, {len(wrong)} wrong")
    assert not wrong, "\n".join([f"{len(wrong)} wrong", *wrong[:3]])
    assert rows > QUESTIONS
