"""Gates: each call of a worker to log or store waits at one until the schedule opens it.

Next: tests.model.worker
"""

import asyncio
from collections.abc import Callable
from typing import Any

from schemas.rejects import Unavailable

OPEN, AWAY, ANSWER_LOST = "open", "away", "answer lost"


class Gate:
    """One call that waits; `call` may run more than once, as a lost answer makes it.

    `writes`: it may happen although its caller is gone, and if `late` long afterwards.
    """

    def __init__(
        self, call: Callable[[], Any], partly: Callable[[], Any], *, writes: bool, late: bool
    ) -> None:
        self.call = call
        self.late = late
        self.partly = partly
        self.writes = writes
        self._answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

    async def answer(self) -> Any:
        """What the call gives once the gate is opened; raises Unavailable when it stays shut."""
        return await self._answer

    def open(self, outcome: str) -> None:
        """Let the call run, or find its dependency away, or run and lose its answer."""
        if self._answer.done():
            return
        if outcome == OPEN:
            self._answer.set_result(self.call())
            return
        if outcome == ANSWER_LOST and self.writes:
            self.call()
        elif self.writes:
            self.partly()
        self._answer.set_exception(Unavailable("model"))


class Gates:
    """The gates that one worker waits at, oldest first."""

    def __init__(self) -> None:
        self.waiting: list[Gate] = []

    async def through(
        self,
        call: Callable[[], Any],
        *,
        writes: bool = False,
        late: bool = True,
        partly: Callable[[], Any] = lambda: None,
    ) -> Any:
        """The call's answer; tried again while its dependency is away."""
        while True:
            gate = Gate(call, partly, writes=writes, late=late)
            self.waiting.append(gate)
            try:
                return await gate.answer()
            except Unavailable:
                continue
            finally:
                if gate in self.waiting:
                    self.waiting.remove(gate)


async def until_quiet() -> None:
    """Let every task run until all of them wait at gates."""
    loop: Any = asyncio.get_running_loop()
    await asyncio.sleep(0)
    while loop._ready:  # noqa: ASYNC110 - not a wait: it lets what is ready run
        await asyncio.sleep(0)
