"""A small company whose rows hold everything a report can say, and names that are hard to write.

Next: tests.support.export_files
"""

import os
import random
import subprocess
import sys
from datetime import timedelta
from decimal import Decimal

import pytest

from tests.support.query_server import NOW
from tests.support.usage import event, insert_usage

# First names that a spreadsheet, a separator or a terminal could trip over.
NAMES = (
    *("=1+1", "@x", "+49 30", "-5", "\t=1", 'a "quoted" one', "comma, semicolon; tab\tend"),
    *("two\nlines", "two\r\nmore", "O'Neil", "'kept", "שלום עולם", "مرحبا", "🧑🏽‍🚀 emoji 🎉"),
    *("http://example.org", "{=1}", " space ", "0012", "1e5", "2026-03-01", "TRUE", "木村"),
)
USERS = [f"user-{number:02}" for number in range(len(NAMES))]
TEAMS = {"team-a": True, "team-b": True, "=team": False}
PRODUCTS = ["product-1", "product-2", "@product", "bundle"]


def put(http, entity, entries):
    """Put entries of the directory; all must be taken."""
    answer = http.put(f"/v1/directory/{entity}", json=entries)
    assert answer.status_code == 200, answer.text
    assert answer.json()["rejected"] == []


def fill_directory(http):
    """Teams, products, seats and prices."""
    put(
        http,
        "teams",
        [{"team_id": t, "name": f"Team {t}", "personal_data": on} for t, on in TEAMS.items()],
    )
    bundle = {
        "product_id": "bundle",
        "name": "Bundle",
        "kind": "collection",
        "members": PRODUCTS[:2],
    }
    put(http, "products", [{"product_id": "product-1", "name": "=cmd|' /C calc'!A0"}, bundle])
    price = {"annual_price": "2985", "tokens_per_day": "10", "token_price": "3", "currency": "EUR"}
    put(http, "prices", [{"product_id": "product-1", "valid_from": "2026-01-01", **price}])
    seat = {"seats": 3, "starts_on": "2026-01-01", "ends_on": "2026-12-31", "team_id": "team-a"}
    put(http, "subscriptions", [{"subscription_id": "s1", "product_id": "product-1", **seat}])
    paths = [("direct", None), ("group", "+group"), ("default", None)]
    put(
        http,
        "assignments",
        [
            {
                "user_id": user,
                "product_id": PRODUCTS[number % 4],
                "access": "subscription",
                "team_id": list(TEAMS)[number % 3],
                "at": f"2026-0{1 + number % 5}-01T08:00:00.5Z",
                "assignment": paths[number % 3][0],
                "group": paths[number % 3][1],
                "assigned": number % 5 > 0,
            }
            for number, user in enumerate(USERS)
        ],
    )


def insert_people(client, tenant):
    """Users as they could be in the store: the directory takes no control characters today."""
    names = ("tenant", "user_id", "first_name", "last_name", "email", "deleted", "version")
    # The last one stays unknown.
    people = [
        (tenant, user, name, f"Sample {name}", f"{user}@example.org", False, 1)
        for user, name in zip(USERS[:-1], NAMES, strict=False)
    ]
    client.insert("users", people, column_names=list(names))


def random_use(rng):
    """A use in the last half year."""
    tokens = Decimal(rng.randrange(1, 99_999)) / 10_000 if rng.random() < 0.4 else Decimal(0)
    moment = NOW - timedelta(minutes=rng.randrange(180 * 1440))
    return event(
        user_id=rng.choice(USERS),
        time=moment.replace(microsecond=rng.randrange(1000) * 1000),
        team_id=rng.choice(list(TEAMS)),
        product_id=rng.choice(PRODUCTS[:3]),
        access="flex" if tokens else "subscription",
        version=rng.choice(["", "2025", "=2026"]),
        tokens=tokens,
    )


@pytest.fixture
def company(store_client, new_tenant):
    """A client with a key of the tenant."""
    tenant, http, _ = new_tenant(scopes=("read", "manage"))
    fill_directory(http)
    insert_people(store_client, tenant)
    rng = random.Random(4)
    insert_usage(store_client, tenant, [random_use(rng) for _ in range(900)])
    return http


@pytest.fixture
def command(company, query_server):
    """Runs a command of `usage-report` with the company's key; its standard output."""

    def run(*arguments, status=0):
        key = company.headers["Authorization"].removeprefix("Bearer ")
        done = subprocess.run(
            [sys.executable, "-m", "deploy.cli", *arguments],
            env={**os.environ, "USAGE_QUERY_URL": query_server.url, "USAGE_KEY": key},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == status, done.stderr
        return done.stdout

    return run
