"""A form about seats says which, of which list; what it can't mean is refused."""

import json

import pytest

from query_service.page.links import Address
from query_service.page.seats_page import asked
from query_service.problems import Problem

HERE = Address("", "/seats")


def seat(access, **more):
    """A ticked box as the form brings it."""
    named = {"user_id": "u", "product_id": "p", "team_id": "team-1", "access": access, **more}
    return ("seat", json.dumps(named))


def form(kind, *fields, back="/?team=team-1"):
    """What is asked for."""
    return asked(HERE, [("kind", kind), ("back", back), *fields], dry_run=True)


def test_flex_is_not_moved_to_flex():
    """It stays out of the request, and is counted."""
    given = form("move-to-flex", seat("flex"), seat("subscription"))
    assert [each.access for each in given.body.items] == ["subscription"]
    assert given.is_flex == 1
    assert len(form("unassign", seat("flex"), seat("subscription")).body.items) == 2
    with pytest.raises(Problem, match="flex already"):
        form("move-to-flex", seat("flex"))


def test_all_that_match_are_those_of_a_list_of_ours():
    """A list that can't be told is not the list of everything."""
    given = form("unassign", ("all", "1"), ("users", "3"), back="/?team=team-1&frequency=unused")
    assert given.body.filter == {"team": ["team-1"], "frequency": ["unused"]}
    with pytest.raises(Problem, match="which list"):
        form("unassign", ("all", "1"), ("users", "3"), back="https://elsewhere.invalid/?team=a")


def test_the_view_is_that_of_the_list():
    """Never narrower than the list, and never without the seats' own teams."""
    assert form("unassign", seat("flex"), back="/").scope == ()
    assert form("unassign", seat("flex"), back="/?team=team-2").scope == ("team-1", "team-2")
