"""Settings of TLS and SASL that cannot be meant are refused, by the name of their variable."""

from dataclasses import replace

import pytest
from pydantic import SecretStr

from schemas.kafka_address import KafkaAddress
from tests.support.certificates import Authority


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    """Whom everybody here trusts."""
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def good(authority):
    """Everything that there is, and nothing wrong with it."""
    cert_file, key_file = authority.issue("client")
    return KafkaAddress(
        "kafka-1:9093, kafka-2:9093",
        "sasl_ssl",
        authority.ca_file,
        cert_file,
        key_file,
        "SCRAM-SHA-512",
        "sample-user",
        SecretStr("sample-password"),
    )


def test_what_is_whole_is_taken(good):
    """Nothing is refused, and each server is one."""
    good.check()
    assert good.servers == ["kafka-1:9093", "kafka-2:9093"]
    KafkaAddress("kafka-1:9092").check()


@pytest.mark.parametrize("server", ["[::1]:9092", "10.0.0.1:9092", "kafka_1.example:9092"])
def test_a_server_has_a_host_and_a_port(server):
    """An address of IPv6 in brackets."""
    KafkaAddress(f"{server},kafka-2:9092").check()


@pytest.mark.parametrize("server", ["kafka-1", "::1:9092", "kafka-1:port", "kafka-1:", "", "a b:1"])
def test_a_server_without_is_refused(server):
    """At the start, by name: it would be asked for ever."""
    with pytest.raises(ValueError, match="KAFKA_BOOTSTRAP"):
        KafkaAddress(f"kafka-2:9092,{server}").check()


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"security": "sasl_plaintext"}, "USAGE_KAFKA_CA_FILE"),
        ({"security": "ssl"}, "USAGE_KAFKA_SASL_MECHANISM"),
        ({"security": "plaintext"}, "USAGE_KAFKA_CA_FILE"),
        ({"cert_file": None}, "USAGE_KAFKA_CERT_FILE"),
        ({"sasl_mechanism": None}, "needs USAGE_KAFKA_SASL_MECHANISM"),
        ({"sasl_user": None}, "needs USAGE_KAFKA_SASL_USER"),
        ({"sasl_password": None}, "needs USAGE_KAFKA_SASL_PASSWORD"),
        ({"sasl_password": SecretStr("")}, "needs USAGE_KAFKA_SASL_PASSWORD"),
    ],
)
def test_what_does_not_fit_is_named(good, changes, named):
    """A setting that is missing, or that would have no effect, is named."""
    with pytest.raises(ValueError, match=named):
        replace(good, **changes).check()


@pytest.mark.parametrize(
    ("field", "named"),
    [
        ("ca_file", "USAGE_KAFKA_CA_FILE"),
        ("cert_file", "USAGE_KAFKA_CERT_FILE"),
        ("key_file", "USAGE_KAFKA_KEY_FILE"),
    ],
)
@pytest.mark.parametrize("text", [None, "", "nothing in PEM"])
def test_a_file_that_is_no_good_is_named(good, tmp_path, field, named, text):
    """A file that is missing, empty or something else is found before anything is dialled."""
    file = tmp_path / "file.pem"
    if text is not None:
        file.write_text(text)
    with pytest.raises(ValueError, match=named) as caught:
        replace(good, **{field: file}).check()
    assert str(file) in str(caught.value)


def test_a_key_of_somebody_else_is_refused(good, authority):
    """A certificate and the key of another one do not fit."""
    _, key_file = authority.issue("another")
    with pytest.raises(ValueError, match="USAGE_KAFKA_KEY_FILE"):
        replace(good, key_file=key_file).check()


def test_a_password_has_one_source(good, tmp_path):
    """By value or by file; the file is read each time, without the end of its line."""
    file = tmp_path / "password"
    file.write_text("first\n")
    with pytest.raises(ValueError, match="only one"):
        replace(good, sasl_password_file=file).check()
    by_file = replace(good, sasl_password=None, sasl_password_file=file)
    by_file.check()
    assert by_file.password() == "first"
    file.write_text("second")
    assert by_file.password() == "second"
    file.unlink()
    with pytest.raises(ValueError, match="USAGE_KAFKA_SASL_PASSWORD_FILE"):
        by_file.check()


def test_nobody_sees_the_password(good):
    """Neither as text nor in a traceback's values."""
    assert "sample-password" not in f"{good} {good!r}"
