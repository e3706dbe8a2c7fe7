"""What was measured: figures run by run, their medians, and whether the goals are met.

Next: tests.bench.plots
"""

import statistics
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.table import Table

COLUMNS = ("what", "against", "ours", "peer", "ratio", "min", "max", "goal", "met")


@dataclass(frozen=True)
class Comparison:
    """What we and a peer reached in each run, and the least ratio that is wanted."""

    what: str
    against: str
    unit: str
    ours: list[float]
    peer: list[float]
    goal: float

    @property
    def ratios(self) -> list[float]:
        """Ours by the peer's, run by run: both were measured at about the same time."""
        return [ours / peer for ours, peer in zip(self.ours, self.peer, strict=True)]

    @property
    def is_met(self) -> bool:
        """Whether the median ratio is what is wanted."""
        return statistics.median(self.ratios) >= self.goal

    def cells(self) -> tuple[str, ...]:
        """The line of the table."""
        ratios = self.ratios
        return (
            self.what,
            self.against,
            f"{_figure(statistics.median(self.ours))} {self.unit}",
            f"{_figure(statistics.median(self.peer))} {self.unit}",
            *(f"{ratio:.2f}" for ratio in (statistics.median(ratios), min(ratios), max(ratios))),
            f">= {self.goal:g}x",
            "yes" if self.is_met else "NO",
        )

    def as_json(self) -> dict[str, Any]:
        """Everything, for machines."""
        return {
            **{name: getattr(self, name) for name in ("what", "against", "unit", "ours", "peer")},
            "ratios": self.ratios,
            "ratio": statistics.median(self.ratios),
            "goal": self.goal,
            "met": self.is_met,
        }


@dataclass(frozen=True)
class Delay:
    """Seconds that something took in each run, and the most that is wanted of their median."""

    what: str
    against: str
    ours: list[float]
    goal: float

    @property
    def is_met(self) -> bool:
        """Whether the median is what is wanted."""
        return statistics.median(self.ours) <= self.goal

    def cells(self) -> tuple[str, ...]:
        """The line of the table; there is no peer, so min and max are of ours."""
        seconds = (statistics.median(self.ours), min(self.ours), max(self.ours))
        median, least, most = (f"{each:.2f} s" for each in seconds)
        met = "yes" if self.is_met else "NO"
        return (self.what, self.against, median, "", "", least, most, f"<= {self.goal:g} s", met)

    def as_json(self) -> dict[str, Any]:
        """Everything, for machines."""
        return {
            **{name: getattr(self, name) for name in ("what", "against", "ours", "goal")},
            "unit": "seconds",
            "met": self.is_met,
        }


@dataclass(frozen=True)
class Growth:
    """A figure in each run, by how many rows there were."""

    what: str
    unit: str
    rows: list[int]
    found: list[list[float]]

    def as_json(self) -> dict[str, Any]:
        """Everything, for machines."""
        return {name: getattr(self, name) for name in ("what", "unit", "rows", "found")}


def percentile(values: Iterable[float], percent: float) -> float:
    """The smallest value that so many per cent of `values` do not exceed (nearest rank)."""
    ordered = sorted(values)
    rank = -(-len(ordered) * percent // 100)
    return ordered[max(0, int(rank) - 1)]


def _figure(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def as_markdown(found: Iterable[Comparison | Delay]) -> str:
    """The same table for a README."""
    lines = [COLUMNS, ["---"] * len(COLUMNS), *(each.cells() for each in found)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def show(found: Iterable[Comparison | Delay], title: str) -> None:
    """Print the table: medians, and the ratio with its extremes."""
    table = Table(title=title, title_justify="left")
    for column in COLUMNS:
        table.add_column(column)
    for each in found:
        table.add_row(*each.cells())
    Console(width=150).print(table)
