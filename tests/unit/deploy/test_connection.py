"""Where commands find the system: flag before environment before ./usage-data.

Next: deploy.connection
"""

import fcntl
import json
from dataclasses import replace

import pytest
from pydantic import SecretStr

from deploy import connection
from deploy.connection import Connection
from schemas.kafka_address import KafkaAddress

HERE = Connection(
    ingest_url="http://127.0.0.1:1",
    query_url="http://127.0.0.1:2",
    clickhouse_dsn="clickhouse://default:@127.0.0.1:3/usage",
    kafka=KafkaAddress("127.0.0.1:4"),
    key="ur_sample_key",
)
VARIABLES = (
    "USAGE_DATA_DIR",
    "USAGE_INGEST_URL",
    "USAGE_QUERY_URL",
    "USAGE_KEY",
    "CLICKHOUSE_DSN",
    "KAFKA_BOOTSTRAP",
)


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch, tmp_path):
    for variable in VARIABLES:
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def running(tmp_path):
    """A directory on which an `up` runs: addresses, key and a held lock."""
    directory = tmp_path / "elsewhere"
    directory.mkdir()
    connection.write(directory, HERE)
    (directory / connection.KEY).write_text(f"{HERE.key}\n")
    with (directory / connection.LOCK).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield directory


def test_a_flag_names_a_running_up(running, monkeypatch):
    """`--data-dir` finds everything, the key included, and beats the environment."""
    monkeypatch.setenv("USAGE_INGEST_URL", "http://127.0.0.1:9")
    assert connection.find(running) == HERE


def test_the_environment_names_a_running_up(running, monkeypatch):
    """USAGE_DATA_DIR does as the flag does, and a single address beside it is taken first."""
    monkeypatch.setenv("USAGE_DATA_DIR", str(running))
    assert connection.find() == HERE
    monkeypatch.setenv("USAGE_KEY", "ur_other_key")
    assert connection.find() == Connection(**{**vars(HERE), "key": "ur_other_key"})


def test_the_usual_directory_is_looked_at(running):
    """Without anything said, ./usage-data is where a running `up` is looked for."""
    running.rename(connection.DEFAULT_DATA_DIR)
    assert connection.find() == HERE


def test_addresses_alone_are_enough(monkeypatch):
    """With no `up` on this machine the environment names every address."""
    for variable, value in zip(VARIABLES[1:], ("a", "b", "c", "d", "e:1"), strict=True):
        monkeypatch.setenv(variable, value)
    assert connection.find() == Connection(
        ingest_url="a", query_url="b", key="c", clickhouse_dsn="d", kafka=KafkaAddress("e:1")
    )


def test_nothing_said_is_the_usual_ports():
    """Without anything, commands talk to the default ports, without a key."""
    assert connection.find() == Connection()


def test_a_stopped_up_is_not_found(tmp_path, running, monkeypatch):
    """Addresses that a dead `up` left behind are not used: the directory is refused."""
    other = tmp_path / "stopped"
    other.mkdir()
    connection.write(other, HERE)
    (other / connection.LOCK).touch()
    with pytest.raises(connection.NotFound, match="stopped"):
        connection.find(other)
    monkeypatch.setenv("USAGE_DATA_DIR", str(other))
    with pytest.raises(connection.NotFound, match="stopped"):
        connection.find()


def test_the_key_is_not_among_the_addresses(running):
    """It has a file of its own."""
    assert "key" not in json.loads((running / connection.ADDRESSES).read_text())


def test_an_up_tells_how_its_kafka_is_spoken_to(running):
    """With the password, so that a command needs no environment; for the owner alone."""
    kafka = KafkaAddress(
        "kafka:9093",
        "sasl_ssl",
        ca_file=running / "ca.pem",
        sasl_mechanism="PLAIN",
        sasl_user="sample-user",
        sasl_password=SecretStr("sample-password"),
    )
    connection.write(running, replace(HERE, kafka=kafka))
    found = connection.find(running)
    assert found == replace(HERE, kafka=kafka)
    assert found.kafka.password() == "sample-password"
    assert (running / connection.ADDRESSES).stat().st_mode & 0o777 == 0o600


def test_the_environment_says_how_its_own_kafka_is_spoken_to(running, monkeypatch):
    """Where KAFKA_BOOTSTRAP is set, the settings beside it count, and those of `up` do not."""
    monkeypatch.setenv("USAGE_DATA_DIR", str(running))
    for name, text in {"SECURITY": "sasl_plaintext", "SASL_MECHANISM": "PLAIN"}.items():
        monkeypatch.setenv(f"USAGE_KAFKA_{name}", text)
    monkeypatch.setenv("USAGE_KAFKA_SASL_USER", "sample-user")
    monkeypatch.setenv("USAGE_KAFKA_SASL_PASSWORD", "sample-password")
    assert connection.find().kafka == HERE.kafka
    monkeypatch.setenv("KAFKA_BOOTSTRAP", "kafka:9092")
    assert connection.find().kafka.security == "sasl_plaintext"
    assert connection.find().kafka.password() == "sample-password"
