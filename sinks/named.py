"""Whether a text names a user: the id as a word of its own, however JSON spells it.

An id may stand within another one (`ann` in `joann`, in `ann@example.com`), which is another user.

Next: sinks.erase_letters
"""

import json
import re
from typing import Any

# What an id may go on with; a full stop alone ends a sentence.
_BEFORE, _AFTER = r"(?<![\w@.+-])", r"(?![\w@+-]|\.\w)"


class Named:
    """Finds one user's id."""

    def __init__(self, tenant: str, user_id: str) -> None:
        self._tenant = tenant
        self._user_id = user_id
        self._word = re.compile(f"{_BEFORE}{re.escape(user_id)}{_AFTER}")

    def in_text(self, text: str) -> bool:
        """Whether it is a word of this text."""
        return self._word.search(text) is not None

    def in_raw(self, raw: bytes, *, tenant: str) -> bool:
        """Whether what was sent names the user; `tenant` is empty where it is not known.

        Lines of the log say their tenant themselves, and another one has users of its own.
        """
        return any(self._in_line(line, tenant) for line in raw.split(b"\n"))

    def _in_line(self, line: bytes, tenant: str) -> bool:
        text = line.decode(errors="replace")
        try:
            found = json.loads(text)
        except (ValueError, RecursionError):
            return self.in_text(text) or self.in_text(_unescaped(text))
        said = found.get("tenant") if isinstance(found, dict) else None
        if not tenant and isinstance(said, str) and said != self._tenant:
            return False
        return any(self.in_text(part) for part in _strings(found))


def _strings(value: Any) -> list[str]:
    """Every string in what JSON holds, keys included."""
    found, waiting = [], [value]
    while waiting:
        part = waiting.pop()
        if isinstance(part, str):
            found.append(part)
        elif isinstance(part, dict):
            waiting += [*part.keys(), *part.values()]
        elif isinstance(part, list):
            waiting += part
    return found


def _unescaped(text: str) -> str:
    """Text that is no whole JSON, with the escapes of JSON resolved where they can be."""
    return re.sub(r"\\u([0-9a-fA-F]{4})|\\(.)", _character, text)


def _character(match: re.Match[str]) -> str:
    return chr(int(match[1], 16)) if match[1] else match[2]
