"""What the locks pin: hashes, no hosts, and the same versions for us and our peers.

Next: tests.project.test_readme
"""

import re

from tests.support.sources import ROOT

PEERS_LOCK = ROOT / "tests" / "bench" / "requirements.lock"


def test_the_lock_has_hashes_and_no_hosts():
    """Every requirement is pinned with hashes, and no address of a registry is in a lock."""
    lock = (ROOT / "requirements.lock").read_text()
    pins = re.findall(r"^[a-z0-9][^\s]*==[^\s]+ .*$", lock, re.MULTILINE)
    assert len(pins) > 50
    assert lock.count("--hash=sha256:") >= len(pins)
    for path in (ROOT / "requirements.lock", *ROOT.glob("[dt]*/**/*.lock")):
        assert "://" not in path.read_text(), path


def pins(lock):
    """Versions by name."""
    return dict(re.findall(r"^([a-z0-9-]+)==(\S+)", lock.read_text(), re.MULTILINE))


def test_peers_use_what_we_use():
    """The fold and the sink that the peers share with us run on the same versions as ours."""
    wanted = re.findall(r"^[a-z0-9-]+", PEERS_LOCK.with_suffix(".in").read_text(), re.MULTILINE)
    ours, theirs = pins(ROOT / "requirements.lock"), pins(PEERS_LOCK)
    shared = {name for name in wanted if name in ours}
    assert {"clickhouse-connect", "polars"} <= shared
    assert {name: theirs[name] for name in shared} == {name: ours[name] for name in shared}
