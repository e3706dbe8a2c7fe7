"""What is wrong with the environment is said at start, by its variable and without its value."""

import subprocess
import sys

import pytest

from deploy.connection import ConnectionSettings
from schemas.settings import CommonSettings, IngestSettings, QuerySettings, WorkerSettings, read

HIDDEN = "sample-password-that-is-nowhere-else"
CONTRADICTION = {"USAGE_KAFKA_SASL_PASSWORD": HIDDEN, "USAGE_KAFKA_SECURITY": "ssl"}


@pytest.mark.parametrize(
    "kind", [CommonSettings, IngestSettings, WorkerSettings, QuerySettings, ConnectionSettings]
)
def test_a_contradiction_ends_every_process(kind, monkeypatch):
    """One line with the variable's name; the password is not in it."""
    for name, text in CONTRADICTION.items():
        monkeypatch.setenv(name, text)
    with pytest.raises(SystemExit) as caught:
        read(kind)
    assert str(caught.value).startswith("usage-report: USAGE_KAFKA_SASL_PASSWORD: ")
    assert HIDDEN not in str(caught.value)
    with pytest.raises(ValueError, match="KAFKA") as raised:
        kind()
    assert HIDDEN not in str(raised.value)


@pytest.mark.parametrize(
    ("variable", "text"),
    [
        ("USAGE_KAFKA_SECURITY", "tls"),
        ("USAGE_KAFKA_SASL_MECHANISM", "GSSAPI"),
        ("USAGE_PARTITIONS", "many"),
    ],
)
def test_a_wrong_value_is_named(variable, text, monkeypatch):
    """The variable as it is set."""
    monkeypatch.setenv(variable, text)
    with pytest.raises(SystemExit, match=f"^usage-report: {variable}: Input should be"):
        read(CommonSettings)


def test_certificates_of_a_store_without_tls(monkeypatch, tmp_path):
    """Refused before anything is sent in the clear."""
    monkeypatch.setenv("CLICKHOUSE_DSN", f"clickhouse://sample:{HIDDEN}@store/usage")
    monkeypatch.setenv("USAGE_CLICKHOUSE_CA_FILE", str(tmp_path / "ca.pem"))
    with pytest.raises(SystemExit, match="USAGE_CLICKHOUSE_CA_FILE: for a") as caught:
        read(CommonSettings)
    assert HIDDEN not in str(caught.value)


@pytest.mark.parametrize("module", ["ingest", "aggregators", "query_service", "deploy.cli"])
def test_processes_say_it_and_end(module):
    """Status 1 and one line on standard error, no traceback."""
    command = [sys.executable, "-m", module, *(["lag"] if module == "deploy.cli" else [])]
    ended = subprocess.run(
        command, env=CONTRADICTION, capture_output=True, text=True, check=False, timeout=120
    )
    assert ended.returncode == 1
    [line] = ended.stderr.splitlines()
    assert line.startswith("usage-report: USAGE_KAFKA_SASL_PASSWORD: ")
