"""Judges dead letters again: by the gateway's own rules, as of the moment each of them arrived.

Pure: no I/O, and time is an argument.

Next: ingest.accept
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

import orjson

from aggregators.decode import decode
from aggregators.records import Record
from ingest.accept import Rules, accept
from ingest.bodies import Form
from schemas.events import format_time
from schemas.rejects import Reason, Rejected
from schemas.topics import DEAD_LETTER_MAX_BYTES, partition_of
from sinks.dead_letters import Letter
from sinks.keys import Key

Lines = dict[int, list[bytes]]


@dataclass(frozen=True)
class Judged:
    """What becomes of some letters; `lines` are what the accepted ones put on the log."""

    lines: Lines = field(default_factory=dict)
    accepted: list[Letter] = field(default_factory=list)
    # Each with the reason of now.
    refused: list[Letter] = field(default_factory=list)
    # Refused for another reason than before.
    changed: list[Letter] = field(default_factory=list)
    cut: list[Letter] = field(default_factory=list)


@dataclass(frozen=True)
class Judge:
    """Who judges: `keys` by their id, revoked ones included, and the moment it is (`now`).

    `any_team`: as if no key were limited to teams.
    """

    keys: Mapping[str, Key]
    rules: Rules
    now: datetime
    any_team: bool = False

    def judge(self, letters: list[Letter]) -> Judged:
        """All of these letters."""
        judged = Judged()
        for letter in letters:
            # What is left of it may still be read, and would then be another event.
            if len(letter.raw) >= DEAD_LETTER_MAX_BYTES:
                judged.cut.append(letter)
                continue
            try:
                lines = self._lines(letter)
            except Rejected as why:
                refused = letter.refused(why.reason, why.detail)
                judged.refused.append(refused)
                judged.changed.extend([refused] if refused != letter else [])
                continue
            judged.accepted.append(letter)
            for partition, line in lines:
                judged.lines.setdefault(partition, []).append(line)
        return judged

    def _lines(self, letter: Letter) -> list[tuple[int, bytes]]:
        lines = self._of_request(letter) if letter.tenant else self._of_log(letter)
        earliest = format_time(self.now - self.rules.retention)
        if any(orjson.loads(line)["time"] < earliest for _, line in lines):
            # It may have been counted under the same id, and nobody knows any more.
            raise Rejected(Reason.TIME_TOO_OLD, "Events of that day are not kept any more.")
        return lines

    def _of_request(self, letter: Letter) -> list[tuple[int, bytes]]:
        """The line of an event that a gateway refused."""
        verdicts = accept(
            letter.raw, Form.ONE, key=self._key(letter), now=letter.received_at, rules=self.rules
        )
        for reject in verdicts.rejects:
            raise Rejected(reject.reason, reject.detail, field=reject.field)
        return [(partition, line) for partition, group in verdicts.lines.items() for line in group]

    def _key(self, letter: Letter) -> Key:
        """The key it was sent with; one for all teams where that is not known."""
        known = self.keys.get(letter.key_id)
        if known is None:
            if letter.reason == Reason.FORBIDDEN and not self.any_team:
                raise Rejected(Reason.FORBIDDEN, letter.detail)
            known = Key(letter.key_id, letter.tenant, "", frozenset({"ingest"}), frozenset())
        teams = frozenset[str]() if self.any_team else known.teams
        return replace(known, tenant=letter.tenant, teams=teams)

    def _of_log(self, letter: Letter) -> list[tuple[int, bytes]]:
        """Lines that the worker could not read, as they were; all of them or none."""
        decoded = decode([Record(0, 0, 0, letter.received_at, letter.raw, count=0)])
        if decoded.dead or decoded.events.is_empty():
            detail = decoded.dead[0].detail if decoded.dead else "not a line of JSON"
            raise Rejected(Reason.MALFORMED_JSON, detail)
        raw = letter.raw.removesuffix(b"\n").split(b"\n")
        owners = decoded.events.select("tenant", "user_id").iter_rows()
        return [
            (partition_of(tenant, user_id, self.rules.partitions), line)
            for (tenant, user_id), line in zip(owners, raw, strict=True)
        ]
