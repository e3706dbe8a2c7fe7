"""What `up` starts, and what it leaves alone."""

import pytest

from deploy.plan import NothingToSecure, make_plan
from schemas.settings import CommonSettings

SECURE = {
    "kafka_security": "sasl_plaintext",
    "kafka_sasl_mechanism": "PLAIN",
    "kafka_sasl_user": "sample-user",
    "kafka_sasl_password": "sample-password",
}


def test_a_kafka_of_our_own_speaks_plaintext(tmp_path):
    """Whoever asks for more without naming a Kafka is told, and nothing is started."""
    with pytest.raises(NothingToSecure, match="KAFKA_BOOTSTRAP"):
        make_plan(tmp_path, {}, CommonSettings(**SECURE), {})


def test_a_kafka_elsewhere_is_spoken_to_as_asked(tmp_path):
    """And `up` starts none."""
    settings = CommonSettings(kafka_bootstrap="kafka:9093", **SECURE)
    plan = make_plan(tmp_path, {}, settings, {"KAFKA_BOOTSTRAP": "kafka:9093"})
    assert plan.connection.kafka == settings.kafka
    assert "kafka" not in plan.names
