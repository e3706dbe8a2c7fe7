"""Where Kafka is and how it is spoken to: addresses, TLS and SASL in one value, passed down whole.

Next: schemas.kafka_clients
"""

import re
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import SecretStr

from schemas.tls import Certificates

# An IPv6 address stands in brackets.
_HOST_AND_PORT = re.compile(r"(?:[^\s:\[\]]+|\[[0-9a-fA-F:.]+\]):[0-9]{1,5}")
Security = Literal["plaintext", "ssl", "sasl_plaintext", "sasl_ssl"]
Mechanism = Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"]


@dataclass(frozen=True)
class KafkaAddress:
    """`bootstrap` is host:port, separated by commas; the others are the settings of their names."""

    bootstrap: str
    security: Security = "plaintext"
    ca_file: Path | None = None
    cert_file: Path | None = None
    key_file: Path | None = None
    sasl_mechanism: Mechanism | None = None
    sasl_user: str | None = None
    sasl_password: SecretStr | None = None
    sasl_password_file: Path | None = None

    @property
    def servers(self) -> list[str]:
        """Each host:port."""
        return [server.strip() for server in self.bootstrap.split(",")]

    @property
    def is_tls(self) -> bool:
        """Whether connections are encrypted, and the broker's certificate checked."""
        return self.security in ("ssl", "sasl_ssl")

    @property
    def is_sasl(self) -> bool:
        """Whether we say who we are by user and password."""
        return self.security in ("sasl_plaintext", "sasl_ssl")

    def tls_context(self) -> ssl.SSLContext | None:
        """For one connection, or as long as nothing is replaced; None without TLS.

        Reads the certificates; raises ValueError for what is no good.
        """
        return self._certificates.context() if self.is_tls else None

    def password(self) -> str:
        """The password as it is now; its file is read each time. Raises ValueError."""
        if self.sasl_password_file is None:
            return self.sasl_password.get_secret_value() if self.sasl_password else ""
        try:
            return self.sasl_password_file.read_text(encoding="utf-8").rstrip("\r\n")
        except OSError as error:
            raise ValueError(
                f"USAGE_KAFKA_SASL_PASSWORD_FILE={self.sasl_password_file}: {error.strerror}"
            ) from error

    def check(self) -> None:
        """Raise ValueError, with the variable's name, for settings that cannot be meant."""
        for server in self.servers:
            if not _HOST_AND_PORT.fullmatch(server):
                raise ValueError(f"KAFKA_BOOTSTRAP: {server!r} is not host:port")
        if self.is_tls:
            self._certificates.context()
        elif self._certificates.given:
            raise _unused(self._certificates.given, "ssl, sasl_ssl")
        if self.is_sasl:
            self._check_sasl()
        elif self._sasl_given:
            raise _unused(self._sasl_given, "sasl_plaintext, sasl_ssl")

    @property
    def _certificates(self) -> Certificates:
        return Certificates("USAGE_KAFKA", self.ca_file, self.cert_file, self.key_file)

    @property
    def _sasl_given(self) -> list[str]:
        names = ("sasl_mechanism", "sasl_user", "sasl_password", "sasl_password_file")
        return [f"USAGE_KAFKA_{name.upper()}" for name in names if getattr(self, name)]

    def _check_sasl(self) -> None:
        for name in ("sasl_mechanism", "sasl_user"):
            if not getattr(self, name):
                variable = f"USAGE_KAFKA_{name.upper()}"
                raise ValueError(f"USAGE_KAFKA_SECURITY={self.security} needs {variable}")
        if self.sasl_password and self.sasl_password_file:
            raise ValueError("of USAGE_KAFKA_SASL_PASSWORD and …_PASSWORD_FILE only one can be set")
        if not self.password():
            raise ValueError(
                f"USAGE_KAFKA_SECURITY={self.security} needs USAGE_KAFKA_SASL_PASSWORD,"
                " or USAGE_KAFKA_SASL_PASSWORD_FILE with something in it"
            )


def _unused(given: list[str], wanted: str) -> ValueError:
    return ValueError(f"{', '.join(given)}: for USAGE_KAFKA_SECURITY={wanted} alone")
