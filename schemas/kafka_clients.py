"""Opening a client of kafka-python: the one place that knows how, and what is left of a failure.

Its constructors start a thread, wait for a broker, and when none comes raise without an end to
the thread, its selector or its sockets: a worker that asks again through a long outage would run
out of descriptors. Nor do they say why, which it only logs. Seen with kafka-python 3.0.12.

Next: schemas.connections
"""

import ssl
from collections.abc import Callable
from typing import Any, TypeVar

from kafka.errors import (
    IllegalSaslStateError,
    KafkaError,
    SaslAuthenticationFailedError,
    UnsupportedSaslMechanismError,
)
from kafka.net.compat import KafkaNetClient
from kafka.net.manager import KafkaConnectionManager
from kafka.net.selector import NetworkSelector

from schemas.kafka_address import KafkaAddress

_CONNECT_MS = 5_000
_SASL_ERRORS = (
    *(SaslAuthenticationFailedError, UnsupportedSaslMechanismError, IllegalSaslStateError),
)
# The other side hung up: it may be starting or stopping.
_HUNG_UP = (ssl.SSLEOFError, ssl.SSLZeroReturnError, ssl.SSLSyscallError)

Client = TypeVar("Client")


class KafkaRefuses(KafkaError):  # type: ignore[misc]  # noqa: N818 - as the style asks
    """A broker is there, and TLS or SASL keeps us apart: waiting alone will not help."""


class _Manager(KafkaConnectionManager):  # type: ignore[misc]
    """Remembers why a connection was refused, if one was."""

    refusal = ""

    def get_connection(self, node_id: Any, *args: Any, **options: Any) -> Any:
        known = self._conns.get(node_id)
        connection = super().get_connection(node_id, *args, **options)
        # Once each: a producer asks for it thousands of times while a broker is silent.
        if connection is not known:
            connection.init_future.add_errback(self._remember)
        return connection

    async def _build_transport(self, *args: Any, **options: Any) -> Any:
        transport = await super()._build_transport(*args, **options)
        receive = transport._sock_recv  # noqa: SLF001

        def receive_all() -> tuple[bytes, Exception | None]:
            # It drops what came just before the end of a connection: why we are refused.
            data, error = receive()
            return data, None if data else error

        transport._sock_recv = receive_all  # noqa: SLF001
        return transport

    def _remember(self, failure: BaseException) -> None:
        # Later ones only ran out of time, more often than not.
        self.refusal = _refusal(failure) or self.refusal


def connect(kind: Callable[..., Client], kafka: KafkaAddress, **settings: Any) -> Client:
    """A KafkaAdminClient, KafkaConsumer or KafkaProducer; `settings` are the client's own.

    Raises KafkaError after five seconds: KafkaRefuses where a broker and we do not agree.
    """
    opened: list[KafkaNetClient] = []
    managers: list[_Manager] = []

    def network(**options: Any) -> KafkaNetClient:
        selector = NetworkSelector(**options)
        managers.append(_Manager(selector, **options))
        opened.append(KafkaNetClient(net=selector, manager=managers[-1], **options))
        return opened[-1]

    waits = {"bootstrap_timeout_ms": _CONNECT_MS} | _security(kafka) | settings
    try:
        return kind(bootstrap_servers=kafka.servers, kafka_client=network, **waits)
    except KafkaError as error:
        for client in opened:
            client.close()
        refusals = [each.refusal for each in managers if each.refusal]
        if refusals:
            raise KafkaRefuses(f"Kafka refuses us: {refusals[-1]}") from error
        raise


def _security(kafka: KafkaAddress) -> dict[str, Any]:
    """Files by name: kafka-python reads them for each connection, so they may be replaced."""
    options: dict[str, Any] = {"security_protocol": kafka.security.upper()}
    if kafka.is_tls:
        files = {"cafile": kafka.ca_file, "certfile": kafka.cert_file, "keyfile": kafka.key_file}
        options |= {f"ssl_{name}": str(file) for name, file in files.items() if file}
    if kafka.is_sasl:
        options["sasl_mechanism"] = kafka.sasl_mechanism
        options["sasl_plain_username"] = kafka.sasl_user
        options["sasl_plain_password"] = _password(kafka)
    return options


def _password(kafka: KafkaAddress) -> str:
    try:
        return kafka.password()
    except ValueError as error:  # it was there when the process started
        raise KafkaRefuses(str(error)) from error


def _refusal(failure: BaseException) -> str:
    """Why a connection was refused, for people; empty where it was not, or nobody said so."""
    for cause in (failure, failure.__context__, *failure.args):
        if isinstance(cause, _SASL_ERRORS):
            return f"SASL: {cause}"
        if isinstance(cause, ssl.SSLError) and not isinstance(cause, _HUNG_UP):
            return f"TLS: {cause}"
    return ""
