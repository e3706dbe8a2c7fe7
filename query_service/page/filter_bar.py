"""The filter bar and its chips, from the same parameters as the report's.

Next: query_service.page.report_page
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from query_service.page import words
from query_service.page.links import Address
from query_service.params import FILTERS
from query_service.ranges import Range
from schemas.reports import VALUES

# In the order of the bar; the words are those of the columns that are filtered.
CHOICES = {
    "team": "team",
    "product": "product",
    "access": "access",
    "activity": "activity",
    "seat": "seat",
    "assignment": "assignment",
    "frequency": "frequency",
    "recommendation": "recommendation",
    "group": "group",
    "version": "version",
}
PRESETS = {
    "30d": "Last 30 days",
    "3m": "Last 3 months",
    "6m": "Last 6 months",
    "9m": "Last 9 months",
    "12m": "Last 12 months",
}
NAMES = tuple(parameter.name for parameter in FILTERS)
RANGE = ("preset", "from", "to", "as_of")
# What goes along from one page to another: whose numbers, and of when.
SCOPE = ("team", *RANGE)
NUMBERS = {
    "days_used_min": "Days used, at least",
    "days_used_max": "Days used, at most",
    "tokens_min": "Tokens used, at least",
    "tokens_max": "Tokens used, at most",
}
# A page stays light: who looks for one of more versions writes it in the address.
MOST_OPTIONS = 200


@dataclass(frozen=True)
class Option:
    """A value that can be chosen."""

    value: str
    text: str
    chosen: bool


@dataclass(frozen=True)
class Choice:
    """A filter with its values; `left_out` are too many to offer."""

    name: str
    label: str
    options: tuple[Option, ...]
    left_out: int

    @property
    def chosen(self) -> int:
        """How many values are chosen."""
        return sum(option.chosen for option in self.options)


@dataclass(frozen=True)
class Chip:
    """An active filter; the link takes it away."""

    label: str
    text: str
    remove: Address


def choices(here: Address, found: Mapping[str, Any]) -> list[Choice]:
    """Every filter with a few values; `found` is what occurs (see query_service.options)."""
    named = _named(found)
    return [_choice(here, name, named[name]) for name in CHOICES]


def _named(found: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """The values of each filter, and their words."""
    return {
        **{name: VALUES[column] for name, column in CHOICES.items() if column in VALUES},
        "team": {each["team_id"]: each["team"] for each in found["teams"]},
        "product": {each["product_id"]: each["product"] for each in found["products"]},
        "group": {each: each for each in found["groups"]},
        "version": {each: each for each in found["versions"]},
    }


def _choice(here: Address, name: str, named: Mapping[str, str]) -> Choice:
    chosen = here.values(name)
    # What was chosen stays there to be taken away, though no row has it now.
    all_values = [*named, *(value for value in dict.fromkeys(chosen) if value not in named)]
    offered = [
        value for place, value in enumerate(all_values) if place < MOST_OPTIONS or value in chosen
    ]
    return Choice(
        name=name,
        label=words.label(CHOICES[name]),
        options=tuple(Option(v, named.get(v, v), v in chosen) for v in offered),
        left_out=len(all_values) - len(offered),
    )


def chips(here: Address, found: Mapping[str, Any], when: Range) -> list[Chip]:
    """The active filters, the range included when it is not the default one."""
    named = _named(found)
    active = []
    if when.preset is None:
        text = f"{words.day(when.start)} to {words.day(when.end)}"
        active.append(Chip("Dates", text, here.lacking("from").lacking("to")))
    elif here.values("preset"):
        active.append(Chip("Dates", PRESETS[when.preset], here.lacking("preset")))
    if here.values("as_of"):
        active.append(Chip("Seen from", words.moment(when.as_of), here.lacking("as_of")))
    for name, value in here.pairs:
        if name in NAMES:
            text = named.get(name, {}).get(value, value)
            active.append(Chip(_label(name), text, here.lacking(name, value)))
    return active


def _label(name: str) -> str:
    if name in CHOICES:
        return words.label(CHOICES[name])
    return NUMBERS.get(name) or {"q": "Name or e-mail", "user": "User"}[name]
