"""How the worker fetches: Faust's transport, with a shorter wait for partitions that have nothing.

One fetch at a time is under way to a broker. While records of some partitions wait for the agent,
the others are asked for alone, and where those have nothing to give (the dead letters, mostly),
the answer takes as long as it may: Faust's 1.5 seconds, in which nobody else is fetched either.

Next: aggregators.agents
"""

from typing import Any

from faust.transport.drivers import aiokafka as driver

_WAIT_MILLISECONDS = 50


class _Thread(driver.AIOKafkaConsumerThread):
    def _create_worker_consumer(self, transport: driver.Transport) -> Any:
        consumer = super()._create_worker_consumer(transport)
        # Faust has no setting for it, and a consumer takes it only when it is made.
        consumer._fetch_max_wait_ms = _WAIT_MILLISECONDS  # noqa: SLF001
        return consumer


class _Consumer(driver.Consumer):
    def _new_consumer_thread(self) -> driver.AIOKafkaConsumerThread:
        return _Thread(self, loop=self.loop, beacon=self.beacon)


class Transport(driver.Transport):
    """Faust's transport over aiokafka; for `app.transport`."""

    Consumer = _Consumer
