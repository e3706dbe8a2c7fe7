"""Whether a text names a user: nobody else's letters go, and no spelling is missed."""

import json

import pytest

from sinks.named import Named

ZOE = Named("acme", "zoé@sample.example")


@pytest.mark.parametrize(
    "text",
    [
        "zoé@sample.example",
        "user zoé@sample.example.",
        '"user_id":"zoé@sample.example"',
        "unknown user 'zoé@sample.example'",
    ],
)
def test_a_word_of_its_own(text):
    """Between quotes, at an end, before the full stop of a sentence."""
    assert ZOE.in_text(text)


@pytest.mark.parametrize(
    "text",
    [
        "a.zoé@sample.example",
        "zoé@sample.example.org",
        "zoé@sample.example-2",
        "xzoé@sample.example",
        "zoé@sample",
        "ZOÉ@sample.example",
    ],
)
def test_another_users_id_may_hold_it(text):
    """A longer or shorter id is another user's."""
    assert not ZOE.in_text(text)


@pytest.mark.parametrize(
    "raw",
    [
        json.dumps({"user_id": "zoé@sample.example"}).encode(),
        json.dumps({"user_id": "zoé@sample.example"}, ensure_ascii=False).encode(),
        b'{"data": [{"who": "zo\\u00e9\\u0040sample.example"}]}',
        b'{"zo\\u00E9@sample.example": 1}',
        b'{"user_id": "zo\\u00e9@sample.example", cut',
        '\xff {"user_id": "zoé@sample.example"'.encode(),
        b'{"a": 1}\n' + json.dumps({"user_id": "zoé@sample.example"}).encode(),
    ],
)
def test_every_spelling_of_json(raw):
    """Escaped or not, deep within, as a key, cut short, among bytes that are no text."""
    assert ZOE.in_raw(raw, tenant="acme")


def test_a_line_of_the_log_says_its_tenant():
    """The same id of another tenant is another user; a letter of the gateway has its tenant."""
    raw = json.dumps({"tenant": "other", "user_id": "zoé@sample.example"}).encode()
    assert not ZOE.in_raw(raw, tenant="")
    assert ZOE.in_raw(raw.replace(b"other", b"acme"), tenant="")
    assert ZOE.in_raw(raw, tenant="acme")


def test_a_text_of_any_depth():
    """What the parser gives up on is looked at as text."""
    assert ZOE.in_raw(b"[" * 100_000 + "zoé@sample.example".encode(), tenant="acme")
