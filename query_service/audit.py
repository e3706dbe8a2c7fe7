"""What is changed or exported over HTTP is in the audit log: before it is done, and after.

Next: query_service.audit_list
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import replace
from datetime import datetime
from typing import Any

import structlog

from query_service.problems import Problem
from query_service.store import Store
from schemas.rejects import Unavailable
from sinks import audit
from sinks.audit import DONE, FAILED, REFUSED, Actor, Deed
from sinks.keys import Key

log = structlog.get_logger()

# Of the request that is being answered: set by query_service.request_log for all that it does.
asking: ContextVar[Actor] = ContextVar("asking", default=Actor())  # noqa: B039 - it is frozen


def begin(store: Store, key: Key, action: str, now: datetime, **details: Any) -> Deed:
    """Store that the caller begins; raises Unavailable, and then nothing must be done."""
    actor = replace(asking.get(), key_id=key.key_id)
    deed = Deed(key.tenant, action, now, actor, details)
    with store.quick_client() as client:
        deed.begin(client)
    return deed


def end(store: Store, deed: Deed, result: str) -> None:
    """Store what came of it; it stays done when that fails, and the entry stays `begun`."""
    try:
        with store.quick_client() as client:
            audit.close(deed, client, result)
    except Unavailable as error:
        log.warning("audit_not_ended", entry_id=deed.entry_id, result=result, what=error.what)


@contextmanager
def recorded(
    store: Store, key: Key, action: str, clock: Callable[[], datetime], **details: Any
) -> Iterator[dict[str, Any]]:
    """A change that the caller makes; `details` may be added to what is yielded.

    Raises Unavailable before anything is done.
    """
    deed = begin(store, key, action, clock(), **details)
    result = FAILED
    try:
        yield deed.details
        result = DONE
    except Problem as problem:
        result = REFUSED
        deed.details["reason"] = problem.reason
        raise
    finally:
        end(store, deed, result)
