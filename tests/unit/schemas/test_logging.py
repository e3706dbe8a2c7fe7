"""Lines of the log: JSON off a terminal, whatever is told in them."""

import json
import subprocess
import sys

_TELL = """
import structlog
from schemas.telemetry import configure_logging

configure_logging(log_format="json")
log = structlog.get_logger()
log.info("plain", count=1, name="é")
log.info("odd", surrogate="\\ud800", huge=2**70, object={1, 2}.__class__)
try:
    1 / 0
except ZeroDivisionError:
    log.exception("failed")
"""


def test_a_line_is_json_whatever_it_tells():
    """Also text that is no Unicode, numbers beyond 64 bits, and what JSON has no form for."""
    done = subprocess.run([sys.executable, "-c", _TELL], capture_output=True, text=True, check=True)
    plain, odd, failed = map(json.loads, done.stderr.splitlines())
    assert (plain["event"], plain["level"], plain["count"], plain["name"]) == (
        *("plain", "info", 1, "é"),
    )
    assert (odd["surrogate"], odd["huge"], odd["object"]) == ("\ud800", 2**70, repr(set))
    assert "ZeroDivisionError" in failed["exception"]
