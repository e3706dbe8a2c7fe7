"""Paging through a long report while events arrive, against the real engine."""

import itertools
import threading
from datetime import date, timedelta

from tests.support.directory_rows import insert_entry

ROWS = 50_000
# Users by number, each with a row in the directory, many with the same name as others.
_USERS = """
INSERT INTO users (tenant, user_id, first_name, last_name, deleted, version)
SELECT
    {tenant:String},
    concat({prefix:String}, toString(number)),
    concat('First ', toString(number % 7)),
    if(number % 11 = 0, NULL, concat('Last ', toString(cityHash64(number) % 5000))),
    false,
    1
FROM numbers({first:UInt32}, {count:UInt32})
"""
_USE = """
INSERT INTO usage_daily
SELECT
    {tenant:String}, concat({prefix:String}, toString(number)), 'product-1', '2026', 'team-1',
    'subscription', {day:Date}, 1, 0, toDateTime64({day:Date}, 3, 'UTC') + 60,
    toDateTime64({day:Date}, 3, 'UTC') + 60, 0, {position:UInt64}, 1
FROM numbers({first:UInt32}, {count:UInt32})
"""


def paged(http, *, meanwhile):
    """Every row, page by page, sorted by user; while each page is made, something happens."""
    rows, place = [], {}
    while True:
        question = {"sort": "user", "columns": "user_id", "limit": 1000}
        happening = threading.Thread(target=meanwhile)
        happening.start()
        answer = http.get("/v1/report", params=question | place)
        happening.join()
        assert answer.status_code == 200, answer.text
        body = answer.json()
        rows += body["rows"]
        if body["next_cursor"] is None:
            return rows
        place = {"cursor": body["next_cursor"]}


def test_every_row_that_was_there_is_seen_once(store_client, new_tenant):
    """50,000 rows by last name, first name, while users and days arrive: each exactly once."""
    tenant, http, _ = new_tenant()
    rounds = itertools.count(1)

    def insert(statement, prefix, first, count, day):
        values = {"tenant": tenant, "prefix": prefix, "first": first, "count": count, "day": day}
        store_client.command(statement, parameters={**values, "position": (1 << 48) + next(rounds)})

    def arrive():
        """New users, and a new day of many that were there before."""
        number = next(rounds)
        day = date(2026, 5, 1) + timedelta(days=number % 20)
        insert(_USERS, "new-", number * 40, 40, day)
        insert(_USE, "new-", number * 40, 40, day)
        insert(_USE, "user-", number * 997 % ROWS, 500, day)

    insert_entry(store_client, tenant, "teams")
    insert(_USERS, "user-", 0, ROWS, date(2026, 4, 1))
    insert(_USE, "user-", 0, ROWS, date(2026, 4, 1))
    seen = [row["user_id"] for row in paged(http, meanwhile=arrive)]
    assert len(seen) == len(set(seen))
    assert {f"user-{number}" for number in range(ROWS)} <= set(seen)
    # Some of those that came in the meantime sort behind the page, and are there too.
    assert len(seen) > ROWS
