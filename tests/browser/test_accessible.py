"""Every page, light and dark: axe finds nothing, nothing comes from elsewhere, and it is light."""

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.browser.test_page import TEAMS

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
    "keys": "/settings/keys",
    "problem": "/users/nobody",
}
KIB = 1024
PAGE_MAX_BYTES = 150 * KIB
PAGE_MAX_REQUESTS = 6


def violations(page) -> list[str]:
    """What axe finds, in a line each."""
    found = Axe().run(page).response["violations"]
    return [
        f"{each['id']}: {node['target']} {node['failureSummary']}"
        for each in found
        for node in each["nodes"]
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(visit, up, scheme):
    """On any page, and nothing breaks the policy of what may be loaded."""
    visitor = visit(color_scheme=scheme)
    visitor.go("/sign-in")
    found = {"sign-in": violations(visitor.page)}
    visitor.sign_in(up.ready["key"])
    for name, path in PAGES.items():
        visitor.go(path)
        found[name] = violations(visitor.page)
    visitor.go(f"/?{TEAMS}")
    visitor.page.locator("tbody [data-over]").first.click()
    visitor.page.wait_for_selector("dialog[open] h1")
    found["user"] = violations(visitor.page)
    assert {name: wrong for name, wrong in found.items() if wrong} == {}
    assert visitor.elsewhere == []
    refused = [each for each in visitor.complaints if "status of 4" not in each]
    assert refused == []


def test_a_first_load_is_light(visit, up):
    """At most 150 KB in at most 6 requests."""
    visitor = visit().sign_in(up.ready["key"])
    sizes = []
    fresh = visitor.context.new_page()
    fresh.on("response", lambda answer: sizes.append(len(answer.body())))
    fresh.goto(f"{visitor.url}/")
    assert len(sizes) <= PAGE_MAX_REQUESTS
    assert sum(sizes) <= PAGE_MAX_BYTES


@pytest.mark.parametrize("width", [390, 1920])
def test_nothing_sticks_out(visit, up, width):
    """No page is wider than its window: wide tables scroll by themselves."""
    visitor = visit(viewport={"width": width, "height": 900}).sign_in(up.ready["key"])
    wide = {}
    for name, path in PAGES.items():
        visitor.go(path)
        wide[name] = visitor.page.evaluate("document.documentElement.scrollWidth")
    assert {name: each for name, each in wide.items() if each > width} == {}
