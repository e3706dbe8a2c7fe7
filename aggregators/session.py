"""What belongs to one generation of the consumer group, and lives and dies as one.

Next: aggregators.pipeline
"""

from dataclasses import dataclass, field

from aggregators.epochs import Epochs
from aggregators.fold import Progress
from aggregators.intake import Intake
from aggregators.lineage import Lineage
from aggregators.state import State


@dataclass
class Session:
    """State and position, dropped together or kept together (rule 7).

    `durable` is how far each partition is folded and stored, `known` the positions that the store
    has for sure, `ends` how far the log was seen to reach. `lineage` is which log it is.
    """

    intake: Intake
    state: State
    epochs: Epochs
    durable: dict[int, Progress]
    lineage: Lineage
    ends: dict[int, int] = field(default_factory=dict)
    known: dict[int, int] = field(default_factory=dict)

    @property
    def generation(self) -> int:
        """The generation it belongs to."""
        return self.intake.generation
