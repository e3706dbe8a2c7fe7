"""Whether the gateway can take events: the broker answers, its topic is whole, keys are known.

Next: ingest.routes
"""

import asyncio
import ssl

import structlog

from ingest.sender import Sender
from schemas.kafka_address import KafkaAddress
from schemas.rejects import Unavailable
from schemas.settings import IngestSettings
from sinks.key_ring import KeyRing

log = structlog.get_logger()

_PROBE_SECONDS = 2.0
# Kafka's ApiVersions request, version 0, correlation id 1, no client id: every broker answers.
_API_VERSIONS = b"\x00\x00\x00\x0a\x00\x12\x00\x00\x00\x00\x00\x01\xff\xff"


async def missing(settings: IngestSettings, sender: Sender, ring: KeyRing) -> list[str]:
    """What keeps the gateway from taking events; empty when it is ready."""
    found = [await _asked(settings, sender)]
    if not ring.is_fresh():
        found.append("keys: no copy that is fresh enough")
    return [what for what in found if what]


async def _asked(settings: IngestSettings, sender: Sender) -> str:
    try:
        async with asyncio.timeout(_PROBE_SECONDS):
            await _any_broker(settings.kafka)
            have = await asyncio.to_thread(sender.partitions)
    except (TimeoutError, OSError, ValueError, Unavailable) as error:
        return f"kafka: {error!r}"
    if have < settings.partitions:
        log.error("partitions_missing", have=have, want=settings.partitions)
        return f"kafka: the topic has {have} partitions, the setting is {settings.partitions}"
    return ""


async def _any_broker(kafka: KafkaAddress) -> None:
    """Return when one of the brokers has answered; raises the last one's OSError."""
    # Reads files, and those of the system's trusted authorities are large.
    context = await asyncio.to_thread(kafka.tls_context)
    trouble: OSError = ConnectionError("no address")
    for server in kafka.servers:
        host, _, port = server.rpartition(":")
        try:
            await _ask(host.strip("[]"), int(port), context)
        except OSError as error:
            trouble = error
        else:
            return
    raise trouble


async def _ask(host: str, port: int, context: ssl.SSLContext | None) -> None:
    reader, writer = await asyncio.open_connection(host, port, ssl=context)
    try:
        writer.write(_API_VERSIONS)
        if not await reader.read(8):
            raise ConnectionError("the broker hung up")
    finally:
        writer.close()
