"""The examples of the definitions, by their numbers, over HTTP against the real engine.

2 and 9 begin at the gateway: tests/e2e/test_definitions_sent.py.
"""

import random
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from tests.support import export_files
from tests.support.directory_rows import insert_entry
from tests.support.random_tenant import RandomTenant
from tests.support.tenant_rows import insert_tenant
from tests.support.usage import event, insert_usage


class Place:
    """A tenant of the test: what puts entries into its directory and usage, and its client."""

    def __init__(self, store_client, tenant, http):
        self._client, self._tenant, self.http = store_client, tenant, http

    def directory(self, table, **entry):
        """An entry."""
        insert_entry(self._client, self._tenant, table, **entry)

    def seat(self, when, **changed):
        """A change of a seat."""
        at = datetime.fromisoformat(when).replace(tzinfo=UTC)
        self.directory("seat_changes", at=at, **changed)

    def used(self, *events):
        """Events, and what they fold to."""
        insert_usage(self._client, self._tenant, events)

    def get(self, path):
        """An answer."""
        answer = self.http.get(f"/v1/{path}")
        assert answer.status_code == 200, answer.text
        return answer.json()

    def rows(self, question=""):
        """The rows of a report."""
        return self.get(f"report?{question}")["rows"]

    def row(self, question=""):
        """The only row."""
        (row,) = self.rows(question)
        return row


@pytest.fixture
def place(store_client, new_tenant):
    """A tenant of the test."""
    tenant, http, _ = new_tenant(scopes=("read", "manage"))
    return Place(store_client, tenant, http)


def days(count, first=date(2026, 1, 10)):
    """So many days in a row."""
    return [str(first + timedelta(days=number)) for number in range(count)]


def test_example_01(place):
    """Three launches about midnight are two days used."""
    clocks = [("2026-03-01", "00:00:00"), ("2026-03-01", "23:59:59"), ("2026-03-02", "00:00:00")]
    place.used(*(event(day, clock) for day, clock in clocks))
    row = place.row("from=2026-03-01&to=2026-03-31")
    assert (row["days_used"], row["launches"]) == (2, 3)


def test_example_03(place):
    """A preset begins on the same day months earlier, clamped to that month's end."""
    cases = {
        "as_of=2026-05-31&preset=3m": "2026-02-28",
        "as_of=2026-03-15&preset=3m": "2025-12-15",
        "as_of=2026-03-15&preset=30d": "2026-02-14",
    }
    for question, start in cases.items():
        assert place.get(f"report?{question}")["range"]["from"] == start


def test_example_04(place):
    """20 days over 3 months are 6.7 a month, over 45 days 13.5."""
    place.used(*map(event, days(20)))
    row = place.row("as_of=2026-03-31&preset=3m")
    assert (row["days_used"], row["monthly_average"]) == (20, "6.7")
    answer = place.get("report?from=2026-01-01&to=2026-02-14")
    assert answer["rows"][0]["monthly_average"] == "13.5"
    assert answer["range"]["months"] == "1.478"


def test_example_05(place):
    """Prices that break even at 8.29 days: 8.28 a month is occasional, 8.30 frequent."""
    place.directory("prices", annual_price=Decimal(2985), tokens_per_day=10, token_price=3)
    place.used(*map(event, days(31, date(2026, 1, 31))))
    # 31 days in 114 are 8.277 a month, 30 of them in 110 are 8.301: both are shown as 8.3.
    cases = {
        "from=2025-11-09&to=2026-03-02": "occasional",
        "from=2025-11-12&to=2026-03-01": "frequent",
    }
    for question, frequency in cases.items():
        row = place.row(question)
        assert (row["monthly_average"], row["frequency"]) == ("8.3", frequency)


@pytest.mark.parametrize(
    ("owner", "used"),
    [(None, {"A": "70", "B": "50", "C": "0"}), ("team-1", {"A": "0", "B": "0", "C": "120"})],
)
def test_example_06(place, owner, used):
    """The pack that ends first burns first, of two the smaller one; but a team's own before all."""
    june, december = date(2026, 6, 30), date(2026, 12, 31)
    place.directory("token_packs", pack_id="A", tokens=100, ends_on=june)
    place.directory("token_packs", pack_id="B", tokens=50, ends_on=june)
    place.directory("token_packs", pack_id="C", tokens=500, ends_on=december, team_id=owner)
    place.used(event("2026-05-04", tokens=Decimal(120), access="flex"))
    packs = place.get("tokens")["packs"]
    assert {pack["pack_id"]: pack["used"] for pack in packs} == used


def test_example_07(place):
    """One of two teams hides its names: seen with it none is shown, without it all are."""
    place.directory("teams")
    place.directory("teams", team_id="team-2", personal_data=False)
    place.directory("users")
    place.used(event(), event(team_id="team-2"))
    alone = place.get("report?team=team-1")
    assert (alone["personal_data"], alone["hidden_by"]) == ("shown", [])
    (row,) = alone["rows"]
    assert (row["user_id"], row["last_name"], row["hashed_user_id"]) == ("user-1", "Sample", None)
    for question in ("", "team=team-1&team=team-2"):
        both = place.get(f"report?{question}")
        assert (both["personal_data"], both["hidden_by"]) == ("hashed", ["team-2"])
        for row in both["rows"]:
            assert (row["user_id"], row["last_name"], row["email"]) == (None, None, None)
            assert len(row["hashed_user_id"]) == 40
    refused = place.http.get("/v1/report?sort=last_name")
    assert (refused.status_code, refused.json()["reason"]) == (400, "personal_data_hidden")


