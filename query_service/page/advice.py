"""What to do about what is seen, in sentences with a number, each with a link to its rows.

Next: query_service.page.report_page
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from query_service.chosen import Choosing, chosen, chosen_parameters
from query_service.page import words
from query_service.page.filter_bar import SCOPE
from query_service.page.links import Address
from query_service.ranges import Range
from query_service.store import Row, compose
from query_service.view import View

_PRESETS = {"30d": "these 30 days", "3m": "these 3 months", "6m": "these 6 months"}
_PRESETS |= {"9m": "these 9 months", "12m": "these 12 months"}


@dataclass(frozen=True)
class Advice:
    """A sentence, and where its rows are."""

    text: str
    action: str
    link: Address


def period(when: Range) -> str:
    """The range in the middle of a sentence."""
    if when.preset:
        return _PRESETS[when.preset]
    return f"the time from {words.day(when.start)} to {words.day(when.end)}"


def read(view: View, query: Choosing) -> list[Row]:
    """How many of the chosen rows have each recommendation."""
    sql = advice_sql(chosen(query.filters, shown=view.shown))
    return view.store.ask(view.key, "advice", chosen_parameters(view, query), sql=sql)


def advice_sql(rows: str) -> str:
    """The question of how many of `rows`, which are SQL, have each recommendation."""
    return compose("advice", chosen=rows)


def advice(
    rows: list[Row], snapshot: Mapping[str, Any], when: Range, here: Address
) -> list[Advice]:
    """What stands out, the most expensive first; nothing when all is well."""
    return [*_seats(rows, when, here), *_snapshot(snapshot, here)]


def _seats(rows: list[Row], when: Range, here: Address) -> Iterator[Advice]:
    found = {row["recommendation"]: row for row in rows}
    # Sorted by a column of another grain, this one could not be.
    listed = here.having(by="", sort="")
    if (row := found.get("unassign")) and row["seats"]:
        seats = words.count(row["seats"], "seat")
        verb = "was" if row["seats"] == 1 else "were"
        text = f"{seats} {verb} not used in {period(when)}: take back what nobody needs."
        link = listed.having(recommendation="unassign", access="subscription")
        yield Advice(text, "Review unused seats", link)
    if row := found.get("switch_to_flex"):
        users = words.count(row["seats"], "seat is", "seats are")
        text = f"{users} used so seldom that tokens would cost less."
        link = listed.having(recommendation="switch_to_flex")
        yield Advice(text, "Review seats for flex", link)
    if row := found.get("switch_to_subscription"):
        users = words.count(row["users"], "user of tokens uses", "users of tokens use")
        text = f"{users} a product so often that a subscription would cost no more."
        link = listed.having(recommendation="switch_to_subscription")
        yield Advice(text, "Review them", link)


def _snapshot(snapshot: Mapping[str, Any], here: Address) -> Iterator[Advice]:
    seats, balance = snapshot["seats"], snapshot["flex"]["balance"]
    if seats["over"]:
        text = (
            f"{words.count(seats['over'], 'more seat is', 'more seats are')} assigned than bought."
        )
        bought = here.only(("product", *SCOPE))
        yield Advice(text, "See where", bought.having(by="product"))
    tokens = here.at("/tokens").only(SCOPE)
    if balance["low"]:
        text = f"Tokens are low: {words.number(balance['remaining'])} are left."
        yield Advice(text, "See tokens", tokens)
    for pack in balance["expiring"]:
        text = (
            f"{words.number(pack['tokens'])} tokens of a pack end on {words.day(pack['ends_on'])}."
        )
        yield Advice(text, "See tokens", tokens)
        break
