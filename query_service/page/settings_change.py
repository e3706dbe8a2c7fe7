"""What a form of settings would change: shown before it is done, and nothing else is done.

Next: query_service.directory
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from query_service.page.settings_page import Form, Section, shown
from query_service.privacy import Scope


@dataclass(frozen=True)
class Change:
    """A field before and after."""

    name: str
    label: str
    before: str
    after: str


def changes(
    part: Section, before: Mapping[str, Any] | None, after: Mapping[str, Any]
) -> list[Change]:
    """What a form would change, in words."""
    if after.get("deleted"):
        return [
            Change(each.name, each.label, shown(each, (before or {}).get(each.name)), "")
            for each in part.fields
        ]
    found = []
    for each in part.fields:
        was, will = shown(each, (before or {}).get(each.name)), shown(each, after.get(each.name))
        if was != will or before is None:
            found.append(Change(each.name, each.label, "" if before is None else was, will))
    return found


def reviewed(
    part: Section,
    before: Mapping[str, Any] | None,
    after: Mapping[str, Any],
    changed: Sequence[Change],
) -> list[tuple[str, str]]:
    """The fields of the form that saves: what is listed as changed, and of which entry."""
    names = [*part.entity.ids]
    if not after.get("deleted"):
        names += [each.name for each in changed if each.name not in names]
    written = [(name, _written(after[name])) for name in names]
    return [*written, *([("delete", "1")] if after.get("deleted") else []), ("seen", mark(before))]


def _written(value: Any) -> str:
    """As a form has it; `read` reads it back."""
    if isinstance(value, bool):
        return "on" if value else ""
    return "" if value is None else str(value)


def mark(entry: Mapping[str, Any] | None) -> str:
    """Tells whether an entry is still the one that was looked at."""
    return hashlib.sha256(json.dumps(entry, sort_keys=True).encode()).hexdigest()[:32]


def named_alone(part: Section, entry: Mapping[str, Any], form: Form) -> dict[str, Any]:
    """The entry without the fields that the form does not name: they stay as they are."""
    named = {*part.entity.ids, "deleted", *(name for name, _ in form)}
    return {name: value for name, value in entry.items() if name in named}


def is_there(part: Section, before: Mapping[str, Any] | None, entry: Mapping[str, Any]) -> bool:
    """Whether what is stored is what is asked for, as when a form is sent twice."""
    if entry.get("deleted") or before is None:
        return bool(entry.get("deleted")) and before is None
    return all(
        shown(each, before[each.name]) == shown(each, entry[each.name])
        for each in part.fields
        if each.name in entry
    )


def effect(
    part: Section, before: Mapping[str, Any] | None, after: Mapping[str, Any], scope: Scope
) -> str:
    """What else a change does, in a sentence; empty if nothing.

    `scope` says whose teams hide names, as in query_service.privacy.
    """
    if part.name != "teams":
        return ""
    was = bool(before and before["personal_data"])
    will = bool(after.get("personal_data")) and not after.get("deleted")
    if was and not will:
        return _HIDES[scope]
    return _SHOWS[scope] if will and not was else ""


_HIDDEN = (
    "on the page, in answers and in exports. A hash stands for each user. Files that were exported "
    "before keep what they hold."
)
_HIDES: dict[Scope, str] = {
    "view": "Names, e-mail addresses and user ids will be hidden in every view with this team: "
    + _HIDDEN,
    "tenant": "Names, e-mail addresses and user ids will be hidden in every view of every team, "
    "because one team that hides them is enough here: " + _HIDDEN,
}
_SHOWS: dict[Scope, str] = {
    "view": "Names, e-mail addresses and user ids will be shown in views of this team, to all "
    "whose keys may read it, as far as no other team in the view hides them.",
    "tenant": "Names, e-mail addresses and user ids will be shown in every view, to all whose keys "
    "may read it, unless any other team hides them: one is enough here.",
}
