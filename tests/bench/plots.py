"""The comparisons as pictures: ratios against their goals, speeds side by side, delays.

Next: tests.bench.__main__
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median

import matplotlib as mpl
from matplotlib.figure import Figure

from tests.bench.results import Comparison, Growth

mpl.use("Agg")
_LINE_INCHES = 0.5


def plot_ratios(found: Sequence[Comparison], file: Path) -> None:
    """A line a comparison: a dot a run, a bar at the goal."""
    figure = _figure(len(found))
    axes = figure.subplots()
    lines = range(len(found))
    for line, each in zip(lines, found, strict=True):
        axes.plot(each.ratios, [line] * len(each.ratios), "o", color="tab:blue", alpha=0.5)
    axes.plot([each.goal for each in found], lines, "|", color="tab:red", markersize=20)
    axes.set_xlabel("ours by the peer's, a dot a run; red: the goal")
    _save(figure, found, file)


def plot_speeds(found: Sequence[Comparison], file: Path) -> None:
    """Medians on one line: a dot for us, a dot for the peer."""
    figure = _figure(len(found))
    axes = figure.subplots()
    lines = range(len(found))
    for name in ("ours", "peer"):
        values = [median(getattr(each, name)) for each in found]
        axes.plot(values, lines, "o", label=name)
        for line, value in zip(lines, values, strict=True):
            axes.annotate(f"{value:,.0f}", (value, line - 0.2), ha="center", fontsize=8)
    axes.set_xlabel("events a second, median of the runs")
    axes.legend()
    _save(figure, found, file)


def plot_delays(seconds: Mapping[str, Sequence[float]], file: Path) -> None:
    """How many of the probes were visible after how long."""
    figure = Figure(figsize=(8, 4), layout="constrained")
    axes = figure.subplots()
    for name, values in seconds.items():
        shares = [100 * (rank + 1) / len(values) for rank in range(len(values))]
        axes.plot(sorted(values), shares, label=name)
    axes.set_xlim(left=0)
    axes.set_xlabel("seconds from arrival to the report")
    axes.set_ylabel("% of probes")
    axes.legend()
    figure.savefig(file)


def plot_memory(found: Mapping[str, Sequence[float]], file: Path) -> None:
    """The worker's own memory over the minutes."""
    figure = Figure(figsize=(8, 4), layout="constrained")
    axes = figure.subplots()
    axes.plot([each / 60 for each in found["seconds"]], found["mib"])
    axes.set_ylim(bottom=0)
    axes.set_xlabel("minutes at full speed")
    axes.set_ylabel("MiB of the worker")
    figure.savefig(file)


def plot_growth(found: Growth, file: Path) -> None:
    """A dot a run, and a line through their medians; the figure begins at 0."""
    figure = Figure(figsize=(8, 4), layout="constrained")
    axes = figure.subplots()
    for rows, values in zip(found.rows, found.found, strict=True):
        axes.plot([rows] * len(values), values, "o", color="tab:blue", alpha=0.4)
    axes.plot(found.rows, [median(values) for values in found.found], color="tab:blue")
    axes.set_xscale("log")
    axes.set_ylim(bottom=0)
    axes.set_xlabel("rows of usage_daily")
    axes.set_ylabel(f"{found.what}, {found.unit}")
    figure.savefig(file)


def _figure(lines: int) -> Figure:
    return Figure(figsize=(11, 1.5 + _LINE_INCHES * lines), layout="constrained")


def _save(figure: Figure, found: Sequence[Comparison], file: Path) -> None:
    (axes,) = figure.axes
    axes.set_yticks(range(len(found)), [f"{each.what}, against {each.against}" for each in found])
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter("{x:,.10g}")
    axes.grid(axis="x", alpha=0.3)
    axes.margins(x=0.1)
    axes.invert_yaxis()
    figure.savefig(file)
