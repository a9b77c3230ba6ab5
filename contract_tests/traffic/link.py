"""One connection of a client, and the one to the server that belongs to it.

Two tasks copy bytes, each as fast as the other side takes them, and what is copied is read beside (`messages`).
"""

from __future__ import annotations

import asyncio
import json
import socket
import struct
from collections import deque
from contextlib import suppress
from typing import NamedTuple

from contract_tests.traffic.hosts import Hosts
from contract_tests.traffic.judging import Judging, now
from contract_tests.traffic.messages import LONGEST_BODY, Ends, Message, Part, Reader, UnreadableError
from contract_tests.traffic.upstream import CHUNK, Said, Upstream
from contract_tests.verdicts import Finding
from contract_tests.wire import NoAnswer

_HOLD_SECONDS = 10.0
_FLUSH_SECONDS = 5.0
_BROKE_OFF = NoAnswer("the answer broke off")


class _Told(NamedTuple):
    """Bytes of the server, the answer that ends with them, and the request that this is to; an interim one has none."""

    data: bytes
    answer: Message | None = None
    request: Message | None = None


class Link:
    """Copies until both sides have ended."""

    def __init__(
        self,
        upstream: Upstream,
        judging: Judging,
        client: tuple[asyncio.StreamReader, asyncio.StreamWriter],
        *,
        enforce: bool,
    ) -> None:
        self._upstream, self._judging, self._enforced = upstream, judging, enforce
        self._client, self._to_client = client
        self._requests: deque[Message] = deque()
        self._asked: Reader | None = Reader(answers=False)
        self._told: Reader | None = Reader(answers=True)
        self._hosts = Hosts(upstream.authority) if upstream.rename else None
        self._client_left = False
        self._expecting = False
        self._held = bytearray()
        self._since = 0.0
        self._released = False

    async def run(self) -> None:
        """Copy until both sides have ended."""
        try:  # at once: the server may be the first to speak
            server, to_server = await self._upstream.connect()
        except OSError as error:
            await self._unreachable(error)
            return
        up = asyncio.create_task(self._up(to_server))
        down = asyncio.create_task(self._down(server))
        try:
            # a side that breaks ends the other; one that merely has no more to say does not
            await asyncio.wait({up, down}, return_when=asyncio.FIRST_EXCEPTION)
        finally:
            for task in (up, down):
                task.cancel()
            try:
                for outcome in await asyncio.gather(up, down, return_exceptions=True):
                    if isinstance(outcome, Exception) and not isinstance(outcome, OSError):
                        self._judging.crashed(outcome)
            finally:  # the proxy may be told to stop in just this moment
                to_server.close()
                self._unanswered()

    # ----------------------------------------------------------------- requests

    async def _up(self, to_server: asyncio.StreamWriter) -> None:
        while data := await self._heard():
            began = now()
            if self._hosts is None:
                to_server.write(data)
                self._read_requests(data, began)
            else:
                to_server.write(self._hosts.renamed(self._read_requests(data, began)))
            try:
                await to_server.drain()
            except ConnectionError:
                return  # the server hears no more, but what it said last is still to be passed on
        if self._hosts is not None:
            to_server.write(self._hosts.rest())
        if to_server.can_write_eof():
            to_server.write_eof()

    async def _heard(self) -> bytes:
        try:
            return await self._client.read(CHUNK)
        except ConnectionError:
            self._client_left = True
            raise

    def _read_requests(self, data: bytes, began: float) -> list[Part]:
        """Take in what a client said; gives it in parts."""
        if self._asked is None:
            return [Part(data, Ends.UNREAD)]
        parts: list[Part] = []
        try:
            for part in self._asked.feed(data, began):
                parts.append(part)
                if part.ends is Ends.HEAD and part.message is not None:
                    self._requests.append(part.message)
        except UnreadableError:
            self._blind("no request that can be read")
        except Exception as error:  # noqa: BLE001 - whatever it is, the traffic goes on, and the user hears of it
            self._stumble(error)
        left = data[sum(len(part.data) for part in parts) :]
        return [*parts, Part(left, Ends.UNREAD)] if left else parts

    # ------------------------------------------------------------------ answers

    async def _down(self, server: Said) -> None:
        while True:
            try:
                async with asyncio.timeout(_HOLD_SECONDS if self._held else None):
                    data = await server.read(CHUNK)
            except TimeoutError:
                await self._release()
                continue
            if not data:
                break
            if self._enforced:
                await self._hold(data)
            else:
                await self._pass(data)
        await self._last(server)
        if server.broke is not None:
            await self._break_off()
            raise server.broke
        if self._to_client.can_write_eof():
            self._to_client.write_eof()

    async def _pass(self, data: bytes) -> None:
        self._to_client.write(data)
        for _, answer, request in self._read_answers(data):
            if answer is not None and request is not None:
                self._judging.judge_later(request, answer)
        await self._to_client.drain()

    async def _hold(self, data: bytes) -> None:
        for part, answer, request in self._read_answers(data):
            self._since = self._since if self._held else now()
            self._held += part
            if answer is not None and request is not None:
                await self._enforce(request, answer)
            elif answer is not None:  # an interim one, which the client may be waiting for
                await self._let_go()
                self._released = False
        if self._held and (
            self._told is None
            or self._released
            or len(self._held) > LONGEST_BODY
            or now() - self._since > _HOLD_SECONDS
        ):
            await self._release()

    def _read_answers(self, data: bytes) -> list[_Told]:
        """Take in what the server said; gives it in parts."""
        if self._told is None:
            return [_Told(data)]
        parts: list[_Told] = []
        left = len(data)
        try:
            if not self._expecting:
                self._expect_next()
            for part, ends, message in self._told.feed(data, now()):
                left -= len(part)
                if ends is not Ends.MESSAGE or message is None:
                    parts.append(_Told(part))
                elif message.switches:
                    parts.append(_Told(part))
                    self._blind("no HTTP any more")
                    break
                elif message.interim:
                    parts.append(_Told(part, message))
                else:
                    parts.append(_Told(part, message, self._answered()))
                    if left:
                        self._expect_next()
        except UnreadableError:
            self._blind("no answer that can be read")
        except Exception as error:  # noqa: BLE001 - whatever it is, the traffic goes on, and the user hears of it
            self._stumble(error)
        return [*parts, _Told(data[len(data) - left :])] if left else parts

    def _expect_next(self) -> None:
        if self._told is None or not self._requests:
            raise UnreadableError("nobody asked")
        self._told.expect(self._requests[0])
        self._expecting = True

    def _answered(self) -> Message:
        """The request that has its answer; of one that goes on, what comes after its answer is not looked at."""
        self._expecting = False
        request = self._requests.popleft()
        return request.without_body() if request.unfinished else request

    async def _enforce(self, request: Message, answer: Message) -> None:
        """Pass on an answer, or what is wrong with it; of one that has begun to pass, only the rest is left."""
        finding = await self._judging.judge(request, answer)
        if finding is not None and not self._released:
            self._held[:] = _instead(request, finding)
        await self._let_go()
        self._released = False

    async def _release(self) -> None:
        """Pass on an answer before it is judged: it has been held for as long as can be."""
        self._released = True
        await self._let_go()

    async def _let_go(self) -> None:
        self._to_client.write(bytes(self._held))
        self._held.clear()
        await self._to_client.drain()

    async def _last(self, server: Said) -> None:
        """The server has no more to say: this may end an answer, or break it off."""
        if self._told is not None and self._told.begun and self._requests:
            answer: Message | NoAnswer = _BROKE_OFF
            with suppress(UnreadableError):
                answer = (server.broke is None and self._told.end()) or _BROKE_OFF
            request = self._answered()
            self._told = None
            if self._held and isinstance(answer, Message):
                await self._enforce(request, answer)
            elif not self._client_left:
                self._judging.judge_later(request, answer)
        await self._let_go()

    async def _break_off(self) -> None:
        """Let the client see that the server broke off, after what it had said: an end would make that look whole."""
        transport = self._to_client.transport
        transport.set_write_buffer_limits(0)
        with suppress(TimeoutError):
            async with asyncio.timeout(_FLUSH_SECONDS):
                await self._to_client.drain()
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()

    def _stumble(self, error: Exception) -> None:
        self._judging.crashed(error)
        self._blind("what this tool stumbles over")

    def _blind(self, why: str) -> None:
        """Look at nothing more of this connection."""
        self._asked = self._told = None
        self._requests.clear()
        self._judging.note(f"a connection on which there is {why}")

    def _unanswered(self) -> None:
        for _ in self._requests:
            self._judging.note("no answer came")
        self._requests.clear()

    async def _unreachable(self, error: OSError) -> None:
        if not await self._client.read(CHUNK):  # an answer before there is a request would not be understood
            return
        reason = "no connection in time" if isinstance(error, TimeoutError) else str(error.strerror or error)
        text = f"contract proxy: {self._upstream.url} cannot be reached: {reason}\n".encode()
        head = f"HTTP/1.1 502 Bad Gateway\r\nContent-Type: text/plain\r\nContent-Length: {len(text)}\r\n"
        self._to_client.write(head.encode() + b"Connection: close\r\n\r\n" + text)
        self._judging.note("the server cannot be reached")
        await self._to_client.drain()
        self._to_client.write_eof()
        with suppress(TimeoutError):  # what is still on its way would reset the connection, and the answer with it
            async with asyncio.timeout(1):
                while await self._client.read(CHUNK):
                    pass


def _instead(request: Message, finding: Finding) -> bytes:
    """The answer that says what is wrong with another."""
    said = {"error": "The answer breaks the contract", "clause": finding.clause}
    text = json.dumps({**said, "expected": finding.expected, "came": finding.came}).encode()
    head = f"HTTP/1.1 502 Bad Gateway\r\nContent-Type: application/json\r\nContent-Length: {len(text)}\r\n\r\n"
    return head.encode() + (b"" if request.method == "HEAD" else text)
