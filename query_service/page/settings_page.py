"""What an administrator may set: personal data, seats, packs, prices; every change is confirmed.

Next: query_service.page.settings_change
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from query_service import directory_stored
from query_service.directory import Reject, judge, place_of, put
from query_service.directory_list import entries, entry_of, list_query
from query_service.page import words
from query_service.page.links import Address
from query_service.problems import Problem
from query_service.view import View
from query_service.wiring import Wiring
from schemas.directory import ENTITIES, Entity
from schemas.rejects import Rejected
from sinks.keys import Key

Form = Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Field:
    """A field of a form: its label, and how it is entered."""

    name: str
    label: str
    kind: str = "text"
    hint: str = ""


@dataclass(frozen=True)
class Section:
    """Entries of the directory that are set on the page."""

    name: str
    title: str
    one: str
    about: str
    fields: tuple[Field, ...]

    @property
    def entity(self) -> Entity:
        """What is set."""
        return ENTITIES[self.name]

    def field(self, name: str) -> Field:
        """The field of this name."""
        return next(each for each in self.fields if each.name == name)


SECTIONS = {
    section.name: section
    for section in (
        Section(
            "teams",
            "Teams and personal data",
            "team",
            "A team with personal data switched off hides the names of everybody in every view "
            "that it is part of: on the page, in answers and in exports.",
            (
                Field("team_id", "Team id"),
                Field("name", "Name"),
                Field("personal_data", "Personal data", "switch"),
            ),
        ),
        Section(
            "subscriptions",
            "Seats",
            "subscription",
            "The seats that a team bought of a product, from one day to another.",
            (
                Field("subscription_id", "Subscription id"),
                Field("team_id", "Team id"),
                Field("product_id", "Product id"),
                Field("seats", "Seats", "number"),
                Field("starts_on", "First day", "date"),
                Field("ends_on", "Last day", "date"),
            ),
        ),
        Section(
            "token_packs",
            "Token packs",
            "pack",
            "Tokens that a team bought. A pack without a team is everybody's.",
            (
                Field("pack_id", "Pack id"),
                Field("team_id", "Team id", hint="Empty: all teams."),
                Field("tokens", "Tokens", "decimal"),
                Field("purchased_on", "Bought on", "date"),
                Field("starts_on", "First day", "date"),
                Field("ends_on", "Last day", "date"),
            ),
        ),
        Section(
            "prices",
            "Prices",
            "price",
            "What a product costs, as a subscription and in tokens: from these follows whose seat "
            "is used often enough.",
            (
                Field("product_id", "Product id"),
                Field("valid_from", "Valid from", "date"),
                Field("annual_price", "Subscription, a year", "decimal"),
                Field("tokens_per_day", "Tokens, a day used", "decimal"),
                Field("token_price", "A token", "decimal"),
                Field("currency", "Currency", hint="Three letters, as EUR."),
            ),
        ),
    )
}


def section(name: str) -> Section:
    """The section of a name; raises Problem."""
    if name not in SECTIONS:
        raise Problem(404, "not_found", f"The settings are {', '.join(SECTIONS)}.")
    return SECTIONS[name]


def check_may(key: Key, part: Section) -> None:
    """Raise 403 when the entries are the tenant's, and the key is limited to teams."""
    if key.teams and part.entity.whole_tenant:
        raise Problem(403, "forbidden", "Your key is limited to teams; these are the tenant's.")


def listed(view: View, part: Section, here: Address) -> dict[str, Any]:
    """A page of the section's entries, and where the next one is."""
    pairs = [pair for pair in here.pairs if pair[0] in {"team", "product", "cursor"}]
    found = entries(view, list_query(part.entity, pairs, view))
    after = found["next_cursor"]
    kept = here.only(("team", "product"))
    return {
        "entries": found[part.name],
        "next": kept.having(cursor=after) if after else None,
    }


def stored(view: View, part: Section, given: Mapping[str, Any]) -> dict[str, Any] | None:
    """The entry that is there under these ids, if the key may change it."""
    try:
        place = place_of(part.entity, given)
    except Rejected:
        return None
    for row in directory_stored.stored(view.store, view.key, part.entity, [place]):
        is_it = tuple(row[name] for name in part.entity.ids) == place and not row["deleted"]
        if is_it and ("team_id" not in row or view.key.sees_team(row["team_id"] or "")):
            return entry_of(part.entity, row)
    return None


def read(part: Section, form: Form) -> dict[str, Any]:
    """The entry that a form holds; an empty field is null. `delete` removes it."""
    given = dict(form)
    if given.get("delete"):
        ids = {name: given.get(name, "") for name in part.entity.ids}
        return {**ids, "deleted": True}
    return {each.name: _value(each, given.get(each.name, "").strip()) for each in part.fields}


def _value(asked: Field, text: str) -> Any:
    if asked.kind == "switch":
        return text == "on"
    if asked.kind == "number" and text.isdecimal():
        return int(text)
    return text or None


def shown(asked: Field, value: Any) -> str:
    """A value as the page writes it."""
    if asked.kind == "switch":
        return "On" if value else "Off"
    if value is None:
        return words.NONE
    if asked.kind == "date":
        return words.day(value)
    if asked.kind in {"number", "decimal"} and str(value).replace(".", "", 1).isdecimal():
        return words.number(value)
    return str(value)


def refusal(wired: Wiring, key: Key, part: Section, entry: Mapping[str, Any]) -> Reject | None:
    """Why the entry would be refused, if it would be."""
    return next(iter(judge(wired.store, key, part.entity, [dict(entry)]).rejected), None)


def save(wired: Wiring, key: Key, part: Section, entry: Mapping[str, Any]) -> Reject | None:
    """Store the entry; why it was refused, if it was."""
    return next(iter(put(wired.store, key, part.entity, [dict(entry)], wired.now).rejected), None)
