"""Every route of the query service, documented or not: a test that walks them misses none.

Next: tests.contract.privacy.test_privacy_walk
"""

from pathlib import Path

from query_service.app import create_app
from schemas.settings import QuerySettings


def routes_of_the_app(directory: Path) -> set[tuple[str, str]]:
    """Method and path of each; nothing is asked, and `directory` stays empty."""
    settings = QuerySettings(
        CLICKHOUSE_DSN="clickhouse://default:@127.0.0.1:1/usage",
        KAFKA_BOOTSTRAP="127.0.0.1:1",
        state_dir=directory,
    )
    found = set()
    for router in create_app(settings).routes:
        included = getattr(router, "effective_route_contexts", lambda router=router: [router])
        for route in included():
            found |= {(method, route.path) for method in route.methods - {"HEAD"}}
    return found
