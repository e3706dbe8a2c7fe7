"""The client as a product installs it: by itself, into an environment that has nothing else."""

import re
import subprocess
import sys
import tomllib
import venv
import zipfile
from pathlib import Path

import pytest

from tests.support.sources import ROOT

SDK = ROOT / "ingest" / "sdk"
EXAMPLE = re.search(r"```python\n(.*?)```", (SDK / "README.md").read_text(), re.DOTALL)[1]
# What the example does not do: it ends when everything was answered.
ENDING = """
assert usage.flush(60)
print(usage.counts)
"""
ALONE = """
import importlib.metadata
import importlib.util
print(sorted(each.name for each in importlib.metadata.distributions()))
print([name for name in ("ingest", "schemas", "fastapi") if importlib.util.find_spec(name)])
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """What `make client` builds."""
    command = ["make", "--silent", "client"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    version = tomllib.loads((SDK / "pyproject.toml").read_text())["project"]["version"]
    return ROOT / "dist" / f"usage_report_client-{version}-py3-none-any.whl"


@pytest.fixture(scope="module")
def product(wheel, tmp_path_factory):
    """Runs a program in an environment with the client alone; what it printed."""
    place = tmp_path_factory.mktemp("product")
    venv.create(place / "venv", with_pip=False)
    python = place / "venv" / "bin" / "python"
    install = [sys.executable, "-m", "pip", "--python", str(python), "install", "--no-index"]
    subprocess.run([*install, "--quiet", str(wheel)], check=True)

    def run(program):
        done = subprocess.run(
            [python, "-I", "-c", program], cwd=place, capture_output=True, text=True, check=False
        )
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout

    return run


def test_the_example_of_its_readme_arrives(product, small_gateway, key, log):
    """A launch and tokens, by the page's lines with another address and key."""
    example = EXAMPLE.replace("http://127.0.0.1:8081", small_gateway.url).replace("ur_…", key)
    printed = product(example + ENDING)
    assert printed == "Counts(taken=2, accepted=2, rejected=0, dropped=0)\n"
    launched, consumed = sorted(log.lines(), key=lambda line: line["type"])
    assert (launched["type"], consumed["tokens"]) == ("product.launched", "12.5")
    assert launched["source"] == "sample-product/installation-1"


def test_it_brings_nothing_along(product):
    """No other distribution is there, and nothing of the server."""
    assert product(ALONE) == "['usage-report-client']\n[]\n"


def test_the_wheel_holds_the_very_same_files(wheel):
    """Byte by byte those that the server's distribution has."""
    with zipfile.ZipFile(wheel) as packed:
        held = {
            Path(name).name: packed.read(name)
            for name in packed.namelist()
            if name.startswith("usage_report_client/")
        }
    names = {"__init__.py": "client.py", "spool.py": "spool.py", "post.py": "post.py"}
    assert held == {"py.typed": b""} | {
        name: (ROOT / "ingest" / source).read_bytes() for name, source in names.items()
    }
