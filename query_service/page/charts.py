"""Where the marks of a chart go: plain geometry in user units; templates/charts.html draws it.

Every chart has a table behind it, with the same numbers.
Next: query_service.page.report_page
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from query_service.page import words
from query_service.ranges import Range

# The largest groups have a colour each; all others are one.
COLOURS = 7
OTHERS = "Others"
WIDTH, HEIGHT = 960.0, 240.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 64.0, 8.0, 10.0, 24.0
_MOST_LABELS = 12
_TICKS = 4


@dataclass(frozen=True)
class Mark:
    """A rectangle; `colour` is its group's number, `title` what it stands for."""

    x: float
    y: float
    width: float
    height: float
    colour: int
    title: str


@dataclass(frozen=True)
class Label:
    """A text at a place."""

    x: float
    y: float
    text: str


@dataclass(frozen=True)
class Line:
    """A polyline: `points` as SVG has them."""

    points: str
    kind: str


@dataclass(frozen=True)
class Chart:
    """What to draw. `summary` says in a sentence what is to be seen."""

    summary: str
    marks: tuple[Mark, ...] = ()
    lines: tuple[Line, ...] = ()
    across: tuple[Label, ...] = ()
    up: tuple[Label, ...] = ()
    groups: tuple[str, ...] = ()
    width: float = WIDTH
    height: float = HEIGHT
    left: float = _LEFT
    right: float = WIDTH - _RIGHT


def ceiling(most: float) -> float:
    """A round number that is not below `most`: 1, 2 or 5 times a power of ten."""
    if most <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(most))
    return next(step * power for step in (1, 2, 5, 10) if step * power >= most)


def over_time(
    entries: Sequence[Mapping[str, Any]], *, measure: str, group: str, when: Range
) -> Chart:
    """Bars of a daily series; `group` is the series' group, or empty for none.

    Groups stand on one another, for their numbers add up; but users of several groups may be the
    same ones, so those stand side by side.
    """
    starts = list(dict.fromkeys(entry["start"] for entry in entries))
    series = _series(entries, measure, group)
    is_beside = measure == "users" and bool(group)
    drawn, rest = series[:COLOURS], series[COLOURS:]
    if rest and not is_beside:
        drawn = [*drawn, _together(rest)]
    most = max((_height(drawn, start, is_beside=is_beside) for start in starts), default=0.0)
    scale = _Scale(ceiling(most), len(starts))
    bars = _beside if is_beside else _stacked
    if is_beside:
        summary = f"Users: at most {_amount(most)} of one {words.label(group).lower()} at a time."
        if rest:
            summary += f" The {len(drawn)} largest are drawn; {len(rest)} more are in the table."
    else:
        total = f"{_amount(sum(each.total for each in drawn))} in all, "
        summary = (
            f"{words.label(measure)} from {words.day(when.start)} to {words.day(when.end)}: "
            f"{total if measure != 'users' else ''}at most {_amount(most)} at a time."
        )
    return Chart(
        summary=summary,
        marks=tuple(bars(scale, starts, drawn)),
        across=scale.across(starts),
        up=scale.up(),
        groups=tuple(each.name for each in drawn) if group else (),
    )


@dataclass(frozen=True)
class _Series:
    """One group's amounts by start of the interval."""

    name: str
    amounts: Mapping[str, float]

    @property
    def total(self) -> float:
        return sum(self.amounts.values())

    def title(self, start: str) -> str:
        return ", ".join(filter(None, (words.day(start), self.name, _amount(self.amounts[start]))))


def _series(entries: Sequence[Mapping[str, Any]], measure: str, group: str) -> list[_Series]:
    """The groups, the largest first; two of one name are two."""
    amounts: dict[tuple[str, str], dict[str, float]] = defaultdict(dict)
    for entry in entries:
        name = words.word(group, str(entry[group])) if group else ""
        identity = str(entry.get(f"{group}_id", name))
        amounts[identity, name][entry["start"]] = float(entry[measure])
    found = [_Series(name, each) for (_, name), each in amounts.items()]
    return sorted(found, key=lambda each: (-each.total, each.name))


def _together(series: Sequence[_Series]) -> _Series:
    sums: dict[str, float] = defaultdict(float)
    for each in series:
        for start, amount in each.amounts.items():
            sums[start] += amount
    return _Series(OTHERS, sums)


def _height(series: Sequence[_Series], start: str, *, is_beside: bool) -> float:
    amounts = [each.amounts.get(start, 0.0) for each in series]
    return max(amounts, default=0.0) if is_beside else sum(amounts)


