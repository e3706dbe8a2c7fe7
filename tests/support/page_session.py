"""A client that is signed in on the page, and sends its forms as a browser without script does.

Next: query_service.sessions
"""

from __future__ import annotations

import re
from html import unescape

import httpx

_TOKEN = re.compile(r'name="csrf" value="([0-9a-f]+)"')
_FORM = re.compile(r"<form[^>]*>.*?</form>", re.DOTALL)
_INPUT = re.compile(r'<input type="hidden" name="([^"]*)" value="([^"]*)">')


class PageSession:
    """Signed in at `url` with `key`; redirects are answers, as tests look at them too."""

    def __init__(self, url: str, key: str, tenant: str) -> None:
        self.key, self.tenant = key, tenant
        self.http = httpx.Client(base_url=url, timeout=60)
        answer = self.http.post("/sign-in", data={"key": key})
        assert answer.status_code == 303, answer.text
        # Every page of who is signed in has a form to sign out.
        (self.csrf, *_) = _TOKEN.findall(self.http.get("/tokens").text)

    def get(self, path: str, **params: str) -> httpx.Response:
        """A page."""
        return self.http.get(path, params=params or None)

    def send(self, path: str, *fields: tuple[str, str], **named: str) -> httpx.Response:
        """A form of this session."""
        given = [("csrf", self.csrf), *fields, *named.items()]
        return self.http.post(path, data=_grouped(given))

    def close(self) -> None:
        """Close its connections."""
        self.http.close()


def hidden_fields(page: str, action: str) -> list[tuple[str, str]]:
    """The hidden fields of the page's first form with this action, without its token."""
    form = next(each for each in _FORM.findall(page) if f'action="{action}"' in each)
    return [
        (unescape(name), unescape(value)) for name, value in _INPUT.findall(form) if name != "csrf"
    ]


def _grouped(pairs: list[tuple[str, str]]) -> dict[str, list[str]]:
    grouped: dict[str, list[str]] = {}
    for name, value in pairs:
        grouped.setdefault(name, []).append(value)
    return grouped
