"""The sentences behind recommendations.

Next: query_service.arithmetic
"""

from datetime import UTC, date, datetime
from decimal import Decimal
from fractions import Fraction

from query_service.arithmetic import Price, arithmetic
from query_service.ranges import Range

NOW = datetime(2026, 5, 31, 15, tzinfo=UTC)
QUARTER = Range(date(2026, 2, 28), date(2026, 5, 31), NOW, "3m")
SEVEN = Fraction(7)


def price(**changed):
    """The prices of the definitions' example 5, valid by default."""
    fields = {
        "product_id": "product-1",
        "valid_from": date(2026, 1, 1),
        "annual_price": Decimal("2985.0000"),
        "tokens_per_day": Decimal("10.0000"),
        "token_price": Decimal("3.0000"),
        "currency": "EUR",
    }
    return Price(**(fields | changed))


def row(**changed):
    """A seat that is used on 20 days, held since January."""
    fields = {
        "recommendation": "switch_to_flex",
        "days_used": 20,
        "assigned_at": datetime(2026, 1, 1),  # noqa: DTZ001 - as the store gives it
    }
    return fields | changed


def test_example_5():
    """Definitions, example 5: B is 8.29."""
    assert price().days_per_month == Fraction(2985, 360)
    told = arithmetic(row(), price(), QUARTER, SEVEN)
    assert "20 days in 3 months are 6.67 a month" in told
    assert "= 8.29 days a month (prices in EUR, valid from 2026-01-01)" in told
    assert told.endswith("assigned directly since 2026-01-01, 150 days ago (at least 30).")


def test_without_prices_that_count():
    """No prices, or tokens that cost nothing: the setting stands for B."""
    for known in (None, price(token_price=Decimal(0))):
        told = arithmetic(row(), known, QUARTER, Fraction("7.5"))
        assert "without prices B is the setting, 7.50 days a month" in told
        assert "6.67 is less than 7.50" in told


def test_numbers_that_look_the_same_get_more_decimals():
    """What is compared is not rounded, so what is told must not contradict it."""
    close = price(annual_price=Decimal("2400.3"))
    assert "6.667 is less than 6.668" in arithmetic(row(), close, QUARTER, SEVEN)
    equal = price(annual_price=Decimal(2400))
    flex = row(recommendation="switch_to_subscription", assigned_at=None)
    assert "6.67 is not less than 6.67" in arithmetic(flex, equal, QUARTER, SEVEN)


def test_a_range_of_its_own():
    """Months that are no whole number, and a single day."""
    own = Range(date(2026, 1, 1), date(2026, 2, 14), NOW, None)
    told = arithmetic(row(days_used=1), price(), own, SEVEN)
    assert told.startswith("1 day in 1.478 months is 0.68 a month; ")
    month = Range(date(2026, 5, 2), date(2026, 5, 31), NOW, "30d")
    assert arithmetic(row(days_used=2), price(), month, SEVEN).startswith(
        "2 days in 1 month are 2.00"
    )


def test_unused():
    """What was not used needs no threshold, only the range and how long it was held."""
    assert arithmetic(row(recommendation="unassign", days_used=0), price(), QUARTER, SEVEN) == (
        "0 days used from 2026-02-28 to 2026-05-31; "
        "assigned directly since 2026-01-01, 150 days ago (at least 30)."
    )
