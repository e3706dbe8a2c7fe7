"""Keys on the page: one form makes one key, and what is wrong with a form is told as a page."""

import re

import pytest

from tests.support.page_session import hidden_fields

SECRET = re.compile(r'<code class="secret">(ur_[^<]+)</code>')


def form(visitor):
    """The hidden fields of the form that makes a key."""
    return hidden_fields(visitor.get("/settings/keys").text, "/settings/keys")


def key_ids(visitor):
    """Of every key of the tenant."""
    page = visitor.get("/settings/keys").text
    return re.findall(r'<tr><th scope="row"><code>(\w+)</code>', page)


def test_a_form_makes_one_key(visitor, query_server):
    """Sent again by a reload or a second click it makes no other, and does not tell the secret."""
    fields = [*form(visitor), ("scope", "read")]
    first, again = (visitor.send("/settings/keys", *fields) for _ in range(2))
    assert first.status_code == 200
    (key,) = SECRET.findall(first.text)
    assert query_server.client(key).get("/v1/options").status_code == 200
    key_id, secret = key.split("_", 2)[1:]
    assert (again.status_code, SECRET.findall(again.text)) == (409, [])
    assert f"has made its key already: <code>{key_id}</code>" in again.text
    assert secret not in again.text
    assert len(key_ids(visitor)) == 2
    assert query_server.client(key).get("/v1/options").status_code == 200


def test_another_form_makes_another_key(visitor, new_visitor):
    """Each time that the page is loaded; and a form's id says nothing in another session."""
    fields = [*form(visitor), ("scope", "read")]
    other = new_visitor()
    answers = [
        visitor.send("/settings/keys", *fields),
        visitor.send("/settings/keys", *form(visitor), ("scope", "read")),
        other.send("/settings/keys", *fields),
    ]
    assert [each.status_code for each in answers] == [200, 200, 200]
    assert len({SECRET.findall(each.text)[0] for each in answers}) == 3


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"scope": "read", "teams": "x" * 129}, "teams: String should have at most 128 characters"),
        ({"scope": "read", "teams": ",".join(map(str, range(1001)))}, "teams: List should have"),
        ({"scope": "everything"}, "scopes"),
        ({}, "A key needs a scope"),
    ],
)
def test_what_is_wrong_is_told_as_a_page(visitor, given, told):
    """And no key is made."""
    answer = visitor.send("/settings/keys", *form(visitor), **given)
    assert answer.status_code == 400
    assert answer.headers["content-type"].startswith("text/html")
    assert told in answer.text
    assert len(key_ids(visitor)) == 1


def test_a_form_without_its_id_makes_nothing(visitor):
    """It could be sent twice."""
    assert visitor.send("/settings/keys", scope="read").status_code == 400
    assert len(key_ids(visitor)) == 1
