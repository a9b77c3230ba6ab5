"""Stands between clients and a server: passes bytes on as they are, and looks at what has passed.

Each connection of a client gets one to the server, and two tasks that copy bytes, each as fast as the other side takes
them. What is copied is read beside (`messages`) and judged in a thread. Nothing is made anew from what was read, so
nothing can be altered: only `--host upstream` writes another Host, and `--enforce` holds answers until they are judged.
"""

from __future__ import annotations

import asyncio
import json
import re
import ssl
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass

from contract_tests.traffic.messages import LONGEST_BODY, LONGEST_HEAD, Message, Reader, UnreadableError
from contract_tests.verdicts import Finding
from contract_tests.wire import NoAnswer

_CHUNK = 64 * 1024
_MOST_WAITING = 4096
_HOLD_SECONDS = 10.0
_CONNECT_SECONDS = 10.0
_CLOCK = time.time() - time.monotonic()
_HOST = re.compile(rb"(?im)^(host:[ \t]*)([^\r\n]*)")

Look = Callable[[Message, Message | NoAnswer, float], Finding | None]


@dataclass(frozen=True)
class Upstream:
    """The server.

    Attributes:
        url: as the user named it.
        tls: None for plain HTTP.
        rename: whether requests are to name it as their host.
    """

    url: str
    host: str
    port: int
    authority: str
    tls: ssl.SSLContext | None = None
    rename: bool = False


def now() -> float:
    """Seconds since 1970, by a clock that is never set."""
    return _CLOCK + time.monotonic()


class Proxy:
    """A proxy before one server."""

    def __init__(self, upstream: Upstream, look: Look, note: Callable[[str], None], *, enforce: bool = False) -> None:
        """Prepare to serve.

        Args:
            look: judges an exchange; called in one thread, in the order of the answers.
            note: takes in what passed without being looked at; called in the same thread.
            enforce: whether an answer that breaks the contract is replaced.
        """
        self.upstream = upstream
        self.enforce = enforce
        self.crashes: list[str] = []
        self._look, self._note = look, note
        self._judging = ThreadPoolExecutor(1, "judge")
        self._waiting = 0
        self._links: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    async def start(self, host: str, port: int) -> int:
        """Listen; gives the port.

        Raises:
            OSError: if that is not possible.
        """
        self._server = await asyncio.start_server(self._serve, host, port, limit=_CHUNK)
        listening: int = self._server.sockets[0].getsockname()[1]
        return listening

    async def stop(self) -> None:
        """Take no more connections, end those there are, and judge what has passed."""
        if self._server is not None:
            self._server.close()
        for link in self._links:
            link.cancel()
        await asyncio.gather(*self._links, return_exceptions=True)
        await asyncio.to_thread(self._judging.shutdown)

    async def judge(self, request: Message, answer: Message | NoAnswer) -> Finding | None:
        """What an exchange breaks."""
        try:
            return await asyncio.wrap_future(self._judging.submit(self._look, request, answer, now()))
        except Exception as error:  # noqa: BLE001 - whatever it is, the traffic goes on, and the user hears of it
            self.crashes.append(f"{type(error).__name__}: {error}")
            return None

    def judge_later(self, request: Message, answer: Message | NoAnswer) -> None:
        """Have an exchange judged when there is time."""
        if self._waiting >= _MOST_WAITING:
            self.note("more passed than could be judged")
            return
        self._waiting += 1
        self._judging.submit(self._look, request, answer, now()).add_done_callback(self._judged)

    def note(self, reason: str) -> None:
        """Note what passed without being looked at."""
        self._judging.submit(self._note, reason)

    def _judged(self, done: Future[Finding | None]) -> None:
        self._waiting -= 1
        error = done.exception()
        if error is not None:
            self.crashes.append(f"{type(error).__name__}: {error}")

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is not None:
            self._links.add(task)
            task.add_done_callback(self._links.discard)
        with suppress(ConnectionError, asyncio.CancelledError):
            await _Link(self, reader, writer).run()
        writer.transport.abort() if writer.is_closing() else writer.close()


