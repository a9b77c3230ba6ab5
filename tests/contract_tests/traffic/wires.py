"""A server that records what comes to the byte, and a proxy before it, each on a port of its own."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from contract_tests.traffic.messages import Message
from contract_tests.traffic.proxy import Proxy
from contract_tests.traffic.upstream import Upstream
from contract_tests.verdicts import Finding
from contract_tests.wire import NoAnswer

PATIENCE = 20.0
Judge = Callable[[Message, Message | NoAnswer, float], Finding | None]


@dataclass
class Scripted:
    """Reads so many bytes on each connection, answers with given ones, and hangs up; or does what it is told to do."""

    port: int
    expects: int = 0
    answer: bytes = b""
    came: list[bytes] = field(default_factory=list)
    manner: Callable[[socket.socket], None] | None = None

    def meet(self, connection: socket.socket) -> None:
        self.came.append(read(connection, self.expects))
        connection.sendall(self.answer)


def read(connection: socket.socket, size: int) -> bytes:
    """So many bytes, or as many as come."""
    got = b""
    while len(got) < size:
        part = connection.recv(65536)
        if not part:
            break
        got += part
    return got


@contextmanager
def scripted(manner: Callable[[socket.socket], None] | None = None) -> Iterator[Scripted]:
    listener = socket.create_server(("127.0.0.1", 0))
    server = Scripted(listener.getsockname()[1], manner=manner)

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                connection.settimeout(PATIENCE)
                (server.manner or server.meet)(connection)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield server
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()


@dataclass
class Standing:
    """A proxy that stands, and what it has looked at."""

    port: int
    looked: list[tuple[Message, Message | NoAnswer]]
    noted: list[str]
    crashes: list[str]


@contextmanager
def standing(
    port: int, judge: Judge | None = None, *, enforce: bool = False, rename: bool = False, crashing: bool = False
) -> Iterator[Standing]:
    loop = asyncio.new_event_loop()
    looked: list[tuple[Message, Message | NoAnswer]] = []
    noted: list[str] = []

    def look(request: Message, answer: Message | NoAnswer, answered: float) -> Finding | None:
        looked.append((request, answer))
        return judge(request, answer, answered) if judge else None

    authority = f"127.0.0.1:{port}"
    upstream = Upstream(f"http://{authority}", "127.0.0.1", port, authority, rename=rename)
    proxy = Proxy(upstream, look, noted.append, enforce=enforce)
    listening = loop.run_until_complete(proxy.start("127.0.0.1", 0))
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield Standing(listening, looked, noted, proxy.crashes)
    finally:
        asyncio.run_coroutine_threadsafe(proxy.stop(), loop).result(PATIENCE)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
    assert crashing or proxy.crashes == []


def say(port: int, *parts: bytes) -> bytes:
    """Send bytes on one connection; gives all that comes until the other side hangs up."""
    with socket.create_connection(("127.0.0.1", port), PATIENCE) as connection:
        for part in parts:
            connection.sendall(part)
        got = b""
        while part := connection.recv(65536):
            got += part
        return got
