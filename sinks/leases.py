"""The lease of maintenance: while a command holds it, no worker is in the consumer group.

Claims stand side by side, each written before the others are read: so two never both find none.

Next: aggregators.maintenance
"""

import random
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import structlog
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError
from urllib3.exceptions import HTTPError

from schemas.rejects import Unavailable
from sinks.clickhouse import connect, reraise, statement

log = structlog.get_logger()

MAINTENANCE = "maintenance"
# Held while a backup is read: workers do not mind it, commands of maintenance do.
BACKUP = "backup"
# What a killed command leaves behind holds the workers up for so long at most.
TTL_SECONDS = 30.0
# Two that claim at once are both refused; each tries again after a pause of its own length.
_TRIES = 4
_ANSWER_SECONDS = 5.0


class Held(Exception):  # noqa: N818 - named for what happened, as the style asks
    """Another holds the lease; the text says who."""

    def __init__(self, holder: str) -> None:
        super().__init__(f"maintenance is under way: {holder}; try again when it is over")
        self.holder = holder


class Lost(Exception):  # noqa: N818 - named for what happened, as the style asks
    """The lease ran out before it was renewed: workers may be at work again."""

    def __init__(self) -> None:
        super().__init__("the lease ran out before it was renewed: give the command again")


class Claim(NamedTuple):
    """A claim that has not run out."""

    claim: str
    holder: str


class Leases:
    """The claims on one lease, over a client of its own that is made anew after a failure.

    Every method raises Unavailable while ClickHouse is away. Not for several threads at once.
    """

    def __init__(self, dsn: str, *, name: str = MAINTENANCE) -> None:
        self._dsn = dsn
        self._name = name
        self._client: Client | None = None

    def claims(self) -> list[Claim]:
        """The claims that have not run out."""
        return [Claim(*row) for row in self._do("query", "lease_claims").result_rows]

    def holder(self) -> str | None:
        """Who holds the lease; None when nobody does."""
        return next((claim.holder for claim in self.claims()), None)

    def claim(self, claim: str, *, holder: str, ttl_seconds: float) -> None:
        """Write a claim."""
        self._do("command", "lease_claim", claim=claim, holder=holder, ttl_ms=_ms(ttl_seconds))

    def renew(self, claim: str, *, ttl_seconds: float) -> bool:
        """Hold a claim for longer; False when it has run out."""
        done = self._do("command", "lease_renew", claim=claim, ttl_ms=_ms(ttl_seconds))
        return int(done.written_rows) == 1

    def withdraw(self, claim: str) -> None:
        """Give a claim up."""
        self._do("command", "lease_withdraw", claim=claim)

    def close(self) -> None:
        """Close the client; the next call opens another one."""
        client, self._client = self._client, None
        if client is not None:
            client.close()

    def _do(self, deed: str, name: str, **parameters: Any) -> Any:
        try:
            if self._client is None:
                self._client = connect(self._dsn, timeout_seconds=_ANSWER_SECONDS)
            parameters["name"] = self._name
            ask = getattr(self._client, deed)
            return ask(statement("sinks.sql", name), parameters=parameters)
        except (ClickHouseError, HTTPError, OSError) as error:
            self.close()
            reraise(error)


class Lease:
    """A lease that is held, and renewed in the background until it is released."""

    def __init__(self, leases: Leases, claim: str, *, ttl_seconds: float) -> None:
        self._leases = leases
        self._claim = claim
        self._ttl_seconds = ttl_seconds
        self._turn = threading.Lock()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="lease", daemon=True)
        self._thread.start()

    def check(self) -> None:
        """Renew it now: to be called before each step that needs it.

        Raises Lost when it ran out, and Unavailable while the store can't say.
        """
        with self._turn:
            if not self._leases.renew(self._claim, ttl_seconds=self._ttl_seconds):
                raise Lost

    def release(self) -> None:
        """Give it up; while the store is away it runs out by itself."""
        self._over.set()
        self._thread.join()
        try:
            self._leases.withdraw(self._claim)
        except Unavailable as error:
            log.warning("lease_not_released", error=str(error), seconds=self._ttl_seconds)
        self._leases.close()

    def _keep(self) -> None:
        pause = self._ttl_seconds / 3
        while not self._over.wait(pause):
            try:
                self.check()
                pause = self._ttl_seconds / 3
            except Unavailable:  # the next try, or the next check, finds out whether it ran out
                pause = self._ttl_seconds / 30
            except Lost:
                return


@contextmanager
def take(
    dsn: str,
    *,
    holder: str,
    name: str = MAINTENANCE,
    ttl_seconds: float = TTL_SECONDS,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[Lease]:
    """Hold the lease while the block runs; `holder` says for people who does.

    Raises Held when another has it, and Unavailable while ClickHouse is away.
    """
    leases = Leases(dsn, name=name)
    try:
        claim = _claim(leases, holder=holder, ttl_seconds=ttl_seconds, sleep=sleep)
    except BaseException:
        leases.close()
        raise
    lease = Lease(leases, claim, ttl_seconds=ttl_seconds)
    try:
        # The pause of a stopped process may lie between the claim and this moment.
        lease.check()
        yield lease
    finally:
        lease.release()


def _claim(
    leases: Leases, *, holder: str, ttl_seconds: float, sleep: Callable[[float], None]
) -> str:
    """A claim beside which there was no other one; raises Held."""
    tries = 1
    while True:
        claim = uuid.uuid4().hex
        leases.claim(claim, holder=holder, ttl_seconds=ttl_seconds)
        others = [other for other in leases.claims() if other.claim != claim]
        if not others:
            return claim
        leases.withdraw(claim)
        if tries == _TRIES:
            raise Held(others[0].holder)
        tries += 1
        sleep(random.uniform(0.05, 0.5))  # noqa: S311 - no secret


def _ms(seconds: float) -> int:
    return int(seconds * 1000)
