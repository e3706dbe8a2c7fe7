"""Sessions: as long as they last, for the key that began them, and for its tenant's secret."""

from datetime import UTC, datetime, timedelta

from query_service import sessions
from sinks.keys import Key

NOW = datetime(2026, 5, 31, 12, tzinfo=UTC)
KEY = Key("0a1b", "sample", "", frozenset({"read"}), frozenset())


class Ring:
    """The keys that are valid."""

    def __init__(self, *keys):
        self.keys = {key.key_id: key for key in keys}

    def by_id(self, key_id):
        """As sinks.key_ring."""
        return self.keys.get(key_id)


class Secrets:
    """A store that knows the tenant's secret."""

    def __init__(self, secret=b"s" * 32):
        self.secret = secret

    def hasher(self, _key):
        """As query_service.store."""
        return self.secret


def test_a_session_is_found_until_it_is_over():
    """And its forms are known by their token."""
    cookie = sessions.begin(Secrets(), KEY, NOW)
    session = sessions.find(Secrets(), Ring(KEY), cookie, NOW + timedelta(hours=11))
    assert session.key == KEY
    assert session.allows(session.csrf)
    assert not session.allows("")
    assert not session.allows("é")
    later = NOW + timedelta(seconds=sessions.LASTS_SECONDS + 1)
    assert sessions.find(Secrets(), Ring(KEY), cookie, later) is None


def test_two_sessions_have_forms_of_their_own():
    """A token of one is no good in another."""
    cookies = [sessions.begin(Secrets(), KEY, NOW) for _ in range(2)]
    first, second = (sessions.find(Secrets(), Ring(KEY), each, NOW) for each in cookies)
    assert first.csrf != second.csrf


def test_what_is_no_session():
    """A revoked key, another secret, another key's name before it, and nonsense."""
    cookie = sessions.begin(Secrets(), KEY, NOW)
    other = Key("ffff", "sample", "", frozenset({"admin"}), frozenset())
    renamed = cookie.replace("0a1b", "ffff")
    assert sessions.find(Secrets(), Ring(), cookie, NOW) is None
    assert sessions.find(Secrets(b"t" * 32), Ring(KEY), cookie, NOW) is None
    assert sessions.find(Secrets(), Ring(KEY, other), renamed, NOW) is None
    for nonsense in ("", ".", "0a1b", "0a1b.", "0a1b.é", cookie[:-3]):
        assert sessions.find(Secrets(), Ring(KEY), nonsense, NOW) is None


def test_what_a_session_was_told_is_its_own():
    """A mark is no good for other words, or in another session."""
    cookies = [sessions.begin(Secrets(), KEY, NOW) for _ in range(2)]
    first, second = (sessions.find(Secrets(), Ring(KEY), each, NOW) for each in cookies)
    assert first.said("teams team-1", first.mark("teams team-1"))
    for session, text in ((first, "teams team-2"), (second, "teams team-1")):
        assert not session.said(text, first.mark("teams team-1"))
    assert not first.said("teams team-1", "é")
