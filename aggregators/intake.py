"""Which delivered records may be folded: those of one generation, in order, each once, no gaps.

Rules 7 and 8 of the design. A Faust buffer can hold an old generation's tail and the new one's
replay in one list, and a consumer whose offset is out of range jumps to the earliest.

Next: aggregators.decode
"""

from collections.abc import Iterable
from dataclasses import dataclass

from aggregators.records import Delivered


class Gap(Exception):  # noqa: N818 - named for what is seen
    """The next record of `partition` is not the `expected` one but `found`."""

    def __init__(self, partition: int, expected: int, found: int) -> None:
        super().__init__(f"partition {partition}: expected offset {expected}, found {found}")
        self.partition = partition
        self.expected = expected
        self.found = found


@dataclass
class Intake:
    """One generation's place in each partition.

    `expected` maps a partition to the offset that must come next; it and the state are dropped
    together or kept together.
    """

    generation: int
    expected: dict[int, int]

    def take(self, delivered: Iterable[Delivered]) -> list[Delivered]:
        """The records to fold, in the order delivered. Raises Gap where one is missing."""
        taken = []
        for record in delivered:
            if record.generation == self.generation and self._is_next(record):
                self.expected[record.partition] = record.offset + 1
                taken.append(record)
        return taken

    def _is_next(self, record: Delivered) -> bool:
        expected = self.expected.get(record.partition)
        if expected is None or record.offset > expected:
            raise Gap(record.partition, -1 if expected is None else expected, record.offset)
        return record.offset == expected
