"""What a command does with the log or the rows while the system runs: alone, under the lease.

Workers see the lease within a second, drain, leave the group and wait until it is released.

Next: sinks.leases
"""

import logging
import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from kafka import KafkaAdminClient
from kafka.errors import CoordinatorNotAvailableError, NotCoordinatorError

from schemas.topics import CONSUMER_GROUP
from sinks.leases import BACKUP, MAINTENANCE, Held, Lease, Leases, take

# A worker that ends its flush, and one that was killed: the broker keeps its place for 10 s.
LEAVE_SECONDS = 60.0
_POLL_SECONDS = 0.3
_NONE = frozenset({"Empty", "Dead"})
_NO_SUCH_GROUP = "[Error 69]"


class NotNow(Exception):  # noqa: N818 - named for what happened, as the style asks
    """It can't be done as things are; the text says what to do first."""


@contextmanager
def maintenance(
    dsn: str,
    broker: KafkaAdminClient,
    deed: str,
    *,
    tell: Callable[[str], None],
    leave_seconds: float = LEAVE_SECONDS,
) -> Iterator[Lease]:
    """Hold the lease, with no worker in the group, while the block runs.

    `dsn` is ClickHouse's, `deed` says for people what is done, `tell` gets the story line by line.
    The block calls `check` of the lease before each step. Raises Held when another command is at
    work, and NotNow when a worker does not leave.
    """
    with take(dsn, holder=_holder(deed)) as lease:
        _refuse_beside(dsn, BACKUP)
        tell("taken the lease; waiting until no worker is in the group")
        _wait_until_empty(broker, leave_seconds)
        lease.check()
        tell(f"no worker is at work; {deed}")
        yield lease
    tell("released the lease; workers go on")


@contextmanager
def backing_up(dsn: str) -> Iterator[Lease]:
    """Keep maintenance away while the block reads a backup; workers go on.

    Raises Held when another backup or maintenance is at work. The block calls `check` of the lease
    at its end: what was read while nobody held it may be half of what maintenance did.
    """
    with take(dsn, holder=_holder("backup"), name=BACKUP) as lease:
        # Either writes its claim before it looks for the other's, so never do both find none.
        _refuse_beside(dsn, MAINTENANCE)
        yield lease


def _holder(deed: str) -> str:
    return f"{deed} (pid {os.getpid()} on {socket.gethostname()})"


def _refuse_beside(dsn: str, name: str) -> None:
    leases = Leases(dsn, name=name)
    try:
        holder = leases.holder()
    finally:
        leases.close()
    if holder is not None:
        raise Held(holder)


def _wait_until_empty(broker: KafkaAdminClient, leave_seconds: float) -> None:
    # Faust's own words about a member can't be decoded, and the driver says so at each look.
    logging.getLogger("kafka.admin").setLevel(logging.CRITICAL)
    deadline = time.monotonic() + leave_seconds
    while (members := _members(broker)) != []:
        if time.monotonic() > deadline:
            who = ", ".join(members) if members else "not known, the broker does not say"
            raise NotNow(
                f"after {leave_seconds:.0f} s the group still has members ({who}). A worker that"
                " can't end its flush, or is of an older release, does not leave: stop it, wait"
                " 10 s and try again"
            )
        time.sleep(_POLL_SECONDS)


def _members(broker: KafkaAdminClient) -> list[str] | None:
    """Who is in the group, for people; None when the broker can't say."""
    try:
        group: dict[str, Any] = broker.describe_groups([CONSUMER_GROUP])[CONSUMER_GROUP]
    except (CoordinatorNotAvailableError, NotCoordinatorError):
        return None
    if group["error"]:
        return [] if group["error"].startswith(_NO_SUCH_GROUP) else None
    if group["group_state"] in _NONE:
        return []
    # A group that is being joined may have no member that can be named yet.
    return [_named(member) for member in group["members"]] or None


def _named(member: dict[str, Any]) -> str:
    name = member.get("group_instance_id") or member["member_id"]
    return f"{name} at {member['client_host'].lstrip('/')}"
