"""Alerts speak of metrics that there are, are tested by promtool, and have an entry to follow."""

import json
import re
import shutil
import subprocess

import pytest
import yaml
from prometheus_client import CollectorRegistry, generate_latest

from schemas.metrics import IngestMetrics, QueryMetrics, WorkerMetrics
from tests.support.sources import ROOT

PLACE = ROOT / "deploy" / "prometheus"
RUNBOOK = (ROOT / "deploy" / "runbook.md").read_text(encoding="utf-8")
MISSING = "promtool is missing: apt-get install prometheus (or: make promtool)"
# A histogram and a counter are asked for by these.
_PARTS = ("", "_total", "_bucket", "_sum", "_count")


def rules(name):
    """The rules of a file."""
    groups = yaml.safe_load((PLACE / name).read_text(encoding="utf-8"))["groups"]
    return [rule for group in groups for rule in group["rules"]]


def promtool(*arguments):
    """What promtool says, and whether it is content."""
    program = shutil.which("promtool")
    assert program, MISSING
    done = subprocess.run(
        [program, *arguments], cwd=PLACE, capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout + done.stderr


def names_in(expression):
    """The names of our metrics in an expression."""
    return set(re.findall(r"\busage[a-z0-9_:]*", re.sub(r'"[^"]*"', "", expression)))


def exposed():
    """The names of all metrics, with and without the parts they are asked for by."""
    names = set()
    for process in (IngestMetrics, WorkerMetrics, QueryMetrics):
        process(registry := CollectorRegistry())
        names |= {family.name + part for family in registry.collect() for part in _PARTS}
    return names


@pytest.mark.parametrize(
    "arguments",
    [
        ("check", "config", "prometheus.yaml"),
        ("check", "config", "compose.yaml"),
        ("check", "rules", "--lint-fatal", "recording.yaml", "alerts.yaml"),
        ("test", "rules", "alerts_test.yaml"),
    ],
)
def test_promtool_is_content(arguments):
    """Configuration, rules, and the tests of the rules."""
    status, said = promtool(*arguments)
    assert status == 0, said


def test_every_alert_is_tested():
    """Each fires in a test of the rules."""
    tests = (PLACE / "alerts_test.yaml").read_text(encoding="utf-8")
    untested = [
        rule["alert"]
        for rule in rules("alerts.yaml")
        if f'alertname="{rule["alert"]}"}}\', value: 1' not in tests
        and not re.search(rf"alertname: {rule['alert']}\n\s+eval_time: \w+\n\s+exp_alerts", tests)
    ]
    assert not untested


def test_every_alert_has_its_entry():
    """The runbook has a heading of its name, or of the one it shares; and none without an alert."""
    headings = set(re.findall(r"^## (\w+)$", RUNBOOK, re.MULTILINE))
    places = {rule["annotations"]["runbook"] for rule in rules("alerts.yaml")}
    assert places == {f"deploy/runbook.md#{heading.lower()}" for heading in headings}
    links = set(re.findall(r"\(#(\w+)\)", RUNBOOK))
    assert links <= {heading.lower() for heading in headings}


def test_rules_ask_for_metrics_that_there_are():
    """Every name in an expression is in the manifest, or recorded by a rule before."""
    recorded = {rule["record"] for rule in rules("recording.yaml")}
    for rule in (*rules("recording.yaml"), *rules("alerts.yaml")):
        assert names_in(rule["expr"]) <= exposed() | recorded, rule


def dashboard():
    """Titles and expressions of the dashboard, its annotations among them."""
    board = json.loads((ROOT / "deploy" / "grafana" / "usage-report.json").read_text())
    asked = [(each["name"], each["expr"]) for each in board["annotations"]["list"]]
    for panel in board["panels"]:
        asked += [(panel["title"], target["expr"]) for target in panel.get("targets", [])]
    return asked


def test_the_dashboard_asks_for_metrics_that_there_are(tmp_path):
    """Every query parses, and its names are in the manifest or recorded; no metric is left out."""
    recorded = {rule["record"] for rule in rules("recording.yaml")}
    # Grafana fills in the width of the window.
    asked = [(title, text.replace("$__rate_interval", "5m")) for title, text in dashboard()]
    parsed = [{"record": f"panel:{n}", "expr": text} for n, (_, text) in enumerate(asked)]
    panels = tmp_path / "panels.yaml"
    panels.write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": parsed}]}))
    status, said = promtool("check", "rules", str(panels))
    assert status == 0, said
    for title, text in asked:
        assert names_in(text) <= exposed() | recorded, title
    expressions = [text for _, text in asked] + [r["expr"] for r in rules("recording.yaml")]
    shown = set().union(*map(names_in, expressions))
    families = {re.sub(r"_(total|bucket|sum|count)$", "", name) for name in exposed()}
    unseen = {each for each in families if not any(name.startswith(each) for name in shown)}
    assert unseen == {"usage_stopped_info"}  # its alert tells it in words


def test_the_manifest_lints():
    """What the processes expose is as Prometheus wants it; of user-days it thinks they are time."""
    known = b'usage_user_days_held use base unit "seconds" instead of "days"\n'
    program = shutil.which("promtool")
    assert program, MISSING
    for process in (IngestMetrics, WorkerMetrics, QueryMetrics):
        process(registry := CollectorRegistry())
        done = subprocess.run(
            [program, "check", "metrics"],
            input=generate_latest(registry),
            capture_output=True,
            check=False,
        )
        assert done.stdout + done.stderr in {b"", known}, process
