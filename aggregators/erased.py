"""The guards of erased users: what stands on the log up to a guard must never be counted again.

A guard is written while no worker is at work, so that it is read once, with each assignment.

Next: aggregators.state
"""

from collections.abc import Iterable, Mapping
from typing import Protocol

from schemas.erasure import erased_hash

# Of each partition the position up to which nothing of a user is counted.
Guard = Mapping[int, int]


class ErasedUser(Protocol):
    """A guard as it is stored; sinks.loads.ErasedUser is the real one."""

    @property
    def tenant(self) -> str:
        """The user's tenant."""
        ...

    @property
    def secret(self) -> str:
        """The tenant's secret, in hexadecimal digits."""
        ...

    @property
    def user_hash(self) -> str:
        """As schemas.erasure makes it."""
        ...

    @property
    def guard(self) -> Iterable[tuple[int, int]]:
        """Partitions, each with its position."""
        ...


class Erased:
    """All guards. Asking costs nothing for a tenant that has none."""

    def __init__(self, users: Iterable[ErasedUser] = ()) -> None:
        self._tenants: dict[str, tuple[bytes, dict[str, Guard]]] = {}
        for user in users:
            secret = bytes.fromhex(user.secret)
            guards = self._tenants.setdefault(user.tenant, (secret, {}))[1]
            guards[user.user_hash] = dict(user.guard)

    def guard(self, tenant: str, user_id: str) -> Guard | None:
        """The user's guard, or None for one who was never erased."""
        of_tenant = self._tenants.get(tenant)
        if of_tenant is None:
            return None
        secret, guards = of_tenant
        return guards.get(erased_hash(secret, user_id))
