"""The snapshot's own arithmetic.

Next: query_service.snapshot
"""

from decimal import Decimal
from fractions import Fraction

from query_service.snapshot import monthly_average


def test_averages_have_two_decimals():
    """A half goes up, whatever binary fractions would say."""
    assert monthly_average(Decimal("0.015"), Fraction(1)) == "0.02"
    assert monthly_average(Decimal("2.675"), Fraction(1)) == "2.68"
    assert monthly_average(Decimal(20), Fraction(3)) == "6.67"
    assert monthly_average(Decimal(0), Fraction(3)) == "0.00"
    assert monthly_average(Decimal(10**18), Fraction(3)) == "333333333333333333.33"