def _stacked(scale: "_Scale", starts: Sequence[str], series: Sequence[_Series]) -> Iterator[Mark]:
    for place, start in enumerate(starts):
        base = 0.0
        for colour, each in enumerate(series):
            if amount := each.amounts.get(start, 0.0):
                yield scale.bar(place, base, amount, colour, each.title(start))
                base += amount


def _beside(scale: "_Scale", starts: Sequence[str], series: Sequence[_Series]) -> Iterator[Mark]:
    for place, start in enumerate(starts):
        for colour, each in enumerate(series):
            if amount := each.amounts.get(start, 0.0):
                part = (colour, len(series))
                yield scale.bar(place, 0.0, amount, colour, each.title(start), part=part)


def burn_down(past: Sequence[Mapping[str, str]], ahead: Sequence[Mapping[str, str]]) -> Chart:
    """Tokens left, day by day, and what would be left if use goes on as in the last 30 days.

    A forecast begins where the past ends; behind a range of long ago there is none.
    """
    if past and ahead and _days_between(past[-1], ahead[0]) > 1:
        ahead = []
    points = [(entry["day"], float(entry["remaining"])) for entry in (*past, *ahead)]
    if not points:
        return Chart(summary="There are no tokens.")
    scale = _Scale(ceiling(max(left for _, left in points)), len(points))
    drawn = [
        f"{scale.x(place + 0.5):.1f},{scale.y(left):.1f}" for place, (_, left) in enumerate(points)
    ]
    now = len(past)
    day, left = points[max(0, now - 1)]
    summary = f"Tokens left: {_amount(left)} on {words.day(day)}"
    if ahead:
        summary += f", by forecast {_amount(points[-1][1])} on {words.day(points[-1][0])}"
    return Chart(
        summary=f"{summary}.",
        lines=(
            Line(" ".join(drawn[:now]), "past"),
            Line(" ".join(drawn[max(0, now - 1) :]), "ahead"),
        ),
        across=scale.across([at for at, _ in points]),
        up=scale.up(),
    )


def _days_between(earlier: Mapping[str, str], later: Mapping[str, str]) -> int:
    return (date.fromisoformat(later["day"]) - date.fromisoformat(earlier["day"])).days


def spark(days: Iterable[date], months: Sequence[date]) -> tuple[tuple[str, int, int], ...]:
    """Days used in each month: its name, the days, and their share of 31 in percent."""
    used: dict[date, int] = defaultdict(int)
    for each in days:
        used[each.replace(day=1)] += 1
    return tuple(
        (words.month(month), used[month], math.ceil(used[month] * 100 / 31)) for month in months
    )


@dataclass(frozen=True)
class _Scale:
    """Places of values up to `most` in `columns` columns."""

    most: float
    columns: int

    def x(self, place: float) -> float:
        return _LEFT + (WIDTH - _LEFT - _RIGHT) * place / max(1, self.columns)

    def y(self, value: float) -> float:
        return _TOP + (HEIGHT - _TOP - _BOTTOM) * (1 - value / self.most)

    def bar(
        self,
        place: int,
        base: float,
        amount: float,
        colour: int,
        title: str,
        *,
        part: tuple[int, int] = (0, 1),
    ) -> Mark:
        """A bar in its column; `part`: the how manieth, from 0, of how many side by side."""
        gap = 0.15 if self.columns < 100 else 0.0
        number, of = part
        width = (1 - gap) / of
        left = self.x(place + gap / 2 + number * width)
        right = self.x(place + gap / 2 + (number + 1) * width)
        top, bottom = self.y(base + amount), self.y(base)
        return Mark(
            round(left, 1),
            round(top, 1),
            round(right - left, 1),
            round(bottom - top, 1),
            colour,
            title,
        )

    def across(self, days: Sequence[str]) -> tuple[Label, ...]:
        step = max(1, math.ceil(len(days) / _MOST_LABELS))
        return tuple(
            Label(round(self.x(place + 0.5), 1), HEIGHT - 6, words.short_day(days[place]))
            for place in range(0, len(days), step)
        )

    def up(self) -> tuple[Label, ...]:
        values = [self.most * step / _TICKS for step in range(_TICKS + 1)]
        return tuple(Label(_LEFT - 6, round(self.y(value), 1), _amount(value)) for value in values)


def _amount(value: float) -> str:
    exact = Decimal(str(round(value, 4)))
    text = f"{exact:f}"
    return words.number(text.rstrip("0").rstrip(".") if "." in text else text)
