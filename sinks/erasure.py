"""Take a user out of the store; what teams used stays, under a pseudonym that leads to nobody.

Only under the lease of maintenance: a worker would write on what it holds in memory. The steps, in
an order that may end after any of them, and be gone through again from the first:

1. Begin: `erasures` remembers the user, the pseudonym and a salt, both drawn by lot. A command that
   finds an erasure there goes on with it, so that no pseudonym is given twice for the same rows.
2. Copy events, rows and seat changes under the pseudonym, each with its own position, stamp or
   version. A second copy is the first one, or a newer one that replaces it: workers that went on
   in between worked on the originals, which are still whole.
3. Guard: the position of each partition goes into `erased`, in one block. From here on the copies
   count. Nothing at or below the guard is ever counted for the user again, so that neither a replay
   nor a record that comes twice brings back what the next steps delete; and nothing is copied
   again, because what comes later is above the guard and is not the erasure's.
4. Delete the originals up to the guard, the user's names, teams, seats, dead letters and items of
   recorded requests. Every deletion finds the user through `erasures`: the text of a mutation
   stays on disk, and one that a killed command left behind may still be done later.
5. Write the rows anew that workers made between a kill and the second run: they hold old and new.
6. Forget: `erasures` lets the user go.

Killed between 2 and 4, both the user's events and their copies are found: the ledger's difference
is what is too much, until the command is given again. Old parts keep the user's bytes on disk for
as long as the engine keeps old parts.

Two things are refused rather than guessed at: events that are stored and not yet folded (a worker
died in mid-batch: one has to run first), and to name the user in the text of a mutation.

Next: sinks.erase_letters
"""

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError
from urllib3.exceptions import HTTPError

from schemas.erasure import erased_hash
from schemas.failpoints import reach
from sinks import erase_letters
from sinks.clickhouse import query, reraise, statement
from sinks.cluster import adapted
from sinks.directory import insert_rows
from sinks.keys import tenant_secret
from sinks.rebuild import Chosen, rebuild

_SETTINGS = {"do_not_merge_across_partitions_select_final": 1}


class NotFolded(Exception):  # noqa: N818 - named for what is seen
    """Of the user more is stored than is folded; the text says what to do."""


class UnknownTenant(Exception):  # noqa: N818 - named for what is asked
    """There is no such tenant, so there is no secret to know the user again by."""


class Begun(NamedTuple):
    """An erasure that is under way, as `erasures` has it."""

    erasure: str
    tenant: str
    user_id: str
    user_hash: str
    pseudonym: str
    salt: str


@dataclass(frozen=True)
class Erasure:
    """What was found and erased: rows by table. `finished`: erasures that were only half done."""

    tenant: str
    user_hash: str
    tables: dict[str, int] = field(default_factory=dict)
    finished: int = 0


@dataclass(frozen=True)
class Hand:
    """What every step needs; `check` raises when the lease is lost, `tell` is told of each."""

    client: Client
    check: Callable[[], None]
    tell: Callable[[str], None]
    clock: Callable[[], datetime]

    def ask(self, name: str, **parameters: Any) -> Sequence[Any]:
        """Rows of a question."""
        sql = statement("sinks.sql", name)
        return query(self.client, sql, parameters=parameters, settings=_SETTINGS).result_rows

    def do(self, name: str, **parameters: Any) -> None:
        """One statement, while the lease is held."""
        self.check()
        for sql in adapted(self.client, statement("sinks.sql", name)):
            self.client.command(sql, parameters=parameters, settings=_SETTINGS)
        reach("erase_step")


def erase(hand: Hand, *, tenant: str, user_id: str) -> Erasure:
    """Erase the user; first finish what was begun and not finished, of whomever.

    Raises NotFolded, UnknownTenant, and Unavailable while ClickHouse is away: then nothing is lost,
    and the command is to be given again.
    """
    try:
        secret = tenant_secret(hand.client, tenant)
        if secret is None:
            raise UnknownTenant(tenant)
        half_done = [Begun(*row) for row in hand.ask("erase_begun")]
        for begun in half_done:
            hand.tell("an erasure was begun and not finished: finishing it")
            _carry_out(hand, begun)
        user_hash = erased_hash(secret, user_id)
        tables = found(hand, tenant, user_id)
        if any(tables.values()) or any(begun.user_id == user_id for begun in half_done):
            # Also where nothing is left: the guard rises over what came since the half-done one.
            _carry_out(hand, _begin(hand, tenant, user_id, user_hash))
    except (ClickHouseError, HTTPError, OSError) as error:
        reraise(error)
    return Erasure(tenant, user_hash, tables, len(half_done))


