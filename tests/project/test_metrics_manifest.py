"""Metrics are declared in one place, and whatever speaks of them speaks of those."""

import re

from tests.support.sources import PACKAGES, ROOT, sources

_MAKES = re.compile(r"\b_?(Counter|Gauge|Histogram|Summary|Info|Enum)\(")


def test_metrics_are_declared_in_the_manifest():
    """No other module makes a metric."""
    makers = {
        str(path.relative_to(ROOT))
        for path in sources(*PACKAGES)
        if path.suffix == ".py"
        if "prometheus_client" in (text := path.read_text(encoding="utf-8")) and _MAKES.search(text)
    }
    assert makers == {"schemas/metrics.py"}
