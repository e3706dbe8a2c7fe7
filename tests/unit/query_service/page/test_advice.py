"""What advice leads to is what its number counts."""

from datetime import UTC, date, datetime

from query_service.page.advice import advice
from query_service.page.links import Address
from query_service.ranges import Range

WHEN = Range(date(2026, 3, 1), date(2026, 3, 31), datetime(2026, 4, 1, tzinfo=UTC), None)
HERE = Address.of("/?by=product&sort=-seats_free&team=a&product=p&from=2026-03-01&to=2026-03-31")
NOTHING = {"low": False, "expiring": []}


def links(found, *, over=0, balance=NOTHING, here=HERE):
    """Where the advice leads."""
    snapshot = {"seats": {"over": over}, "flex": {"balance": balance}}
    return [str(each.link) for each in advice(found, snapshot, WHEN, here)]


def test_unused_seats_are_listed_by_user_and_product():
    """By the order of that list: it has not the column that products were sorted by."""
    found = [{"recommendation": "unassign", "seats": 2, "users": 2}]
    kept = "team=a&product=p&from=2026-03-01&to=2026-03-31"
    assert links(found) == [f"/?{kept}&recommendation=unassign&access=subscription"]


def test_products_over_their_seats_are_seen_from_the_same_moment():
    """Of the same teams and products, whatever else was chosen."""
    here = HERE.having(as_of="2026-04-01", frequency="unused", by="")
    kept = "team=a&product=p&from=2026-03-01&to=2026-03-31&as_of=2026-04-01"
    assert links([], over=1, here=here) == [f"/?{kept}&by=product"]
