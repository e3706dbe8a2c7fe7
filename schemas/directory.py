"""The directory: its eight entities, what identifies an entry of each, and their rules.

An entry may name only what changes, so it is judged after it was laid over what is stored.

Next: query_service.directory
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StrictBool,
    StrictInt,
    StrictStr,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from pydantic_core import PydanticCustomError

from schemas.directory_fields import (
    Day,
    EndsOn,
    Id,
    Moment,
    PriceAmount,
    Text,
    TokensAmount,
    UserRef,
)
from schemas.events import FORBIDDEN_CHARS, MAX_NAME_CHARS
from schemas.rejects import Reason, Rejected

SEATS_MAX = (1 << 32) - 1
MAX_MEMBERS = 1000


class Identity(BaseModel):
    """The fields that identify an entry; others are not looked at."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class TeamId(Identity):
    """What identifies a team."""

    team_id: Id


class Team(TeamId, extra="forbid"):
    """A team; its personal data is off unless it says otherwise."""

    name: Text | None = None
    personal_data: StrictBool = False


class MemberId(TeamId):
    """A user and a team."""

    user_id: UserRef


class TeamMember(MemberId, extra="forbid"):
    """The user belongs to the team."""


class UserId(Identity):
    """What identifies a user."""

    user_id: UserRef


class User(UserId, extra="forbid"):
    """A person."""

    first_name: Text | None = None
    last_name: Text | None = None
    email: Text | None = None


class ProductId(Identity):
    """What identifies a product."""

    product_id: Id


class Product(ProductId, extra="forbid"):
    """A product, or a collection of products."""

    name: Text | None = None
    kind: Literal["product", "collection"] = "product"
    members: Annotated[list[Id], Field(max_length=MAX_MEMBERS)] = []

    @field_validator("members")
    @classmethod
    def _of_a_collection(cls, members: list[str], info: ValidationInfo) -> list[str]:
        if members and info.data.get("kind") == "product":
            raise PydanticCustomError("members", "Only a collection has members")
        if info.data.get("product_id") in members:
            raise PydanticCustomError("members", "A collection is not a member of itself")
        return list(dict.fromkeys(members))


class SubscriptionId(Identity):
    """What identifies a subscription."""

    subscription_id: Id


class Subscription(SubscriptionId, extra="forbid"):
    """Seats that a team bought, from one day to another, both inclusive."""

    team_id: Id
    product_id: Id
    seats: Annotated[StrictInt, Field(ge=0, le=SEATS_MAX)]
    starts_on: Day
    ends_on: EndsOn


class AssignmentId(Identity):
    """A moment of a seat, and the path by which it is changed."""

    user_id: UserRef
    product_id: Id
    team_id: Id
    access: Literal["subscription", "flex"] = "subscription"
    at: Moment
    assignment: Literal["direct", "group", "default"]
    group: Annotated[Id | None, Field(validate_default=True)] = None

    @field_validator("group")
    @classmethod
    def _of_an_assignment_by_group(cls, group: str | None, info: ValidationInfo) -> str | None:
        by_group = info.data.get("assignment", "group" if group else "direct") == "group"
        if by_group and group is None:
            raise PydanticCustomError("missing", "Field required for an assignment by group")
        if group is not None and not by_group:
            raise PydanticCustomError("group", "Only an assignment by group has a group")
        return group


class Assignment(AssignmentId, extra="forbid"):
    """A user was assigned to, or unassigned from, a seat."""

    assigned: StrictBool


class PackId(Identity):
    """What identifies a token pack."""

    pack_id: Id


class TokenPack(PackId, extra="forbid"):
    """Tokens that a team, or without one the tenant, bought for a time."""

    team_id: Id | None = None
    tokens: TokensAmount
    purchased_on: Day
    starts_on: Day
    ends_on: EndsOn


class PriceId(Identity):
    """A product and the first day that its prices hold."""

    product_id: Id
    valid_from: Day


class Price(PriceId, extra="forbid"):
    """What a product costs as a subscription and in tokens."""

    annual_price: PriceAmount
    tokens_per_day: TokensAmount
    token_price: PriceAmount
    currency: Annotated[StrictStr, Field(pattern="^[A-Z]{3}$")]


@dataclass(frozen=True)
class Entity:
    """One kind of entry. `whole_tenant`: its entries belong to no team."""

    name: str
    identity: type[Identity]
    entry: type[Identity]
    whole_tenant: bool = False

    @property
    def ids(self) -> tuple[str, ...]:
        """The names of the fields that identify an entry."""
        return tuple(self.identity.model_fields)

    @property
    def fields(self) -> tuple[str, ...]:
        """The names of all fields, the identifying ones first."""
        return (*self.ids, *(name for name in self.entry.model_fields if name not in self.ids))


ENTITIES = {
    entity.name: entity
    # In the order that each can be told with what it names.
    for entity in (
        Entity("teams", TeamId, Team),
        Entity("users", UserId, User, whole_tenant=True),
        Entity("team_members", MemberId, TeamMember),
        Entity("products", ProductId, Product, whole_tenant=True),
        Entity("subscriptions", SubscriptionId, Subscription),
        Entity("token_packs", PackId, TokenPack),
        Entity("prices", PriceId, Price, whole_tenant=True),
        Entity("assignments", AssignmentId, Assignment),
    )
}


def identity_of(entity: Entity, given: Any) -> Identity:
    """What identifies the entry that was sent; raises Rejected."""
    if not isinstance(given, Mapping):
        raise Rejected(Reason.INVALID_FIELD, "An entry is a JSON object.")
    return _judged(entity.identity, given)


def is_deleted(given: Mapping[str, Any]) -> bool:
    """Whether the entry says that it is to be removed; raises Rejected."""
    deleted = given.get("deleted")
    if deleted is not None and not isinstance(deleted, bool):
        detail = "deleted: Input should be true or false."
        raise Rejected(Reason.INVALID_FIELD, detail, field="deleted")
    return bool(deleted)


def laid_over(entity: Entity, stored: Mapping[str, Any], given: Mapping[str, Any]) -> Identity:
    """The whole entry: what was sent over what is stored; raises Rejected.

    An absent field keeps its value; null takes it away, and its default is in its place.
    """
    whole = {**stored, **given}
    whole.pop("deleted", None)
    return _judged(entity.entry, whole)


def _judged(model: type[Identity], given: Mapping[str, Any]) -> Identity:
    try:
        return model.model_validate({n: value for n, value in given.items() if value is not None})
    except ValidationError as error:
        found = error.errors(include_url=False, include_context=False, include_input=False)[0]
    place = ".".join(map(str, found["loc"]))
    # An unknown field has a name of the sender's own making.
    named = 0 < len(place) <= MAX_NAME_CHARS and not FORBIDDEN_CHARS.search(place)
    field = place if named else None
    reason = Reason.MISSING_FIELD if found["type"] == "missing" else Reason.INVALID_FIELD
    message = _MESSAGES.get(found["type"], found["msg"])
    raise Rejected(reason, f"{field or 'a field'}: {message}.", field=field)


_MESSAGES = {"extra_forbidden": "There is no such field"}