def found(hand: Hand, tenant: str, user_id: str) -> dict[str, int]:
    """How many rows each table has of the user."""
    client = hand.client
    return {
        **dict(hand.ask("erase_found", tenant=tenant, user_id=user_id)),
        "dead_letters": len(erase_letters.letters(client, tenant, user_id)),
        "change_requests": len(erase_letters.requests(client, tenant, user_id)),
    }


def _begin(hand: Hand, tenant: str, user_id: str, user_hash: str) -> Begun:
    begun = Begun(
        erasure=secrets.token_hex(16),
        tenant=tenant,
        user_id=user_id,
        user_hash=user_hash,
        pseudonym=f"erased-{secrets.token_hex(16)}",
        salt=secrets.token_hex(32),
    )
    _check_folded(hand, begun)
    hand.check()
    insert_rows(hand.client, "erasures", [{**begun._asdict(), "started_at": hand.clock()}])
    reach("erase_step")
    return begun


def _check_folded(hand: Hand, begun: Begun) -> None:
    rows = hand.ask("erase_in_flight", tenant=begun.tenant, user_id=begun.user_id)[0][0]
    if rows:
        raise NotFolded(
            f"{rows} rows of the user stand above what is folded: a worker died in mid-batch, or"
            " rows were falsified. Let a worker run until `usage-report lag` is 0, or give"
            " `usage-report rebuild --user`, and then this command again"
        )


def _carry_out(hand: Hand, begun: Begun) -> None:
    key = {"tenant": begun.tenant, "user_hash": begun.user_hash, "erasure": begun.erasure}
    guard = hand.ask("erase_guards", **key)
    if not guard:
        _check_folded(hand, begun)
        _copy(hand, begun)
        hand.do("erase_guard", **key)
        guard = hand.ask("erase_guards", **key)
    _delete(hand, begun, dict(guard))
    if any(found(hand, begun.tenant, begun.user_id).values()):
        chosen = Chosen(tenants=[begun.tenant], users=[begun.user_id])
        rebuild(hand.client, chosen, check=hand.check)
    hand.do("erase_forget", erasure=begun.erasure)


def _copy(hand: Hand, begun: Begun) -> None:
    hand.tell("copying what the user used under a pseudonym")
    whose = {"tenant": begun.tenant, "user_id": begun.user_id, "pseudonym": begun.pseudonym}
    now = hand.clock()
    now_ms = int(now.timestamp() * 1000)
    hand.do("erase_copy_events", **whose, salt=begun.salt)
    hand.do("erase_copy_rows", **whose)
    hand.do("erase_copy_seats", **whose, now_ms=now_ms)
    hand.do(
        "erase_close_seats",
        tenant=begun.tenant,
        pseudonym=begun.pseudonym,
        now_ms=now_ms,
        version=int(now.timestamp() * 1_000_000),
    )


def _delete(hand: Hand, begun: Begun, guard: dict[int, int]) -> None:
    hand.tell("deleting the user's own")
    up_to = {"partitions": list(guard), "positions": list(guard.values())}
    for name in ("erase_rows", "erase_events"):
        hand.do(name, erasure=begun.erasure, **up_to)
    for name in ("erase_months", "erase_names", "erase_members", "erase_seats"):
        hand.do(name, erasure=begun.erasure)
    client, tenant, user_id = hand.client, begun.tenant, begun.user_id
    letters = erase_letters.letters(client, tenant, user_id)
    erase_letters.delete_letters(client, letters, check=hand.check)
    hand.check()
    erase_letters.rewrite_requests(
        client,
        tenant,
        user_id,
        insert=lambda rows: insert_rows(client, "change_requests", rows),
    )
    hand.do("erase_requests", erasure=begun.erasure)
