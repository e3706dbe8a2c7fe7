"""A soak as a picture: memory, descriptors, lag and latency over time, faults as lines.

Next: tests.faults.report
"""

from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure

from tests.faults.samples import Samples

mpl.use("Agg")


def plot(samples: Samples, file: Path) -> None:
    """Write the picture; its format follows from the file's name."""
    figure = Figure(figsize=(14, 12), layout="constrained")
    memory, open_files, lag, latency = figure.subplots(4, 1, sharex=True)
    minutes = [seconds / 60 for seconds in samples.seconds]
    for name, values in samples.memory_mib.items():
        memory.plot(minutes, values, label=name, linewidth=1)
        open_files.plot(minutes, samples.descriptors[name], label=name, linewidth=1)
    lag.plot(minutes, samples.lag, linewidth=1)
    milliseconds = [None if s is None else s * 1000 for s in samples.latency]
    latency.plot(minutes, milliseconds, linewidth=1)
    for axes, title in (
        (memory, "memory, MiB"),
        (open_files, "descriptors"),
        (lag, "lag, records (gap: the broker is away)"),
        (latency, "median time to 202, ms (gap: none)"),
    ):
        axes.set_title(title, loc="left", fontsize=10)
        axes.set_ylim(bottom=0)
        for at, _ in samples.marks:
            axes.axvline(at / 60, color="grey", alpha=0.25, linewidth=0.8)
    memory.legend(loc="upper left", ncols=5, fontsize=8)
    latency.set_xlabel("minutes; a grey line is the begin of a fault")
    figure.savefig(file, dpi=80)
