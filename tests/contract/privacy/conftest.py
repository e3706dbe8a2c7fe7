"""Query services of their own, as processes with logs, and the views that the walk looks through.

Next: tests.support.privacy_calls
"""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from tests.support.privacy_calls import Setting
from tests.support.private_tenant import FIRST, NOWHERE, SECOND, PrivateTenant
from tests.support.query_process import QueryProcess

HIDDEN = (
    "one team of two off",
    "every team off",
    "a team in view that the directory does not know",
    "key limited to both teams",
    "key limited to the team that is off",
    "one team off anywhere hides all",
)
SHOWN = ("every team on", "key limited to the team that is on", "another tenant's key")


@pytest.fixture(scope="package")
def services(clickhouse_dsn, tmp_path_factory):
    """A process for each of the two meanings of `privacy_scope`."""
    started = {}
    for scope in ("view", "tenant"):
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("USAGE_PRIVACY_SCOPE", scope)
            process = QueryProcess(clickhouse_dsn, tmp_path_factory.mktemp(scope))
        started[scope] = process
    for process in started.values():
        process.start()
    yield started
    for process in started.values():
        process.stop()


@pytest.fixture(scope="package")
def url(services):
    """Where names are hidden by teams in view."""
    return f"http://127.0.0.1:{services['view'].port}"


@pytest.fixture(scope="package")
def new_company(store_client, url):
    """Makes a tenant with people, whose teams have personal data on or off."""
    made = []

    def make(name: str, *, empty: bool = False, **teams: bool) -> PrivateTenant:
        known = {f"team-{team}": on for team, on in teams.items()}
        made.append(PrivateTenant(store_client, f"walked-{name}", datetime.now(UTC), known))
        return made[-1].fill(url, empty=empty)

    yield make
    for company in made:
        company.close()


@pytest.fixture(scope="package")
def settings(services, url, new_company):
    """Every view of the walk by its name."""
    mixed = new_company("mixed", first=True, second=False)
    off = new_company("off", first=False, second=False)
    on = new_company("on", first=True, second=True)
    other = new_company("other", first=True, second=True, empty=True)
    anywhere = f"http://127.0.0.1:{services['tenant'].port}"
    base = Setting("", mixed, mixed.http(url), hidden=True)
    both, second, first = (FIRST, SECOND), (SECOND,), (FIRST,)
    unknown = (FIRST, NOWHERE)
    views = (
        base,
        Setting("", off, off.http(url), hidden=True),
        Setting("", on, on.http(url, teams=unknown), hidden=True, limited=unknown),
        replace(base, http=mixed.http(url, teams=both), limited=both),
        replace(base, http=mixed.http(url, teams=second), limited=second),
        replace(base, http=mixed.http(anywhere), teams=(FIRST,)),
        Setting("", on, on.http(url), hidden=False),
        replace(base, http=mixed.http(url, teams=first), limited=first, hidden=False),
        replace(base, http=other.http(url), hidden=False, foreign=True),
    )
    names = (*HIDDEN, *SHOWN)
    return {name: replace(view, name=name) for name, view in zip(names, views, strict=True)}
