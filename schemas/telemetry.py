"""How a process logs: JSON off a terminal, and nothing that names a user.

Next: schemas.settings
"""

import json
import logging
import sys
from typing import Any, Literal

import orjson
import structlog

# Libraries that log at level info what only their own developers want to know.
_TALKATIVE = (
    *("kafka", "aiokafka", "faust", "mode", "httpcore", "hpack", "asyncio"),
    *("clickhouse_connect", "uvicorn.access"),
)


def configure_logging(
    *, log_format: Literal["auto", "json", "console"] = "auto", level: str = "info"
) -> None:
    """Set up structlog, and the standard library's logging through it, for this process."""
    as_json = log_format == "json" or (log_format == "auto" and not sys.stderr.isatty())
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer(serializer=_json)
        if as_json
        # Without the values of variables, which may name users.
        else structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
    )
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    if as_json:
        shared.append(structlog.processors.format_exc_info)
    structlog.configure(
        processors=[*shared, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    # They log whole addresses, whose parameters name users.
    logging.getLogger("urllib3").setLevel(logging.ERROR)
    logging.getLogger("httpx").setLevel(logging.WARNING)
    # It can't read what Faust tells the group about itself, and says so at every look.
    logging.getLogger("kafka.admin._groups").setLevel(logging.ERROR)
    # Below info they log what they send and receive, and that names users.
    others = logging.INFO if level == "debug" else logging.WARNING
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(others)


def _json(entry: Any, *, default: Any) -> str:
    """A line of JSON; orjson writes it several times as fast, but not every text and number."""
    try:
        return orjson.dumps(entry, default=default).decode()
    except TypeError:
        return json.dumps(entry, default=default)
