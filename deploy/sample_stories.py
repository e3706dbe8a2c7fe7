"""The sample's stories: users whose use and seats bring about what a random crowd may not show.

Each is one state of the report, whatever day the sample is loaded on.

Next: deploy.sample_directory
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from deploy.population import PRODUCTS, user_id
from schemas.events import CONSUMED, LAUNCHED

CAD, BIM, RENDER, _, REVIEW, SURVEY = PRODUCTS
COLLECTION, MEMBERS = "sample-collection-design", (BIM, RENDER, REVIEW)
DESIGN_GROUP, SITE_GROUP = "Sample Group Design", "Sample Group Site"


@dataclass(frozen=True)
class Path:
    """A way to a seat: assigned `since` days back, unassigned `until` days back if at all."""

    product: str
    assignment: str = "direct"
    group: str | None = None
    access: str = "subscription"
    since: int = 120
    until: int | None = None


@dataclass(frozen=True)
class Use:
    """One use on each of these days back; with tokens it is flex."""

    product: str
    days: tuple[int, ...]
    tokens: str | None = None


@dataclass(frozen=True)
class Story:
    """What happens to one user in one team; `known`: the directory has an entry."""

    number: int
    team: str
    paths: tuple[Path, ...] = ()
    uses: tuple[Use, ...] = ()
    last_name: str | None = None
    known: bool = True

    @property
    def user_id(self) -> str:
        """Beyond the numbers of the crowd."""
        return user_id(self.number)


_OFTEN = tuple(range(0, 80, 2))
_SELDOM = (12, 40)

STORIES = (
    # Unused for months: unassign.
    Story(901, "sample-team-1", (Path(CAD),)),
    # A seat that is seldom used: switch_to_flex.
    Story(902, "sample-team-1", (Path(CAD),), (Use(CAD, _SELDOM),)),
    # Tokens burnt on every other day: switch_to_subscription.
    Story(903, "sample-team-2", (Path(CAD, access="flex"),), (Use(CAD, _OFTEN, "10"),)),
    # A seat worth its price.
    Story(904, "sample-team-3", (Path(CAD),), (Use(CAD, _OFTEN),)),
    # A collection, used through two of its members.
    Story(905, "sample-team-3", (Path(COLLECTION),), (Use(BIM, _OFTEN), Use(RENDER, _SELDOM))),
    # One seat by two paths: unassigning the direct one would leave the group's.
    Story(
        906,
        "sample-team-4",
        (Path(CAD), Path(CAD, "group", DESIGN_GROUP)),
        (Use(CAD, _SELDOM),),
    ),
    # Unassigned three weeks ago; the history stays.
    Story(907, "sample-team-4", (Path(CAD, until=21),), (Use(CAD, (30, 45, 60)),)),
    # Assigned to flex, and never used a token.
    Story(908, "sample-team-5", (Path(CAD, access="flex"),)),
    # Nobody told the directory who this is.
    Story(909, "sample-team-5", (Path(CAD),), (Use(CAD, _OFTEN),), known=False),
    # Two people of one name.
    Story(910, "sample-team-6", (Path(CAD, "default"),), (Use(CAD, _SELDOM),), "Twin"),
    Story(911, "sample-team-6", (Path(BIM, "group", SITE_GROUP),), (Use(BIM, _OFTEN),), "Twin"),
    # A seat of ten days is too young for a recommendation.
    Story(912, "sample-team-6", (Path(CAD, since=10),)),
    # Use without any seat, of a product the directory does not know.
    Story(913, "sample-team-2", (), (Use(SURVEY, _SELDOM),)),
    # A team without personal data, and one without a name.
    Story(914, "sample-team-8", (Path(CAD),), (Use(CAD, _OFTEN),)),
    Story(915, "sample-team-7", (Path(CAD),), (Use(CAD, _OFTEN),)),
    # By default and unused: the collection's seat costs, but is not his to lose.
    Story(916, "sample-team-3", (Path(COLLECTION, "default"),)),
    # More seats that nobody needs, and more that are seldom used.
    *(
        Story(917 + number, f"sample-team-{2 + number % 3}", (Path((CAD, BIM)[number % 2]),))
        for number in range(9)
    ),
    *(
        Story(926 + number, f"sample-team-{2 + number % 3}", (Path(CAD),), (Use(CAD, _SELDOM),))
        for number in range(9)
    ),
    Story(935, "sample-team-5", (Path(CAD),), (Use(CAD, _SELDOM),)),
)


def lines(until: datetime) -> Iterator[str]:
    """The events of the stories as CloudEvents, one a line, none after `until`."""
    for story in STORIES:
        for use in story.uses:
            for days in use.days:
                yield json.dumps(_event(story, use, until - timedelta(days=days)))


def _event(story: Story, use: Use, at: datetime) -> dict[str, object]:
    moment = at.astimezone(UTC)
    data = {"team_id": story.team, "product_id": use.product, "product_version": "2026.1"}
    if use.tokens:
        data["tokens"] = use.tokens
    return {
        "specversion": "1.0",
        "id": f"sample-story-{moment:%Y-%m-%d}",
        "source": f"sample-machine-{story.number:06d}/{use.product}",
        "type": CONSUMED if use.tokens else LAUNCHED,
        "subject": story.user_id,
        "time": f"{moment:%Y-%m-%dT%H:%M:%SZ}",
        "data": data,
    }
