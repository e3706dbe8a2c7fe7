"""The invented users of the sample load: who they are follows from a seed and a number.

Ids are visibly samples: sample-user-000123 of sample-team-2 uses sample-product-cad.

Next: deploy.generate
"""

from dataclasses import dataclass
from functools import lru_cache
from zlib import crc32

from schemas.events import Access

TEAMS = tuple(f"sample-team-{number}" for number in range(1, 9))
PRODUCTS = (
    "sample-product-cad",
    "sample-product-bim",
    "sample-product-render",
    "sample-product-simulate",
    "sample-product-review",
    "sample-product-survey",
)
VERSIONS = ("2025.2", "2026.0", "2026.1")
FEATURES = ("sample-feature-cloud-render", "sample-feature-solve", "sample-feature-export")
COST_CENTERS = ("sample-cost-center-100", "sample-cost-center-200", "")
PRODUCTS_PER_USER = 3
FLEX_SHARE_OF_256 = 64


@dataclass(frozen=True)
class Seat:
    """One user's way of using one product."""

    access: Access
    team: str
    product: str
    subject: str
    data: str
    source: str


def user_id(user: int) -> str:
    """The id of user number `user`."""
    return f"sample-user-{user:06d}"


@lru_cache(maxsize=1 << 18)
def seat(seed: int, user: int, choice: int) -> Seat:
    """The user's seat number `choice` (0 to PRODUCTS_PER_USER - 1); equal choices may share one."""
    team = TEAMS[_bits(seed, user, "team") % min(len(TEAMS), 2 + user)]
    bits = _bits(seed, user, f"seat {choice}")
    product = PRODUCTS[bits % len(PRODUCTS)]
    version = VERSIONS[(bits >> 8) % len(VERSIONS)]
    flex = (bits >> 16) % 256 < FLEX_SHARE_OF_256
    cost_center = COST_CENTERS[(bits >> 24) % len(COST_CENTERS)] if flex else ""
    data = f'"team_id":"{team}","product_id":"{product}","product_version":"{version}"'
    if cost_center:
        data += f',"cost_center":"{cost_center}"'
    return Seat(
        access=Access.FLEX if flex else Access.SUBSCRIPTION,
        team=team,
        product=product,
        subject=user_id(user),
        data=data,
        source=f"sample-machine-{user:06d}/{product}",
    )


def _bits(seed: int, user: int, purpose: str) -> int:
    return crc32(f"{seed}/{user}/{purpose}".encode())
