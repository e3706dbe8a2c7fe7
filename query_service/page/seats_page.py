"""Seats ticked on the page: what would become of them, what became of them, and undo.

Next: query_service.seat_changes
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from pydantic import ValidationError

from query_service.page import words
from query_service.page.filter_bar import NAMES, RANGE
from query_service.page.links import Address
from query_service.problems import Problem
from query_service.seat_bodies import ChangeSeats
from query_service.store import compose, question
from query_service.view import View

# What would be done, to so many seats.
KINDS = {"unassign": "Unassign {}", "move-to-flex": "Move {} to flex"}
DONE = {
    "unassign": "Unassigned",
    "move-to-flex": "Moved to flex",
    "assign": "Assigned",
    "undo": "Undone",
}
# What becomes of a seat, and why; the contract's verdicts in words.
VERDICTS = {
    "unassigned": "Unassigned",
    "still_assigned": "Stays assigned, by another path",
    "skipped_group": "Skipped: assigned by a group",
    "skipped_default": "Skipped: assigned by default",
    "not_assigned": "Skipped: not assigned any more",
    "assigned": "Assigned",
    "already_assigned": "Was assigned already",
    "undone": "As it was before",
    "changed_since": "Skipped: changed since by somebody else",
}
# The same verdicts say a little more of a seat that is moved.
MOVED = {
    "unassigned": "Moved to flex",
    "still_assigned": "Flex assigned; the seat stays, by another path",
}
_CHANGING = frozenset({"unassigned", "assigned", "undone"})
# A page lists so many; all are counted.
MOST_LISTED = 200


@dataclass(frozen=True)
class Asked:
    """What a form asks for: seats ticked one by one, or all rows of an address."""

    kind: str
    body: ChangeSeats
    back: str
    # Ticked seats that are used now and then: flex would do for these.
    occasional: int = 0
    # Ticked to be moved to flex, and flex already.
    is_flex: int = 0

    @property
    def scope(self) -> tuple[str, ...]:
        """The teams of the list that was shown, and of the seats; none for all."""
        listed = Address.of(self.back).values("team")
        return tuple(sorted({*listed, *self.body.teams})) if listed else ()


def tickable(cells: Mapping[str, Any]) -> tuple[dict[str, str] | None, str]:
    """What a box on this row would take back; or why it has none."""
    if cells["seat"] != "assigned":
        return None, "There is no seat to take back."
    if cells["via"]:
        return None, f"The seat is that of the collection {cells['via']}."
    if cells["assignment"] == "group":
        return None, f"Assigned by the group {cells['group']}: change the group."
    if cells["assignment"] == "default":
        return None, "Assigned by default: change the product's default."
    return {
        "user_id": cells["user_id"] or "",
        "hashed_user_id": cells["hashed_user_id"] or "",
        "product_id": cells["product_id"],
        "team_id": cells["team_id"],
        "access": cells["access"],
        "recommendation": cells["recommendation"] or "",
    }, ""


def asked(here: Address, form: list[tuple[str, str]], *, dry_run: bool) -> Asked:
    """The request of a form; raises Problem when nothing is ticked or it can't be read."""
    given = dict(form)
    kind, back = given.get("kind", ""), here.inside(given.get("back", ""))
    if kind not in KINDS:
        raise Problem(400, "invalid_parameters", "The form does not say what to do.")
    more: dict[str, Any] = {"dry_run": dry_run, "request_id": given.get("request_id") or None}
    ticked = [_seat(text) for name, text in form if name == "seat"]
    seats = [seat for seat in ticked if (kind, seat.get("access")) != ("move-to-flex", "flex")]
    if given.get("all"):
        more |= _all_that_match(back, given)
        ticked = seats = []
    elif not seats:
        what = "What is ticked is flex already" if ticked else "No seat is ticked"
        raise Problem(400, "nothing_selected", f"{what}: go back and tick some.")
    occasional = sum(seat.pop("recommendation", "") == "switch_to_flex" for seat in seats)
    more |= {"items": seats} if seats else {}
    try:
        body = ChangeSeats.model_validate(more)
    except ValidationError as error:
        raise Problem(400, "invalid_parameters", "The form can't be read.") from error
    return Asked(kind, body, back, occasional, len(ticked) - len(seats))


def _all_that_match(back: str, given: Mapping[str, str]) -> dict[str, Any]:
    if back != given.get("back"):  # else it would be all rows of all
        raise Problem(400, "invalid_parameters", "The form does not say of which list.")
    listed = Address.of(back)
    names = (*NAMES, *(name for name in RANGE if name != "as_of"))
    chosen = {name: list(listed.values(name)) for name in names if listed.values(name)}
    return {
        "filter": {name: values[0] if name in RANGE else values for name, values in chosen.items()},
        "as_of": given.get("as_of") or None,
        "expected_users": int(given["users"]) if given.get("users", "").isdecimal() else None,
    }


def _seat(text: str) -> dict[str, Any]:
    try:
        seat = json.loads(text)
    except ValueError:
        seat = None
    if not isinstance(seat, dict):
        raise Problem(400, "invalid_parameters", "The form can't be read.")
    return {name: value for name, value in seat.items() if value}


def hidden_fields(given: Asked, *, request_id: str | None = None) -> list[tuple[str, str]]:
    """The request as the confirming form sends it again, under one id however often it is sent."""
    body = given.body
    fields = [("kind", given.kind), ("back", given.back), ("request_id", request_id or uuid4().hex)]
    if body.items is not None:
        return [
            *fields,
            *(("seat", item.model_dump_json(exclude_none=True)) for item in body.items),
        ]
    return [
        *fields,
        ("all", "1"),
        ("as_of", body.as_of or ""),
        ("users", str(body.expected_users)),
    ]


def described(view: View, kind: str, answer: Mapping[str, Any]) -> dict[str, Any]:
    """The answer of a change in words: how many of which verdict, and the seats by name."""
    worded = VERDICTS | MOVED if kind == "move-to-flex" else VERDICTS
    # First what is skipped, and why: that must not be overlooked.
    in_order = sorted(answer["items"], key=lambda item: item["verdict"] in _CHANGING)
    items = in_order[:MOST_LISTED]
    names = _names(view, items)
    return {
        "counts": answer["counts"],
        "verdicts": [
            (words.number(answer["counts"][verdict]), text)
            for verdict, text in worded.items()
            if answer["counts"].get(verdict)
        ],
        "items": [{**item, **_named(item, names, worded)} for item in items],
        "left_out": len(answer["items"]) - len(items),
    }


def _named(
    item: Mapping[str, Any], names: Mapping[str, str], worded: Mapping[str, str]
) -> dict[str, str]:
    verdict = worded.get(item["verdict"], item["verdict"])
    if item["verdict"] == "skipped_group" and item["group"]:
        verdict += f" ({item['group']})"
    return {
        "user": names.get(f"user:{item['user_id']}") or item["user_id"] or item["hashed_user_id"],
        "product": names.get(f"product:{item['product_id']}", item["product_id"]),
        "team": names.get(f"team:{item['team_id']}", item["team_id"]),
        "told": verdict,
    }


def _names(view: View, items: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Names of the users, where they are shown, and of products and teams."""
    rows = view.store.ask(view.key, "names", {})
    names = {f"{row['kind']}:{row['id']}": row["name"] for row in rows if row["name"]}
    if view.shown:
        users = sorted({item["user_id"] for item in items if item["user_id"]})
        sql = compose("user_names", people=question("people_shown"))
        for row in view.store.ask(view.key, "user_names", {"user_ids": users}, sql=sql):
            names[f"user:{row['user_id']}"] = words.person(row)
    return names
