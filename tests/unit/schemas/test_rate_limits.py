"""What a tenant may ask each second: a bucket that fills again, and nobody else's."""

import pytest

from schemas.rate_limits import RateLimited, RateLimits
from schemas.rejects import Reason


def taken(limits, tenant, now, most=1000):
    """How many requests of one are let in at one moment."""
    for number in range(most):
        try:
            limits.take(tenant, 1, now)
        except RateLimited:
            return number
    return most


def test_a_second_of_requests_is_let_in():
    """As many as the rate at once, and then as many as time has brought."""
    limits = RateLimits("requests", 10)
    assert taken(limits, "sample", 0.0) == 10
    assert taken(limits, "sample", 0.5) == 5
    assert taken(limits, "sample", 1000.0) == 10


def test_who_asks_too_much_waits_alone():
    """A tenant over its rate takes nothing from another, however often it tries."""
    limits = RateLimits("requests", 10)
    for moment in range(100):
        taken(limits, "greedy", moment / 1000)
    assert taken(limits, "modest", 0.1) == 10


def test_it_is_told_when_to_come_back():
    """Whole seconds, long enough for the next one to be let in."""
    limits = RateLimits("events", 10)
    limits.take("sample", 45, 0.0)
    with pytest.raises(RateLimited) as refused:
        limits.take("sample", 1, 0.0)
    assert refused.value.reason is Reason.RATE_LIMITED
    assert refused.value.retry_after_seconds == 4
    assert taken(limits, "sample", 4.0) > 0
