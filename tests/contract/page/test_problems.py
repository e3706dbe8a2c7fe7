"""Pages of what is wrong: with the way on, the way back, and the pages of who is signed in."""

import re
from html import unescape
from urllib.parse import quote

import pytest

from tests.support.directory_rows import insert_entry

HTML = {"Accept": "text/html"}


def ways(answer):
    """Where a page leads."""
    return [
        unescape(each) for each in re.findall(r'<a (?:class="\w+" )?href="([^"]+)"', answer.text)
    ]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/users/nobody", 404),
        ("/?access=steam", 400),
        ("/settings/nothing", 404),
        ("/seats/done?request=nothing", 404),
        ("/nothing", 404),
    ],
)
def test_who_is_signed_in_has_the_pages_at_hand(visitor, path, status):
    """Also where no page is at all; and can sign out."""
    answer = visitor.http.get(path, headers=HTML)
    assert answer.status_code == status
    assert {"/", "/tokens", "/settings"} <= set(ways(answer))
    assert visitor.csrf in answer.text


def test_who_may_not_has_the_pages_that_he_may_see(new_visitor):
    """A key that reads has no settings."""
    reader = new_visitor(scopes=["read"])
    answer = reader.get("/settings")
    assert answer.status_code == 403
    assert "/tokens" in ways(answer)
    assert "/settings" not in ways(answer)


def test_who_is_nobody_has_none(visitor):
    """A cookie of nonsense, none, or a page for programs."""
    for cookie in ("0a1b.nonsense", ""):
        visitor.http.cookies.clear()
        visitor.http.cookies.set("usage_session", cookie)
        answer = visitor.http.get("/nothing", headers=HTML)
        assert (answer.status_code, "/tokens" in ways(answer)) == (404, False)
    assert visitor.http.get("/nothing").json()["reason"] == "not_found"


def test_what_is_refused_can_be_left_out(visitor, store_client):
    """A team that hides names makes a search impossible: all other filters stay."""
    insert_entry(store_client, visitor.tenant, "teams", personal_data=False)
    answer = visitor.get("/?team=team-1&q=ada&access=flex&sort=-days_used")
    assert answer.status_code == 400
    kept = "/?team=team-1&access=flex&sort=-days_used"
    assert kept in ways(answer)
    assert visitor.get(kept).status_code == 200
    several = visitor.get("/?nonsense=1&access=steam&access=flex&team=team-1")
    assert "/?team=team-1" in ways(several)


def test_what_can_not_be_left_out_is_not_offered(visitor):
    """What is missing, and what a form sent."""
    answer = visitor.get("/?from=2026-01-01")
    assert answer.status_code == 400
    assert ">Leave " not in answer.text
    assert ">Leave " not in visitor.send("/columns", by="nonsense").text


@pytest.mark.parametrize(
    ("path", "fields", "wanted"),
    [
        ("/seats", {"kind": "unassign", "back": "/?team=a&sort=user"}, "/?team=a&sort=user"),
        ("/columns", {"back": "/?by=user"}, "/?by=user"),
        ("/settings/teams", {"team_id": "x", "back": "/settings/teams"}, "/settings/teams"),
        ("/seats", {"back": "//elsewhere.invalid/"}, "/"),
        ("/seats", {}, "/"),
    ],
)
def test_who_signs_in_again_comes_back_to_the_form(visitor, path, fields, wanted):
    """A session ends while a form is filled in: what is on it would be lost at another place."""
    visitor.http.cookies.clear()
    answer = visitor.send(path, **fields)
    assert answer.status_code == 303
    assert answer.headers["location"] == f"/sign-in?next={quote(wanted, safe='')}"


def test_a_form_that_fails_leads_back(visitor):
    """To where it was sent from, if that is a page of ours."""
    answer = visitor.send("/seats", kind="unassign", back="/?team=a&sort=user")
    assert (answer.status_code, "No seat is ticked" in answer.text) == (400, True)
    assert "/?team=a&sort=user" in ways(answer)
    answer = visitor.get("/users/nobody?back=/?team=b")
    assert "/?team=b" in ways(answer)


def test_a_table_that_is_none_is_a_page(visitor):
    """Not a mistake of ours."""
    answer = visitor.send("/columns", by="nonsense", column="user", back="/")
    assert (answer.status_code, "not a table" in answer.text) == (400, True)
