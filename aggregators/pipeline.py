"""From delivered records to acknowledged rows: take, load, fold, flush, commit, in that order.

At most one flush is in flight; while it runs the next batch may be folded, but not flushed.

Next: aggregators.intake
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Protocol

import structlog

from aggregators import load, tails
from aggregators.assignment import durable_progress, starting_offsets
from aggregators.broker import Broker
from aggregators.decode import Lines, decode
from aggregators.epochs import Epochs, first_epoch
from aggregators.flush import Flush
from aggregators.fold import fold
from aggregators.intake import Gap, Intake
from aggregators.lineage import Lineage, stored_last
from aggregators.patience import Patience
from aggregators.records import Delivered, Record, batches, no_epoch, read
from aggregators.session import Session
from aggregators.state import State, UserDay
from schemas.failpoints import reach
from schemas.rejects import PersonNeeded
from sinks.inserts import Inserts
from sinks.loads import Loads

log = structlog.get_logger()

# A batch's bytes become several times as many while it is decoded, folded and stored.
_BATCH_MAX_BYTES = 8 << 20
# A flush that can neither end nor fail must not keep a worker from starting anew.
_LEAVE_SECONDS = 10.0


class Member(Protocol):
    """This worker's membership in the consumer group."""

    def generation(self) -> int:
        """The generation of the present assignment."""
        ...

    def partitions(self) -> list[int]:
        """The partitions of `usage.events` assigned now."""
        ...

    def commit(
        self, offsets: Mapping[int, int], *, generation: int, topic_id: str
    ) -> Awaitable[bool]:
        """Commit the next offset of each partition; False when `generation` is over."""
        ...


class LogChanged(Exception):  # noqa: N818 - named for what is seen
    """The topic was created again, or an epoch was opened: start again to see the log anew."""


