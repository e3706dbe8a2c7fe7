"""Addresses of the page: a link changes a part of the state, and leads nowhere else."""

import pytest

from query_service.page.links import Address

HERE = Address("", "/", (("team", "a"), ("team", "b"), ("sort", "user"), ("cursor", "x")))


def test_a_link_changes_a_part():
    """Whatever changes, it is the first page of rows again."""
    assert str(HERE.having(sort="-days_used")) == "/?team=a&team=b&sort=-days_used"
    assert str(HERE.having(team=["c"], from_="2026-03-01")) == "/?sort=user&team=c&from=2026-03-01"
    assert str(HERE.lacking("team", "a")) == "/?team=b&sort=user"
    assert str(HERE.lacking("team")) == "/?sort=user"
    assert str(HERE.only(("team",))) == "/?team=a&team=b"


def test_what_users_wrote_is_quoted():
    """An id may hold anything."""
    place = Address("/usage", "/users/a b?c#d/é").having(selected="x&y=z")
    assert str(place) == "/usage/users/a%20b%3Fc%23d/%C3%A9?selected=x%26y%3Dz"
    assert Address.of(str(place), "/usage") == place


def test_a_link_to_where_one_is_stays_here():
    """Two slashes would name another host."""
    assert str(Address("", "//elsewhere.invalid/x")) == "/elsewhere.invalid/x"


@pytest.mark.parametrize(
    "wanted",
    ["/usage/?team=a", "/usage/users/x", "/usage/", "/usage/users/..x", "/usage/?q=/../x#a/../b"],
)
def test_a_way_back_is_one_of_ours(wanted):
    """Below the path that the page is served under."""
    assert Address("/usage", "/").inside(wanted) == wanted


@pytest.mark.parametrize(
    "wanted",
    [
        *("", "https://elsewhere.invalid/", "//elsewhere.invalid", "/other/"),
        *("/usage/\\x", "/usage/\n", "/usage/../other", "/usage/..", "/usage/./../other?a=b"),
        *("/usage/%2e%2E/other", "/usage/.%2e/other", "/usage/x/../../other#y", "/usage/%2E"),
        *("/usage/..;/%2e%2e/other", "/usage/[/../other"),
    ],
)
def test_no_way_leads_elsewhere(wanted):
    """Whoever wrote it into the address or the form."""
    assert Address("/usage", "/").inside(wanted) == "/usage/"
    assert Address("", "/").inside("//elsewhere.invalid/") == "/"
