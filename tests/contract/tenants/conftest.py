"""An attacker and a victim of the query service, each with everything that a tenant can have.

Next: tests.support.two_tenants
"""

import pytest

from tests.support.tenant_calls import Alien
from tests.support.two_tenants import NOBODY, OTHER, OWN, TWIN, Tenant


@pytest.fixture(scope="module")
def attacker(store_client, query_server):
    """Who asks."""
    tenant = Tenant("zqown-tenant", OWN, query_server, store_client).begin()
    yield tenant.fill(OWN, OWN, "500").assign(OWN)
    tenant.close()


@pytest.fixture(scope="module")
def victim(store_client, query_server):
    """Who must not be seen or changed; has nothing yet but a key."""
    tenant = Tenant("zqother-tenant", OTHER, query_server, store_client).begin()
    yield tenant
    tenant.close()


@pytest.fixture(scope="module")
def full_victim(victim):
    """The same with everything, under ids of its own and under the attacker's."""
    for ids, names in ((OTHER, OTHER), (OWN, TWIN)):
        victim.fill(ids, names, "777123" if ids == OTHER else "777.1234").assign(ids)
    return victim


@pytest.fixture(scope="module")
def alien(full_victim):
    """What the victim calls its own."""
    return Alien(
        ids=OTHER,
        hashed=full_victim.hash_of(f"{OTHER}-user"),
        event=full_victim.events[0],
        letter=full_victim.letters[0],
        key_id=full_victim.key_id,
        tenant=full_victim.name,
        names=OTHER,
    )


@pytest.fixture(scope="module")
def nobodys(alien):
    """The same of nobody, letter for letter as long."""
    return Alien(
        ids=NOBODY,
        hashed="0" * 40,
        event=f"never-{alien.event}"[: len(alien.event)],
        letter=f"{NOBODY}-letter",
        key_id="0" * len(alien.key_id),
        tenant=f"{NOBODY}-tenant",
        names=NOBODY,
    )