class _Link:
    """One connection of a client, and the one to the server that belongs to it."""

    def __init__(self, proxy: Proxy, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._proxy = proxy
        self._client, self._to_client = reader, writer
        self._requests: deque[Message] = deque()
        self._asked: Reader | None = Reader(self._requests.append, answers=False)
        self._told: Reader | None = Reader(answers=True)
        self._head: bytearray | None = bytearray() if proxy.upstream.rename else None
        self._client_left = False
        self._expecting = False
        self._released = False

    async def run(self) -> None:
        """Copy until both sides have ended."""
        first = await self._client.read(_CHUNK)
        if not first:
            return
        upstream = self._proxy.upstream
        try:
            async with asyncio.timeout(_CONNECT_SECONDS):
                server, to_server = await asyncio.open_connection(
                    upstream.host, upstream.port, ssl=upstream.tls, limit=_CHUNK
                )
        except (OSError, TimeoutError) as error:
            await self._unreachable(error)
            return
        up = asyncio.create_task(self._up(first, to_server))
        down = asyncio.create_task(self._down(server))
        try:
            # a side that breaks ends the other; one that merely has no more to say does not
            await asyncio.wait({up, down}, return_when=asyncio.FIRST_EXCEPTION)
        finally:
            for task in (up, down):
                task.cancel()
            try:
                await asyncio.gather(up, down, return_exceptions=True)
            finally:  # the proxy may be told to stop in just this moment
                to_server.close()
                self._unanswered()

    async def _up(self, data: bytes, to_server: asyncio.StreamWriter) -> None:
        try:
            while data:
                began = now()
                if self._head is None:
                    to_server.write(data)
                    self._read_requests(data, began)
                else:
                    to_server.write(b"".join(self._renamed(data, began)))
                await to_server.drain()
                data = await self._client.read(_CHUNK)
        except ConnectionError:
            self._client_left = True
            raise
        if to_server.can_write_eof():
            to_server.write_eof()

    def _read_requests(self, data: bytes, began: float) -> list[tuple[bytes, bool]]:
        """Take in what a client said; gives it in parts, and of each whether a request ends with it."""
        if self._asked is None:
            return [(data, False)]
        parts = []
        left = len(data)
        try:
            for part, message in self._asked.feed(data, began):
                parts.append((part, message is not None))
                left -= len(part)
        except UnreadableError:
            self._blind("no request that can be read")
            parts.append((data[len(data) - left :], False))
        return parts

    def _renamed(self, data: bytes, began: float) -> list[bytes]:
        """What a client said, with the server's own name in each head."""
        out = []
        for part, ends in self._read_requests(data, began):
            piece = part
            if self._head is not None:
                self._head += part
                whole = b"\r\n\r\n" in self._head
                if not whole and len(self._head) < LONGEST_HEAD and self._asked is not None:
                    continue
                head, end, rest = bytes(self._head).partition(b"\r\n\r\n")
                piece = _HOST.sub(rb"\g<1>" + self._proxy.upstream.authority.encode(), head, count=1) + end + rest
                self._head = None
            out.append(piece)
            if ends:
                self._head = bytearray()
        return out

    async def _down(self, server: asyncio.StreamReader) -> None:
        held = bytearray()
        since = 0.0
        while True:
            try:
                async with asyncio.timeout(_HOLD_SECONDS if held else None):
                    data = await server.read(_CHUNK)
            except TimeoutError:
                await self._release(held)
                continue
            if not data:
                break
            if not self._proxy.enforce:
                await self._pass(data)
                continue
            since = since if held else now()
            for part, exchange in self._read_answers(data):
                held += part
                if exchange is not None:
                    await self._enforce(held, *exchange)
            if held and (
                self._told is None or self._released or len(held) > LONGEST_BODY or now() - since > _HOLD_SECONDS
            ):
                await self._release(held)
        await self._last(held)
        if self._to_client.can_write_eof():
            self._to_client.write_eof()

    async def _pass(self, data: bytes) -> None:
        self._to_client.write(data)
        for _, exchange in self._read_answers(data):
            if exchange is not None:
                self._proxy.judge_later(*exchange)
        await self._to_client.drain()

    def _read_answers(self, data: bytes) -> list[tuple[bytes, tuple[Message, Message] | None]]:
        """Take in what the server said; gives it in parts, each with the exchange that ends with it."""
        if self._told is None:
            return [(data, None)]
        parts: list[tuple[bytes, tuple[Message, Message] | None]] = []
        left = len(data)
        try:
            if not self._expecting:
                self._expect_next()
            for part, answer in self._told.feed(data, now()):
                left -= len(part)
                if answer is None:
                    parts.append((part, None))
                elif answer.switches:
                    parts.append((part, None))
                    self._blind("no HTTP any more")
                    break
                else:
                    parts.append((part, (self._requests.popleft(), answer)))
                    self._expecting = False
                    if left:
                        self._expect_next()
        except UnreadableError:
            self._blind("no answer that can be read")
        return [*parts, (data[len(data) - left :], None)] if left else parts

    def _expect_next(self) -> None:
        if self._told is None or not self._requests:
            raise UnreadableError("nobody asked")
        self._told.expect(self._requests[0])
        self._expecting = True

    async def _enforce(self, held: bytearray, request: Message, answer: Message) -> None:
        """Pass on an answer, or what is wrong with it; of one that has begun to pass, only the rest is left."""
        finding = await self._proxy.judge(request, answer)
        if finding is not None and not self._released:
            held[:] = _instead(request, finding)
        await self._let_go(held)
        self._released = False

    async def _release(self, held: bytearray) -> None:
        """Pass on an answer before it is judged: it has been held for as long as can be."""
        self._released = True
        await self._let_go(held)

    async def _let_go(self, held: bytearray) -> None:
        self._to_client.write(bytes(held))
        held.clear()
        await self._to_client.drain()

    async def _last(self, held: bytearray) -> None:
        """The server has no more to say: this may end an answer, or break it off."""
        if self._told is not None and self._told.begun and self._requests:
            request = self._requests.popleft()
            answer: Message | NoAnswer
            try:
                answer = self._told.end() or NoAnswer("the answer broke off")
            except UnreadableError:
                answer = NoAnswer("the answer broke off")
            self._told = None
            if self._proxy.enforce and held and isinstance(answer, Message):
                await self._enforce(held, request, answer)
            elif not self._client_left:
                self._proxy.judge_later(request, answer)
        if held:
            await self._let_go(held)

    def _blind(self, why: str) -> None:
        """Look at nothing more of this connection."""
        self._asked = self._told = None
        self._requests.clear()
        self._proxy.note(f"a connection on which there is {why}")

    def _unanswered(self) -> None:
        for _ in self._requests:
            self._proxy.note("no answer came")
        self._requests.clear()

    async def _unreachable(self, error: OSError | TimeoutError) -> None:
        reason = "no connection in time" if isinstance(error, TimeoutError) else str(error.strerror or error)
        text = f"contract proxy: {self._proxy.upstream.url} cannot be reached: {reason}\n".encode()
        head = f"HTTP/1.1 502 Bad Gateway\r\nContent-Type: text/plain\r\nContent-Length: {len(text)}\r\n"
        self._to_client.write(head.encode() + b"Connection: close\r\n\r\n" + text)
        self._proxy.note("the server cannot be reached")
        await self._to_client.drain()
        self._to_client.write_eof()
        with suppress(TimeoutError):  # what is still on its way would reset the connection, and the answer with it
            async with asyncio.timeout(1):
                while await self._client.read(_CHUNK):
                    pass


def _instead(request: Message, finding: Finding) -> bytes:
    """The answer that says what is wrong with another."""
    said = {"error": "The answer breaks the contract", "clause": finding.clause}
    text = json.dumps({**said, "expected": finding.expected, "came": finding.came}).encode()
    head = f"HTTP/1.1 502 Bad Gateway\r\nContent-Type: application/json\r\nContent-Length: {len(text)}\r\n\r\n"
    return head.encode() + (b"" if request.method == "HEAD" else text)
