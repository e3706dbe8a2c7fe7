"""Signed in with a key: a sealed cookie in place of the key, and a token against forged forms.

The cookie names the key and is sealed with its tenant's secret. It holds no key: who steals it can
do what the page can, for as long as a session lasts or until the key is revoked.
Next: query_service.routes.sign_in
"""

import base64
import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime

from cryptography.fernet import Fernet, InvalidToken

from query_service.store import Store
from sinks.key_ring import KeyRing
from sinks.keys import Key

COOKIE = "usage_session"
LASTS_SECONDS = 12 * 3600


@dataclass(frozen=True)
class Session:
    """Who is signed in; `csrf` is what a form has to bring along to change anything."""

    key: Key
    csrf: str

    def allows(self, csrf: str) -> bool:
        """Whether a form was made for this session, compared in constant time."""
        return hmac.compare_digest(csrf.encode(), self.csrf.encode())

    def mark(self, text: str) -> str:
        """Goes with what this session is told in an address, which others could write as well."""
        return hmac.new(self.csrf.encode(), text.encode(), hashlib.sha256).hexdigest()[:32]

    def said(self, text: str, mark: str) -> bool:
        """Whether it was this session that was told so, compared in constant time."""
        return hmac.compare_digest(mark.encode(), self.mark(text).encode())


def begin(store: Store, key: Key, now: datetime) -> str:
    """The cookie of a new session."""
    sealed = _seal(store.hasher(key), key).encrypt_at_time(secrets.token_bytes(16), _seconds(now))
    return f"{key.key_id}.{sealed.decode().rstrip('=')}"


def find(store: Store, ring: KeyRing, cookie: str, now: datetime) -> Session | None:
    """The session of a cookie; None when it is over, was not ours, or its key is revoked."""
    key_id, _, sealed = cookie.partition(".")
    key = ring.by_id(key_id)
    if key is None:
        return None
    secret = store.hasher(key)
    try:
        padded = sealed.encode("ascii") + b"=" * (-len(sealed) % 4)
        token = _seal(secret, key).decrypt_at_time(padded, LASTS_SECONDS, _seconds(now))
    except (InvalidToken, UnicodeEncodeError):
        return None
    return Session(key, hmac.new(secret, b"form" + token, hashlib.sha256).hexdigest())


def _seal(secret: bytes, key: Key) -> Fernet:
    # A cookie with another key's id before it is not that key's: its seal is another one.
    bound_to = f"session {key.key_id}".encode()
    return Fernet(base64.urlsafe_b64encode(hmac.digest(secret, bound_to, "sha256")))


def _seconds(now: datetime) -> int:
    return int(now.timestamp())
