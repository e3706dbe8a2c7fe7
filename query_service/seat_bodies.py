"""What a request to change seats says: its body, and the seats it names one by one.

Next: query_service.seat_filter
"""

from collections.abc import Iterator, Sequence
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StrictBool,
    StrictInt,
    StrictStr,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from query_service.problems import HIDDEN, ParameterError, Problem, refused
from query_service.seat_state import Item
from query_service.values import LONE_SURROGATE
from query_service.view import View
from schemas.directory_fields import Id, UserRef
from sinks.keys import Key, hashed_user_id

MAX_ITEMS = 10_000
# Begins the ids under which undoings are recorded.
UNDO = "undo:"


class SeatItem(BaseModel):
    """A seat. The user is named by `user_id`, or by the hash where personal data is hidden."""

    model_config = ConfigDict(extra="forbid")

    user_id: UserRef | None = None
    hashed_user_id: Id | None = None
    product_id: Id
    team_id: Id
    access: Literal["subscription", "flex"] = "subscription"

    @model_validator(mode="after")
    def _one_user(self) -> Self:
        if (self.user_id is None) == (self.hashed_user_id is None):
            raise PydanticCustomError("user", "Exactly one of user_id and hashed_user_id is needed")
        return self


class ChangeSeats(BaseModel):
    """Seats, one by one or by a filter of the report, and the id that makes a retry harmless."""

    model_config = ConfigDict(extra="forbid")

    items: Annotated[list[SeatItem], Field(min_length=1, max_length=MAX_ITEMS)] | None = None
    filter: dict[str, Any] | None = Field(
        None, description="Query parameters of the report: strings, numbers, or lists of them."
    )
    as_of: StrictStr | None = Field(None, description="The moment that the filter looks from.")
    expected_users: Annotated[StrictInt, Field(ge=0)] | None = Field(
        None, description="How many users the filter should choose; needed with one."
    )
    dry_run: StrictBool = False
    request_id: Id | None = Field(None, description="Needed unless `dry_run`.")

    @property
    def teams(self) -> list[str]:
        """The teams in view: those of the items, or of the filter."""
        if self.items is not None:
            return sorted({item.team_id for item in self.items})
        named = (self.filter or {}).get("team", [])
        return [str(team) for team in (named if isinstance(named, list) else [named])]

    @field_validator("filter")
    @classmethod
    def _of_whole_characters(cls, given: dict[str, Any] | None) -> dict[str, Any] | None:
        # Teams are looked up before the filter is judged, for what may be shown depends on them.
        for value in (given or {}).values():
            texts = value if isinstance(value, list) else [value]
            if any(LONE_SURROGATE.search(text) for text in texts if isinstance(text, str)):
                raise PydanticCustomError("text", "Input should hold no lone surrogate")
        return given


def body_errors(kind: str, body: ChangeSeats) -> Iterator[ParameterError]:
    """What is wrong with the fields together."""
    if (body.items is None) == (body.filter is None):
        yield ParameterError("items", "conflict", "exactly one of items and filter is needed")
    if body.request_id is None and not body.dry_run:
        yield ParameterError("request_id", "missing_parameter", "is required unless dry_run")
    if (body.request_id or "").startswith(UNDO):
        yield ParameterError("request_id", "invalid_value", f"begins with {UNDO}")
    if body.filter is not None and kind == "assign":
        yield ParameterError("filter", "conflict", "seats are assigned one by one")
    if body.filter is not None and body.expected_users is None:
        yield ParameterError("expected_users", "missing_parameter", "is required with a filter")
    for name in ("as_of", "expected_users"):
        if body.filter is None and getattr(body, name) is not None:
            yield ParameterError(name, "conflict", "is given without a filter")


def check_teams(key: Key, teams: Sequence[str]) -> None:
    """Raise 403 unless the key may change the seats of all these teams, one an item."""
    errors = [
        ParameterError(f"items.{number}.team_id", "forbidden", "the key is limited to other teams")
        for number, team in enumerate(teams)
        if not key.sees_team(team)
    ]
    if errors:
        raise Problem(403, "forbidden", "The key is limited to other teams.", errors=errors)


def item_errors(kind: str, view: View, items: Sequence[SeatItem]) -> Iterator[ParameterError]:
    """What is wrong with items in this view: users are named as it names them."""
    for number, item in enumerate(items):
        place = f"items.{number}"
        if item.user_id is not None and not view.shown:
            yield ParameterError(
                f"{place}.user_id", HIDDEN, "personal data is hidden in this view; send the hash"
            )
        if item.hashed_user_id is not None and view.shown:
            yield ParameterError(
                f"{place}.hashed_user_id", "invalid_value", "names are shown here; send user_id"
            )
        if kind == "move-to-flex" and item.access == "flex":
            yield ParameterError(
                f"{place}.access", "invalid_value", "it is flex already", ("subscription",)
            )


def named_seats(kind: str, view: View, given: Sequence[SeatItem]) -> list[Item]:
    """The items with their users. A hash that stands for nobody is not assigned, nor can be."""
    hashes = sorted({item.hashed_user_id for item in given if item.hashed_user_id})
    found = view.store.user_ids(view.key, hashes) if hashes else []
    users = {hashed_user_id(view.secret, user): user for user in found}
    unknown = [
        ParameterError(f"items.{number}.hashed_user_id", "unknown_user", "it stands for nobody")
        for number, item in enumerate(given)
        if item.hashed_user_id and item.hashed_user_id not in users
    ]
    if unknown and kind == "assign":
        raise refused(unknown)
    return [_item(each, users) for each in given]


def _item(given: SeatItem, users: dict[str, str]) -> Item:
    user = given.user_id or users.get(given.hashed_user_id or "")
    return Item(
        user_id=user,
        hashed_user_id=None if user else given.hashed_user_id,
        product_id=given.product_id,
        team_id=given.team_id,
        access=given.access,
        verdict="" if user else "not_assigned",
    )
