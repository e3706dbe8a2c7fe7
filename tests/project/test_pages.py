"""Pages beside the README tell the truth about where things are."""

import re

import pytest

from tests.support.sources import ROOT

LINK = re.compile(r"\[[^\]]+\]\(([^)#]+)")


@pytest.mark.parametrize(
    "page", ["deploy/api.md", "deploy/configuration.md", "ingest/sdk/README.md"]
)
def test_every_link_of_a_page_resolves(page):
    """Each link within the project leads to a file that is there."""
    text = (ROOT / page).read_text(encoding="utf-8")
    inside = [target for target in LINK.findall(text) if "://" not in target]
    assert [target for target in inside if not (ROOT / page).parent.joinpath(target).exists()] == []
