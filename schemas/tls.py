"""Certificates for the client's side of TLS: what is checked of them before anything is dialled.

Next: schemas.kafka_address
"""

import ssl
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Certificates:
    """PEM files: whom we trust (None: whom this machine trusts), and who we are (None: nobody).

    `key_file` None: the key is in `cert_file`. `setting` is how their variables begin, for people.
    """

    setting: str
    ca_file: Path | None = None
    cert_file: Path | None = None
    key_file: Path | None = None

    @property
    def given(self) -> list[str]:
        """The variables that are set."""
        files = {"CA_FILE": self.ca_file, "CERT_FILE": self.cert_file, "KEY_FILE": self.key_file}
        return [f"{self.setting}_{name}" for name, file in files.items() if file]

    def context(self) -> ssl.SSLContext:
        """TLS 1.2 or newer, with the server's certificate and host name checked.

        Reads the files; raises ValueError, with the variable's name, for one that is no good.
        """
        if self.key_file and not self.cert_file:
            raise ValueError(f"{self.setting}_KEY_FILE needs {self.setting}_CERT_FILE")
        context = self._trusting()
        if self.cert_file:
            self._identify(context, self.cert_file)
        return context

    def _trusting(self) -> ssl.SSLContext:
        try:
            return ssl.create_default_context(cafile=self.ca_file)
        except OSError as error:  # ssl.SSLError is one
            raise ValueError(
                f"{self.setting}_CA_FILE={self.ca_file}: {_reason(error)}; wanted are"
                " certificates in PEM"
            ) from error

    def _identify(self, context: ssl.SSLContext, cert_file: Path) -> None:
        try:
            # Without a password given, OpenSSL asks whoever sits at the terminal.
            context.load_cert_chain(cert_file, self.key_file, password="")
        except OSError as error:
            raise ValueError(
                f"{self.setting}_CERT_FILE={cert_file}, {self.setting}_KEY_FILE="
                f"{self.key_file or cert_file}: {_reason(error)}; wanted are a certificate and its"
                " key in PEM, the key not encrypted"
            ) from error


def _reason(error: OSError) -> str:
    return (error.reason if isinstance(error, ssl.SSLError) else error.strerror) or str(error)
