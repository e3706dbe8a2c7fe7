"""A real Chromium on the page of a running `up` with sample data.

Next: query_service.routes.page
"""

import os
import shutil
from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.support.page_visit import Visit
from tests.support.up_process import UpProcess

FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@pytest.fixture(scope="package")
def up(tmp_path_factory) -> Iterator[UpProcess]:
    """The whole system with its sample."""
    running = UpProcess(tmp_path_factory.mktemp("browser") / "usage-data", "--sample")
    running.start()
    yield running
    running.stop()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """The browser: Debian's, or the one that USAGE_CHROMIUM names.

    Playwright keeps an event loop running, with which no other file's asynchronous tests can run.
    """
    path = os.environ.get("USAGE_CHROMIUM") or shutil.which("chromium")
    assert path, "Chromium is missing: apt-get install --no-install-recommends chromium"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(FLAGS))
        yield browser
        browser.close()


@pytest.fixture
def visit(chromium, up):
    """A function that begins a visit; options are those of a browser context."""
    visits = []

    def begin(**options) -> Visit:
        context = chromium.new_context(**{"viewport": {"width": 1280, "height": 900}, **options})
        visits.append(Visit(context, up.ready["query_url"]))
        return visits[-1]

    yield begin
    for each in visits:
        each.context.close()


@pytest.fixture
def signed_in(visit, up) -> Visit:
    """A visitor with the first key, which may do everything."""
    return visit().sign_in(up.ready["key"])


@pytest.fixture(scope="package")
def new_key(up):
    """A function that makes a key of the sample's tenant with some scopes, and teams."""

    def make(*scopes: str, teams: tuple[str, ...] = ()) -> str:
        answer = httpx.post(
            f"{up.ready['query_url']}/v1/keys",
            headers={"Authorization": f"Bearer {up.ready['key']}"},
            json={"scopes": scopes, "teams": teams},
            timeout=30,
        )
        return answer.json()["key"]

    return make
