"""Changes of the directory take turns: each is laid over what the one before has stored.

That holds within one process. Of changes of one entry by two processes at once the later stays
whole; seats are safe from that, for each of their changes is a row of its own.
Next: query_service.directory_stored
"""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

from schemas.rejects import Unavailable

WAIT_SECONDS = 30.0

_turn = Lock()


@contextmanager
def turn() -> Iterator[None]:
    """Nobody else changes anything meanwhile; raises Unavailable when the wait is too long."""
    if not _turn.acquire(timeout=WAIT_SECONDS):
        raise Unavailable("query service", "too many changes at once")
    try:
        yield
    finally:
        _turn.release()
