"""A visitor of the page in a real browser, and what went wrong in it.

Next: query_service.page.rendering
"""

import re

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, Page

# Tests that run beside others keep the machine busy.
PATIENCE_MS = 60_000
# Their names show.
TEAMS = "team=sample-team-1&team=sample-team-2&team=sample-team-3"
PAGES = {
    "report": "/",
    "names": f"/?{TEAMS}&group_by=product",
    "users": "/?by=user",
    "products": "/?by=product",
    "teams": "/?by=team",
    "empty": "/?product=nothing",
    "tokens": "/tokens",
    "settings": "/settings",
    "settings-teams": "/settings/teams",
    "settings-packs": "/settings/token_packs",
    "settings-seats": "/settings/subscriptions",
    "settings-prices": "/settings/prices",
    "keys": "/settings/keys",
    "events": "/events",
    "problem": "/users/nobody",
    "docs": "/docs",
}


class Visit:
    """A visitor of the page: a browser context of its own, and what went wrong in it."""

    def __init__(self, context: BrowserContext, url: str) -> None:
        self.context, self.url = context, url
        self.page: Page = context.new_page()
        self.page.set_default_timeout(PATIENCE_MS)
        self.complaints: list[str] = []
        self.elsewhere: list[str] = []
        self.page.on("console", self._note_console)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", self._note_request)

    def _note_console(self, message) -> None:
        if message.type in {"error", "warning"}:
            self.complaints.append(message.text)

    def _note_request(self, request) -> None:
        if not request.url.startswith((self.url, "data:", "blob:")):
            self.elsewhere.append(request.url)

    def go(self, path: str) -> None:
        """Open an address of the page."""
        self.page.goto(f"{self.url}{path}")

    def sign_in(self, key: str) -> "Visit":
        """With a key, as its form asks for it."""
        self.go("/sign-in")
        self.page.fill("#key", key)
        self.page.press("#key", "Enter")
        self.page.wait_for_selector("h1:has-text('Usage report')")
        return self


def violations(page) -> list[str]:
    """What axe finds, in a line each."""
    found = Axe().run(page).response["violations"]
    return [
        f"{each['id']}: {node['target']} {node['failureSummary']}"
        for each in found
        for node in each["nodes"]
    ]


def digits(text: str) -> int:
    """A whole number, however it is grouped."""
    return int(re.sub(r"\D", "", text))


def rows(page: Page) -> int:
    """How many rows the table says there are."""
    return digits(page.locator("#rows-title .muted").inner_text().split("row")[0])
