"""Visitors of the page without a browser, each signed in with a key of a tenant of its own.

Next: tests.support.page_session
"""

import pytest

from sinks.keys import create_key
from tests.support.page_session import PageSession
from tests.support.query_server import NOW


@pytest.fixture
def new_visitor(store_client, query_server, request):
    """Makes a visitor of this test's tenant."""
    made = []

    def make(*, scopes=("admin",), teams=()):
        tenant = f"sample-{request.node.name}"
        _, key = create_key(store_client, tenant=tenant, scopes=scopes, teams=teams, now=NOW)
        query_server.refresh_keys()
        made.append(PageSession(query_server.url, key, tenant))
        return made[-1]

    yield make
    for each in made:
        each.close()


@pytest.fixture
def visitor(new_visitor):
    """A visitor whose key may do everything."""
    return new_visitor()
