"""The pulse of the store goes on whatever the store said before.

Next: query_service.pulse
"""

import threading

from clickhouse_connect.driver.exceptions import DatabaseError

from query_service.pulse import Pulse

_PATIENCE_SECONDS = 30.0


class _Answers:
    """A client whose server answers."""

    def __init__(self, asked):
        self._asked = asked

    def ping(self):
        self._asked.set()
        return True

    def close(self):
        """Nothing is open."""


def test_a_store_that_refused_once_is_asked_again():
    """A service that came before its database answers once the database is there."""
    refusals, asked = iter(["no database", "no database"]), threading.Event()

    def make():
        for reason in refusals:
            raise DatabaseError(f"Code: 81. DB::Exception: {reason}")
        return _Answers(asked)

    pulse = Pulse(make, silence_seconds=_PATIENCE_SECONDS)
    pulse.start()
    try:
        assert asked.wait(_PATIENCE_SECONDS)
        assert not pulse.silent()
    finally:
        pulse.stop()
