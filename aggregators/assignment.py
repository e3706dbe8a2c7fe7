"""Where to start in the partitions assigned, and whether log and store agree that it is right.

Rule 8: anything that looks like a part of the log or of the store gone stops the worker.

Next: aggregators.pipeline
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from aggregators.broker import LogState
from aggregators.epochs import Epochs
from aggregators.fold import Progress
from schemas import topics
from schemas.rejects import PersonNeeded
from schemas.rollups import FOLD_VERSION
from sinks.loads import PartitionProgress

_LOG_WENT_BACK = (
    "restore the broker's data; if it is gone, `usage-report epoch bump --after-loss`, then start"
    " the worker again. Not before: new records would pass for old ones."
)

NEVER = datetime(1970, 1, 1, tzinfo=UTC)


def starting_offsets(
    partitions: Iterable[int],
    log: LogState,
    stored: Mapping[int, PartitionProgress],
    epochs: Epochs,
) -> dict[int, int]:
    """The offset that must come first in each partition.

    Of `log`, `committed` must have been read before `stored`, and `latest` after it. Raises
    PersonNeeded when the store or the log went back, when records were deleted before they were
    folded, or when a newer release folds otherwise.
    """
    check_fold(stored)
    return {
        partition: _start(partition, log, stored.get(partition), epochs) for partition in partitions
    }


def _start(partition: int, log: LogState, stored: PartitionProgress | None, epochs: Epochs) -> int:
    folded = epochs.next_offset(partition, stored.position if stored else None)
    earliest, latest = log.earliest[partition], log.latest[partition]
    committed = log.committed.get(partition)
    if committed is not None and committed > folded:
        raise store_went_back(partition, folded, committed)
    if latest < folded:
        raise log_went_back(partition, latest, folded)
    if earliest > max(folded, committed or 0):
        raise PersonNeeded(
            "log_start_passed",
            f"partition {partition} starts at offset {earliest}: records {folded} to"
            f" {earliest - 1} were deleted before they were folded.",
            remedy="restore the broker's data, or go on with `usage-report replay --accept-loss`.",
        )
    return max(earliest, committed if committed is not None else earliest)


def check_fold(stored: Mapping[int, PartitionProgress]) -> None:
    """Raise PersonNeeded when any partition was folded by a newer fold than this release's.

    Of any partition: the next rebalance may give it to this worker, and two folds that run side by
    side write different rows at the same position. An older fold's rows are gone on with.
    """
    newest = max((progress.fold_version for progress in stored.values()), default=0)
    if newest > FOLD_VERSION:
        raise PersonNeeded(
            "fold_version",
            f"the store was folded by fold {newest}, this release is {FOLD_VERSION}.",
            remedy="install the newer release again, on every worker.",
        )


def store_went_back(partition: int, folded: int, reached: int) -> PersonNeeded:
    """The store knows less than was acknowledged: a restore, or an offset reset forward."""
    return PersonNeeded(
        "store_went_back",
        f"partition {partition} is folded up to offset {folded} in the store, but the group's"
        f" offset is {reached}.",
        remedy="`usage-report replay --from progress`, then start the worker again.",
    )


def log_went_back(partition: int, latest: int, folded: int) -> PersonNeeded:
    """The log ends before what is folded: new records at used offsets would pass for old ones."""
    return PersonNeeded(
        "log_went_back",
        f"partition {partition} ends at offset {latest}, but {folded} records are folded.",
        remedy=_LOG_WENT_BACK,
    )


def log_replaced(
    partition: int, offset: int, taken: datetime, found: datetime | None
) -> PersonNeeded:
    """Another record is where one was folded, or none: the log lost its end and grew again."""
    there = f"one of {found:%Y-%m-%d %H:%M:%S.%f}" if found else "none"
    return PersonNeeded(
        "log_went_back",
        f"partition {partition} had a record of {taken:%Y-%m-%d %H:%M:%S.%f} at offset {offset},"
        f" and has {there} now.",
        remedy=_LOG_WENT_BACK,
    )


def durable_progress(partition: int, stored: PartitionProgress | None, epochs: Epochs) -> Progress:
    """How far a partition is folded and stored, as a place in the present log."""
    offset = epochs.next_offset(partition, stored.position if stored else None)
    life = epochs.life(partition, offset)
    epoch = life.epoch if life else epochs.highest
    return Progress(
        position=topics.position(epoch, offset - 1),
        offset=offset - 1,
        appended_at=stored.appended_at if stored else NEVER,
    )
