"""How values are written in JSON: decimals as strings, times in milliseconds with Z.

Next: query_service.routes.report
"""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from schemas.events import format_time


def plain(value: Any) -> Any:
    """A value from ClickHouse as JSON has it. Times without a zone are UTC."""
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, datetime):
        return format_time(value if value.tzinfo else value.replace(tzinfo=UTC))
    if isinstance(value, date):
        return value.isoformat()
    return value


def tokens(value: Decimal | None) -> str | None:
    """An exact number of tokens, without zeros that say nothing: 12.5, 3, 0."""
    if value is None:
        return None
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
