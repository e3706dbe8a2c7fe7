"""`python -m tests.bench.page_time`: server time of the report's page over many users.

The tenant has names, a seat for every user, and three months of use; the page is asked for as a
browser does, signed in, with everything it shows at first.

Next: tests.support.query_process
"""

import argparse
import statistics
import tempfile
import time
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import httpx
import orjson
from clickhouse_connect.driver.client import Client

from sinks.clickhouse import connect
from sinks.keys import create_key
from sinks.migrate import migrate
from tests.support.clickhouse_process import ClickHouseProcess
from tests.support.many_rows import settle
from tests.support.query_process import QueryProcess

TENANT = "sample-many"
DAYS_EACH = 20
TEAMS, PRODUCTS = 20, 50
PUT_MAX = 10_000
PAGES = {
    "the report, as it opens": "/",
    "sorted by days used": "/?sort=-days_used",
    "by user": "/?by=user",
    "one product, unused seats": "/?product=product-7&recommendation=unassign",
    "by team": "/?by=team",
}
# Every fourth day of the last ninety, twenty in all.
_USE = """
INSERT INTO usage_daily
SELECT
    {tenant:String}, concat('user-', toString(number % {users:UInt64})),
    concat('product-', toString(number % {products:UInt64})), '2026',
    concat('team-', toString(number % {teams:UInt64})), 'subscription',
    today() - 90 + (number % 7 + 4 * intDiv(number, {users:UInt64})) % 90,
    1 + number % 9, 0,
    toDateTime64(today() - 90 + (number % 7 + 4 * intDiv(number, {users:UInt64})) % 90, 3, 'UTC'),
    toDateTime64(today() - 90 + (number % 7 + 4 * intDiv(number, {users:UInt64})) % 90, 3, 'UTC'),
    0, 1 + number, 1
FROM numbers({users:UInt64} * {days:UInt64})
WHERE number % {users:UInt64} % 10 != 9
"""


def main() -> None:
    """A line for each page: p50, p95, and what it weighs."""
    parser = argparse.ArgumentParser(prog="tests.bench.page_time", description=__doc__)
    parser.add_argument("--users", type=int, default=100_000)
    parser.add_argument("--loads", type=int, default=50)
    options = parser.parse_args()
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        clickhouse = ClickHouseProcess(directory / "clickhouse").start()
        stack.callback(clickhouse.stop)
        client = connect(clickhouse.dsn, timeout_seconds=600)
        migrate(client)
        _, key = create_key(
            client, tenant=TENANT, scopes=["admin"], teams=[], now=datetime.now(UTC)
        )
        query = QueryProcess(clickhouse.dsn, directory).start()
        stack.callback(query.stop)
        url = f"http://127.0.0.1:{query.port}"
        fill(client, url, key, options.users)
        settle(client)
        visitor = stack.enter_context(httpx.Client(base_url=url, timeout=600))
        visitor.post("/sign-in", data={"key": key})
        for name, path in PAGES.items():
            print(measured(visitor, name, path, options.loads), flush=True)


def fill(client: Client, url: str, key: str, users: int) -> None:
    """Everybody has a name and a seat; nine in ten use it."""
    rows = {"tenant": TENANT, "users": users, "days": DAYS_EACH}
    client.command(_USE, parameters={**rows, "teams": TEAMS, "products": PRODUCTS})
    teams = [
        {"team_id": f"team-{each}", "name": f"Sample {each}", "personal_data": True}
        for each in range(TEAMS)
    ]
    put(url, key, "teams", teams)
    put(url, key, "users", [_user(number) for number in range(users)])
    put(url, key, "assignments", [_seat(number) for number in range(users)])


def _user(number: int) -> dict[str, str]:
    return {
        "user_id": f"user-{number}",
        "first_name": "Sample",
        "last_name": f"Person {number}",
        "email": f"person-{number}@example.org",
    }


def _seat(number: int) -> dict[str, str | bool]:
    return {
        "user_id": f"user-{number}",
        "product_id": f"product-{number % PRODUCTS}",
        "team_id": f"team-{number % TEAMS}",
        "access": "subscription",
        "at": "2026-01-01T00:00:00.000Z",
        "assignment": "direct",
        "assigned": True,
    }


def put(url: str, key: str, entity: str, entries: list) -> None:
    """Load the directory in the largest pieces that it takes."""
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/x-ndjson"}
    for first in range(0, len(entries), PUT_MAX):
        lines = b"\n".join(map(orjson.dumps, entries[first : first + PUT_MAX]))
        answer = httpx.put(
            f"{url}/v1/directory/{entity}", content=lines, headers=headers, timeout=600
        )
        answer.raise_for_status()


def measured(visitor: httpx.Client, name: str, path: str, loads: int) -> str:
    """So many loads, one after the other, after one that fills caches."""
    visitor.get(path).raise_for_status()
    seconds = []
    for _ in range(loads):
        begun = time.monotonic()
        answer = visitor.get(path)
        answer.raise_for_status()
        seconds.append(time.monotonic() - begun)
    p50, p95 = statistics.median(seconds), statistics.quantiles(seconds, n=20)[-1]
    return (
        f"{name}: {loads} loads, p50 {p50 * 1000:.0f} ms, p95 {p95 * 1000:.0f} ms, "
        f"{len(answer.content) / 1024:.0f} KiB"
    )


if __name__ == "__main__":
    main()
