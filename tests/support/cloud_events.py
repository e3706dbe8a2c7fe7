"""Sample events of now, as a sender would write them.

Next: tests.support.gateway_process
"""

import uuid
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any


def event(**changes: Any) -> dict[str, Any]:
    """A launch of now, with an id of its own."""
    return {
        "specversion": "1.0",
        "id": str(uuid.uuid4()),
        "source": "sample/desktop",
        "type": "product.launched",
        "subject": "sample-user",
        "time": datetime.now(UTC).isoformat(),
        "data": {"team_id": "sample-team", "product_id": "sample-product"},
        **changes,
    }


def ids(lines: Iterable[dict[str, Any]]) -> list[str]:
    """Their ids."""
    return sorted(line["id"] for line in lines)
