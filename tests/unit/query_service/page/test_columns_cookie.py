"""The columns that a browser remembers: whatever its cookie holds, and whatever a form says."""

import pytest

from query_service.page.links import Address
from query_service.page.report_page import DEFAULT, _columns, remember
from query_service.problems import Problem

HERE = Address("", "/")


def test_columns_are_remembered_by_grain():
    """In the report's order; one grain's say nothing of another's, and none is the default."""
    cookie = remember("", "user", ("launches", "user", "nonsense"))
    cookie = remember(cookie, "team", ("users",))
    assert cookie == "user:user.launches|team:users"
    assert _columns("user", HERE, cookie) == ("user", "launches")
    assert _columns("product", HERE, cookie) == DEFAULT["product"]
    assert remember(cookie, "user", ()) == "team:users"
    assert _columns("user", HERE.having(columns="days_used.user"), cookie) == ("days_used", "user")


@pytest.mark.parametrize(
    "cookie", ["", "|", "user", "user:", ":", "user:x.y|z:user", "é:|||user:;"]
)
def test_a_cookie_of_anything_is_as_none(cookie):
    """Nor is it kept."""
    assert _columns("user", HERE, cookie) == DEFAULT["user"]
    assert remember(cookie, "team", ("users",)) == "team:users"


@pytest.mark.parametrize("grain", ["", "nonsense", "user_product "])
def test_a_grain_that_is_none_is_refused(grain):
    """As a wrong form, not as a mistake of ours."""
    with pytest.raises(Problem) as wrong:
        remember("user:user", grain, ("user",))
    assert (wrong.value.status, wrong.value.errors[0].parameter) == (400, "by")
