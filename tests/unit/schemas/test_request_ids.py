"""Whose request ids are taken over: those that no log or sheet reads as anything but a word."""

import pytest

from schemas.request_ids import given_id, new_id


@pytest.mark.parametrize("text", ["a", "A-1.b_2:c", "f" * 64])
def test_a_harmless_id_is_kept(text):
    """Letters, digits and a few marks, up to 64 of them."""
    assert given_id([(b"x-request-id", text.encode())]) == text


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"f" * 65,
        b"a b",
        b"a\nb",
        b'a"b',
        b"=1+1",
        b"a@b.example",
        "ä".encode(),
        b"\xff",
        b"{}",
    ],
)
def test_what_could_be_something_else_is_not(text):
    """Too long, with spaces, line ends, quotes, formulas, addresses, or no ASCII."""
    assert given_id([(b"x-request-id", text)]) == ""


def test_two_ids_are_none():
    """Nobody knows which of them is meant; without one there is none."""
    assert given_id([(b"x-request-id", b"a"), (b"x-request-id", b"b")]) == ""
    assert given_id([(b"x-other", b"a")]) == ""


def test_ours_is_harmless():
    """An id that we made is taken over by the next process."""
    made = new_id()
    assert given_id([(b"x-request-id", made.encode())]) == made