def test_example_08(place):
    """A direct seat that nobody used is to be unassigned; one by group or of 10 days ago not."""
    place.seat("2026-01-01", user_id="direct")
    place.seat("2026-01-01", user_id="grouped", assignment="group", group="design")
    place.seat("2026-05-21", user_id="new")
    place.directory("teams")
    rows = {row["user_id"]: row for row in place.rows()}
    for row in rows.values():
        assert (row["seat"], row["activity"], row["days_used"]) == ("assigned", "inactive", 0)
    found = {user: row["recommendation"] for user, row in rows.items()}
    assert found == {"direct": "unassign", "grouped": None, "new": None}


def test_example_10(place, store_client, new_tenant):
    """Tokens add up to the same over the report, the snapshot, every export and the series."""
    tenant, http, secret = new_tenant("random")
    drawn = RandomTenant(random.Random(10))
    raw = drawn.draw(secret)
    insert_tenant(store_client, tenant, raw, before=drawn.stale(raw.directory))
    for question in (
        "preset=9m",
        "product=zeta&product=suite",
        "access=flex&from=2026-01-01&to=2026-05-30",
    ):
        report = http.get(f"/v1/report?limit=1000&{question}").json()
        total = Decimal(report["totals"]["tokens_used"])
        assert total > 0
        assert tokens_of(report["rows"]) == total
        snapshot = http.get(f"/v1/snapshot?{question}").json()
        assert Decimal(snapshot["flex"]["tokens_used"]) == total
        for kind in ("csv", "xlsx", "json", "ndjson", "parquet"):
            content = http.get(f"/v1/report.{kind}?{question}").content
            assert tokens_of(getattr(export_files, f"of_{kind}")(content)) == total
        for grouping in ("interval=day", "interval=month&group_by=team,product,access"):
            series = http.get(f"/v1/daily?{question}&{grouping}").json()["series"]
            assert tokens_of(series) == total


def tokens_of(rows):
    """The sum over rows, whatever they are."""
    return sum((Decimal(str(row["tokens_used"])) for row in rows), Decimal(0))


def test_example_11(place):
    """A collection has the days of its members' use, and they have its seat; launches stay."""
    place.directory("products", product_id="suite", kind="collection", members=["one", "two"])
    place.seat("2026-01-01", product_id="suite")
    place.used(
        *(event(day, product_id="one") for day in days(4, date(2026, 4, 1))),
        *(event(day, product_id="two") for day in days(2, date(2026, 4, 2))),
    )
    rows = {row["product_id"]: row for row in place.rows()}
    assert {name: row["days_used"] for name, row in rows.items()} == {
        "suite": 4,
        "one": 4,
        "two": 2,
    }
    assert {name: row["launches"] for name, row in rows.items()} == {"suite": 0, "one": 4, "two": 2}
    assert (rows["suite"]["via"], rows["suite"]["activity"]) == (None, "active")
    assert (rows["suite"]["version"], rows["one"]["version"]) == (None, "2026")
    for member in ("one", "two"):
        row = rows[member]
        assert (row["via"], row["seat"], row["assignment"]) == ("suite", "assigned", "direct")
        assert row["assigned_at"] == rows["suite"]["assigned_at"] == "2026-01-01T00:00:00.000Z"
        assert row["recommendation"] is None
    user = place.row("by=user")
    assert (user["days_used"], user["launches"]) == (4, 6)


def test_example_12(place):
    """Flex without a token is inactive; unassigned, it stays until R no longer holds it."""
    place.seat("2026-03-01", access="flex")
    row = place.row()
    assert (row["access"], row["seat"], row["activity"]) == ("flex", "assigned", "inactive")
    place.seat("2026-04-10T12:00", access="flex", assigned=False)
    row = place.row("from=2026-04-10&to=2026-05-31")
    assert (row["seat"], row["activity"]) == ("unassigned", "inactive")
    # From the next day on nothing is left to have an activity; with use it is active again.
    assert place.rows("from=2026-04-11&to=2026-05-31") == []
    place.used(event("2026-04-20", access="flex"))
    row = place.row("from=2026-04-11&to=2026-05-31")
    assert (row["seat"], row["activity"]) == ("unassigned", "active")


def test_example_13(place):
    """Who has a seat directly and by group keeps it by the group when it is unassigned."""
    place.directory("teams")
    place.seat("2026-01-01")
    place.seat("2026-02-01", assignment="group", group="design")
    seat = {"user_id": "user-1", "product_id": "product-1", "team_id": "team-1"}
    body = {"items": [{**seat, "access": "subscription"}], "request_id": "example-13"}
    answer = place.http.post("/v1/unassign", json=body)
    assert answer.status_code == 200, answer.text
    (item,) = answer.json()["items"]
    assert item["verdict"] == "still_assigned"
    row = place.row()
    assert (row["seat"], row["assignment"], row["group"]) == ("assigned", "group", "design")
