"""The thread in which exchanges are judged, while the bytes go on."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

from contract_tests.traffic.messages import Message
from contract_tests.verdicts import Finding
from contract_tests.wire import NoAnswer

_MOST_WAITING = 4096
_CLOCK = time.time() - time.monotonic()

Look = Callable[[Message, Message | NoAnswer, float], Finding | None]


def now() -> float:
    """Seconds since 1970, by a clock that is never set."""
    return _CLOCK + time.monotonic()


class Judging:
    """Judges one exchange after the other.

    Attributes:
        crashes: faults of this tool.
    """

    def __init__(self, look: Look, note: Callable[[str], None]) -> None:
        """Prepare to judge.

        Args:
            look: judges an exchange; called in one thread, in the order of the answers.
            note: takes in what passed without being looked at; called in the same thread.
        """
        self.crashes: list[str] = []
        self._look, self._note = look, note
        self._thread = ThreadPoolExecutor(1, "judge")
        self._waiting = 0

    async def judge(self, request: Message, answer: Message | NoAnswer) -> Finding | None:
        """What an exchange breaks."""
        try:
            return await asyncio.wrap_future(self._thread.submit(self._look, request, answer, now()))
        except Exception as error:  # noqa: BLE001 - whatever it is, the traffic goes on, and the user hears of it
            self.crashed(error)
            return None

    def judge_later(self, request: Message, answer: Message | NoAnswer) -> None:
        """Have an exchange judged when there is time."""
        if self._waiting >= _MOST_WAITING:
            self.note("more passed than could be judged")
            return
        self._waiting += 1
        self._thread.submit(self._look, request, answer, now()).add_done_callback(self._judged)

    def note(self, reason: str) -> None:
        """Note what passed without being looked at."""
        self._thread.submit(self._note, reason)

    def crashed(self, error: BaseException) -> None:
        """Remember a fault of this tool."""
        self.crashes.append(f"{type(error).__name__}: {error}")

    async def end(self) -> None:
        """Judge what has passed; nothing more will."""
        await asyncio.to_thread(self._thread.shutdown)

    def _judged(self, done: Future[Finding | None]) -> None:
        self._waiting -= 1
        error = done.exception()
        if error is not None:
            self.crashed(error)
