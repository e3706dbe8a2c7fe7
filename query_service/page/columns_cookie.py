"""The columns that a browser remembers of each grain, in a cookie: user:user.launches|team:users.

Whatever else is in it is as if it were not there.
Next: query_service.columns
"""

from collections.abc import Collection, Mapping

from query_service.problems import ParameterError, refused

Names = tuple[str, ...]


def read(cookie: str, there: Mapping[str, Names]) -> dict[str, Names]:
    """The columns that the cookie names, of those that are there of each grain."""
    parts = (part.partition(":") for part in cookie.split("|"))
    found = {
        grain: tuple(name for name in names.split(".") if name in there[grain])
        for grain, _, names in parts
        if grain in there
    }
    return {grain: names for grain, names in found.items() if names}


def write(cookie: str, grain: str, columns: Collection[str], there: Mapping[str, Names]) -> str:
    """The cookie with these columns of the grain, if any; raises Problem for an unknown grain."""
    if grain not in there:
        raise refused([ParameterError("by", "invalid_value", "not a table", tuple(there))])
    chosen = tuple(name for name in there[grain] if name in columns)
    kept = {**read(cookie, there), grain: chosen}
    return "|".join(f"{name}:{'.'.join(names)}" for name, names in kept.items() if names)
