"""A real broker that takes no client without TLS, and none that it does not know.

Next: tests.integration.test_secure_connections
"""

import socket
import ssl
from pathlib import Path

from tests.support.certificates import Authority
from tests.support.kafka_process import KafkaProcess

USER, PASSWORD = "sample-user", "sample-password-that-is-nowhere-else"

_TLS = """\
listener.security.protocol.map=BROKER:{security},CONTROLLER:PLAINTEXT
ssl.keystore.type=PEM
ssl.keystore.location={keystore}
ssl.truststore.type=PEM
ssl.truststore.location={truststore}
ssl.client.auth={client_auth}
"""
_SASL = """\
sasl.enabled.mechanisms=SCRAM-SHA-512
sasl.mechanism.inter.broker.protocol=SCRAM-SHA-512
listener.name.broker.scram-sha-512.sasl.jaas.config=\
org.apache.kafka.common.security.scram.ScramLoginModule required \
username="{user}" password="{password}";
"""


class SecureKafka(KafkaProcess):
    """SASL_SSL with SCRAM-SHA-512 for one user, or SSL that asks for a client's certificate."""

    def __init__(self, data_dir: Path, authority: Authority, *, mutual: bool) -> None:
        super().__init__(data_dir)
        data_dir.mkdir(parents=True)
        cert_file, key_file = authority.issue("broker")
        keystore = data_dir / "keystore.pem"
        keystore.write_text(key_file.read_text() + cert_file.read_text())
        overrides = _TLS.format(
            security="SSL" if mutual else "SASL_SSL",
            keystore=keystore,
            truststore=authority.ca_file,
            client_auth="required" if mutual else "none",
        )
        if not mutual:
            overrides += _SASL.format(user=USER, password=PASSWORD)
            user = f"SCRAM-SHA-512=[name={USER},password={PASSWORD}]\n"
            (data_dir / "scram.users").write_text(user)
        (data_dir / "overrides.properties").write_text(overrides)

    def start(self) -> None:
        """As every broker starts; once more on a machine that was too busy."""
        try:
            super().start()
        except RuntimeError:
            super().start()

    def answers(self) -> bool:
        """Whether it begins to speak TLS; who asks is nobody that it knows."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        try:
            with (
                socket.create_connection(("127.0.0.1", self.port), timeout=5) as plain,
                context.wrap_socket(plain),
            ):
                return True
        except OSError:
            return False
