"""Which changes of seats change something: the fold of each path's history, up to each change.

Next: sinks.directory
"""

from collections import defaultdict
from collections.abc import Iterable
from operator import itemgetter
from typing import Any

Change = dict[str, Any]

_path = itemgetter("user_id", "product_id", "team_id", "access", "assignment", "group")
_order = itemgetter("at", "version")


def changing(stored: Iterable[Change], new: Iterable[Change]) -> list[Change]:
    """Those of the `new` changes after which their path is not as it was before them.

    `new` ones have a higher version than all `stored`, and come after those of the same moment.
    """
    paths: dict[Any, list[Change]] = defaultdict(list)
    arriving = set()
    for change in new:
        paths[_path(change)].append(change)
        arriving.add(id(change))
    for change in stored:
        if _path(change) in paths:
            paths[_path(change)].append(change)
    kept: list[Change] = []
    for changes in paths.values():
        assigned = False
        for change in sorted(changes, key=_order):
            if id(change) in arriving and change["assigned"] != assigned:
                kept.append(change)
            assigned = change["assigned"]
    return kept
