"""What Faust and aiokafka want to know to be let in by Kafka.

Next: aggregators.app
"""

import faust
from faust.types.auth import CredentialsT

from schemas.kafka_address import KafkaAddress


def credentials(kafka: KafkaAddress) -> CredentialsT | None:
    """As `kafka` says, or None where nothing is asked for; files are read now, and not again."""
    context = kafka.tls_context()
    if kafka.is_sasl:
        return faust.SASLCredentials(
            username=kafka.sasl_user,
            password=kafka.password(),
            mechanism=kafka.sasl_mechanism,
            ssl_context=context,
        )
    return faust.SSLCredentials(context) if context else None