class Pipeline:
    """One worker's way from the log to the store.

    `guarded` wraps the flush, which runs beside the agent: what it raises must end the process.
    `pass_by` comes back when no maintenance is under way.
    """

    def __init__(
        self,
        *,
        member: Member,
        broker: Broker,
        loads: Loads,
        inserts: Inserts,
        flush: Flush,
        patience: Patience,
        guarded: Callable[[Coroutine[Any, Any, None]], Coroutine[Any, Any, None]],
        pass_by: Callable[[], Awaitable[None]],
        partitions: int,
        state_max_bytes: int,
    ) -> None:
        self._member = member
        self._broker = broker
        self._loads = loads
        self._inserts = inserts
        self._flush = flush
        self._patience = patience
        self._guarded = guarded
        self._pass_by = pass_by
        self._partitions = partitions
        self._state_max_bytes = state_max_bytes
        self._turn = asyncio.Lock()
        self._beginning = asyncio.Lock()
        self._flushing: asyncio.Task[None] | None = None
        self._stopping = False
        self.session: Session | None = None
        # The last one there was, gone or not: what it saw of its log.
        self._latest: Session | None = None

    async def drain(self) -> None:
        """Take nothing more, and wait for the flush in flight."""
        self._stopping = True
        await self.settle()

    async def process(self, delivered: Sequence[Delivered]) -> None:
        """Fold what belongs to the present generation and start to flush it.

        Raises PersonNeeded where going on could count wrongly, and Gap or LogChanged where a new
        start finds out.
        """
        async with self._turn:
            for batch in batches(delivered, max_bytes=_BATCH_MAX_BYTES):
                if not self._stopping:
                    await self._process_or_leave(batch)

    async def leave(self) -> None:
        """At the end of a log: store what is on its way, and how far the log was seen to reach."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self.drain(), _LEAVE_SECONDS)
        await self._note_tail()

    async def _note_tail(self) -> None:
        if self._latest is not None:
            frame = tails.seen_now(self._latest.ends, self._latest.durable)
            await self._patience.call(self._inserts.insert, "log_ends", frame)

    async def _process_or_leave(self, delivered: Sequence[Delivered]) -> None:
        try:
            await self._process(delivered)
        except LogChanged:
            await self.leave()
            raise

    async def _process(self, delivered: Sequence[Delivered]) -> None:
        session = await self.begin()
        records = await self._take(delivered, session)
        if not records:
            return
        reach("taken")
        await self._confirm(records, session)
        lines = decode(records)
        await self._load(lines, session)
        changes = fold(lines, session.state)
        reach("folded")
        await self.settle()
        if self._member.generation() != session.generation:
            log.info("generation_changed", records=len(records))
            if self.session is session:
                self.session = None
            return
        if self._stopping:
            return
        session.state.evict()
        self._flushing = asyncio.create_task(self._guarded(self._flush.run(changes, session)))

    async def begin(self) -> Session:
        """The session of the present generation, made anew when the generation is."""
        async with self._beginning:
            # Again when the generation changed meanwhile: its partitions may be others.
            while self.session is None or self.session.generation != self._member.generation():
                generation, self.session = self._member.generation(), None
                await self.settle()
                self.session = self._latest = await self._new_session(generation)
            return self.session

    async def settle(self) -> None:
        """Wait until no flush is in flight; raises what it raised."""
        flushing = self._flushing
        if flushing is not None:
            await flushing
            # Another who waited may have begun the next one by now.
            if self._flushing is flushing:
                self._flushing = None

    async def _new_session(self, generation: int) -> Session:
        # Asked as a member of the group, so that a command that found no members is seen here.
        await self._pass_by()
        epochs = await self._epochs()
        if not epochs.is_open:
            await self._open_epoch(epochs)
            epochs = await self._epochs()
        partitions = [p for p in self._member.partitions() if epochs.hashes_to(p)]
        leaders = await self._patience.call(self._broker.leaders)
        seen = await self._patience.call(self._broker.look, partitions)
        stored = await self._patience.call(self._loads.progress)
        erased = await self._patience.call(load.load_erased, self._loads)
        # Ends once more: an older owner may just have stored what was appended after the look.
        ends = await self._patience.call(self._broker.look, partitions)
        if {seen.topic_id, ends.topic_id} != {epochs.topic_id}:
            raise LogChanged(f"topic {ends.topic_id}")
        starts = starting_offsets(partitions, replace(seen, latest=ends.latest), stored, epochs)
        if seen.stale:
            fresh = {partition: starts[partition] for partition in seen.stale}
            await self._commit_anew(fresh, generation=generation, topic_id=epochs.topic_id)
        lineage = Lineage(leaders, stored_last(partitions, stored, epochs))
        await self._compare({p: done.offset for p, done in lineage.last.items()}, lineage)
        log.info("assigned", generation=generation, partitions=len(partitions))
        return Session(
            intake=Intake(generation, starts),
            state=State(max_bytes=self._state_max_bytes, erased=erased),
            epochs=epochs,
            durable={p: durable_progress(p, stored.get(p), epochs) for p in partitions},
            lineage=lineage,
            ends=dict(ends.latest),
            known={p: stored[p].position for p in partitions if p in stored},
        )

    async def _confirm(self, records: Sequence[Record], session: Session) -> None:
        """Whether the records are of this log, and follow what was taken of it before.

        Asked after they were delivered: while the topic is still the same, and the last record
        before them is, they can be of no other log. Offsets alone say the same of a new topic, or
        of one that lost its end, as soon as it has grown as long as the old one.
        """
        now = await self._patience.call(self._broker.leaders)
        if now.topic_id != session.epochs.topic_id:
            raise LogChanged(f"topic {now.topic_id}")
        await self._compare(session.lineage.places(now), session.lineage)
        session.lineage.take(records, now)

    async def _compare(self, places: Mapping[int, int], lineage: Lineage) -> None:
        if places:
            lineage.compare(await self._patience.call(self._broker.append_times, places))

    async def _commit_anew(
        self, offsets: Mapping[int, int], *, generation: int, topic_id: str
    ) -> None:
        """Replace commits of an earlier topic; the consumer began at them, so it begins again."""
        log.warning("commits_of_another_topic", partitions=sorted(offsets))
        await self._member.commit(offsets, generation=generation, topic_id=topic_id)
        raise LogChanged(f"the group's offsets were of a topic before {topic_id}")

    async def _take(self, delivered: Sequence[Delivered], session: Session) -> list[Record]:
        try:
            taken = session.intake.take(delivered)
            return [read(record, session.epochs) for record in taken]
        except (Gap, PersonNeeded) as error:
            # A new session sees whether the log changed, or its start passed us (rule 8): both
            # explain it better. Otherwise a restart begins at the committed offset again.
            await self.check_log(session)
            await self._new_session(session.generation)
            if isinstance(error, Gap) and not session.epochs.hashes_to(error.partition):
                raise no_epoch(error.partition) from error
            raise

    async def check_log(self, session: Session) -> None:
        """Raise LogChanged when the topic or its epochs are not the session's."""
        epochs = await self._epochs()
        if epochs != session.epochs:
            raise LogChanged(f"topic {epochs.topic_id}, epoch {epochs.highest}")

    async def _epochs(self) -> Epochs:
        topic_id = await self._patience.call(self._broker.topic_id)
        return Epochs(topic_id, await self._patience.call(self._loads.epochs))

    async def _open_epoch(self, seen: Epochs) -> None:
        """A topic seen for the first time gets the next epoch by itself.

        What of the one before was seen and is not folded by now never will be, and is told.
        """
        stored = await self._patience.call(self._loads.progress)
        folded = tails.folded_at_last(seen.highest, stored)
        await self._patience.call(self._inserts.insert, "log_ends", folded)
        await self._note_tail()
        rows = first_epoch(
            seen.topic_id,
            highest=seen.highest,
            partitions=self._partitions,
            now=datetime.now(UTC),
        )
        log.info("epoch_opened", epoch=seen.highest + 1, partitions=self._partitions)
        await self._patience.call(self._inserts.insert, "log_epochs", rows)
        epochs = await self._patience.call(self._loads.epochs)
        ends = await self._patience.call(self._loads.log_ends)
        records = tails.lost(epochs, ends).get(seen.highest)
        if records:
            log.error("log_tail_lost", epoch=seen.highest, at_least=records)

    async def _load(self, lines: Lines, session: Session) -> None:
        """Bring into memory all that the batch touches, rows first, identities second."""
        state, call, loads = session.state, self._patience.call, self._loads
        places = load.places_to_read(lines, state)
        if places:
            found = await call(loads.existing, places, floor=session.epochs.floor())
            state.learn_existing(places, found)
        missing = load.user_days_to_load(lines, state)
        stored = [key for key, partition in missing.items() if state.may_exist(key, partition)]
        loaded = await call(load.load_user_days, loads, stored) if stored else {}
        for key, partition in missing.items():
            state.admit(key, partition, loaded.get(key) or UserDay())
        looked_up = load.identities_to_look_up(lines, state)
        if looked_up:
            load.admit_identities(state, await call(loads.some_identities, looked_up))
        books = load.ledger_rows_to_load(lines, state)
        if books:
            state.ledger.update(await call(load.load_ledger, loads, books))
