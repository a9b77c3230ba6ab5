"""How bodies come in: most as they are, long ones a few at a time, and one of those judged at a time.

So memory is bounded by what is let in at once, and not by how many send; and nobody else waits for long.
"""

from __future__ import annotations

import asyncio
import time
from typing import Final

from starlette.types import Message, Receive

from mock_server.invalid import InvalidRequest

LONG: Final = 256 * 1024
"""Bytes; to judge more of them takes long enough that others notice."""
AT_ONCE: Final = 4
"""How many long bodies may come at the same time; of the others, no more is read than that they are long."""
SECONDS: Final = 10.0
"""How long the rest of a long body may take to come: meanwhile others wait for its place."""


class Intake:
    """Where the bodies of one application come in."""

    def __init__(self, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        self.places = asyncio.Semaphore(AT_ONCE)
        self.turn = asyncio.Lock()

    def body(self, receive: Receive) -> Body:
        """The body of a request, to be entered once."""
        return Body(self, receive)


class Body:
    """A body that is read when entered, and done with when left.

    After a long one the event loop is left to others for as long as it was used.

    Raises:
        InvalidRequest: on entering: if it is too large, breaks off, or is long and takes too long to come.
    """

    __slots__ = ("_began", "_has_place", "_has_turn", "_intake", "_receive", "_until")

    def __init__(self, intake: Intake, receive: Receive) -> None:
        self._intake, self._receive = intake, receive
        self._has_place = self._has_turn = False
        self._until: float | None = None
        self._began = 0.0

    async def __aenter__(self) -> bytes:
        try:
            return await self._read()
        except BaseException:
            self._leave()
            raise

    async def __aexit__(self, *_: object) -> None:
        self._leave()

    async def _read(self) -> bytes:
        chunks: list[bytes] = []
        size, more = 0, True
        while more:
            message = await (self._in_time() if self._has_place else self._receive())
            if message["type"] == "http.disconnect":
                raise InvalidRequest("The body ended early")
            chunks.append(message.get("body", b""))
            size += len(chunks[-1])
            if size > self._intake.max_bytes:
                raise InvalidRequest(f"The body is larger than {self._intake.max_bytes} bytes")
            more = message.get("more_body", False)
            if size > LONG and not self._has_place:
                await self._take_place()
        if self._has_place:
            await self._intake.turn.acquire()
            self._has_turn, self._began = True, time.perf_counter()
        return b"".join(chunks)

    async def _take_place(self) -> None:
        await self._intake.places.acquire()
        self._has_place, self._until = True, asyncio.get_running_loop().time() + SECONDS

    async def _in_time(self) -> Message:
        try:
            async with asyncio.timeout_at(self._until):
                return await self._receive()
        except TimeoutError:
            raise InvalidRequest(f"The body did not come within {SECONDS:g} seconds") from None

    def _leave(self) -> None:
        if self._has_turn:
            asyncio.get_running_loop().call_later(time.perf_counter() - self._began, self._intake.turn.release)
        if self._has_place:
            self._intake.places.release()
