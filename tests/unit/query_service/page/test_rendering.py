"""Where a request went, below whatever path a proxy serves us under."""

import pytest
from starlette.requests import Request

from query_service.page.rendering import address


@pytest.mark.parametrize("path", ["/users/a?b/c é", "/usage/users/a?b/c é"])
def test_a_path_is_told_below_the_root(path):
    """Whether the proxy takes its part away or not; an id may hold anything."""
    scope = {
        "type": "http",
        "method": "GET",
        "path": path,
        "root_path": "/usage",
        "query_string": b"team=a%26b&team=c",
        "headers": [],
    }
    here = address(Request(scope))
    assert (here.root, here.path) == ("/usage", "/users/a?b/c é")
    assert here.values("team") == ("a&b", "c")
    assert str(here).startswith("/usage/users/a%3Fb/c%20%C3%A9?")
