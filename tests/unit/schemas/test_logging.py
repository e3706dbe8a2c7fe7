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


_TELL_OTHERS = """
import logging
from schemas.telemetry import configure_logging

configure_logging(log_format="json", level="debug")
for name in ("kafka.conn", "aiokafka", "httpcore.http11", "httpx", "urllib3.connectionpool",
             "clickhouse_connect.driver", "asyncio"):
    logging.getLogger(name).debug("sample-user-1")
    logging.getLogger(name).warning("all is well" if "urllib3" not in name else "nothing")
logging.getLogger("httpx").info("GET /?user=sample-user-1")
logging.getLogger("ours").debug("told")
"""


def test_what_libraries_send_is_in_no_log():
    """Even at level debug: they would log requests and records, which name users. We still do."""
    done = subprocess.run(
        [sys.executable, "-c", _TELL_OTHERS], capture_output=True, text=True, check=True
    )
    assert "sample-user-1" not in done.stderr
    told = [json.loads(line)["event"] for line in done.stderr.splitlines()]
    assert told.count("all is well") == 6
    assert told[-1] == "told"


_TELL_IN_A_REQUEST = """
import logging
import structlog
from schemas.telemetry import configure_logging

configure_logging(log_format="json")
structlog.contextvars.bind_contextvars(request_id="sample-1")
structlog.get_logger().info("ours")
logging.getLogger("theirs").warning("theirs")
"""


def test_every_line_of_a_request_has_its_id():
    """Ours and those of libraries."""
    done = subprocess.run(
        [sys.executable, "-c", _TELL_IN_A_REQUEST], capture_output=True, text=True, check=True
    )
    lines = [json.loads(line) for line in done.stderr.splitlines()]
    assert [line["request_id"] for line in lines] == ["sample-1", "sample-1"]
