"""How long one client waits for its answers while others take all they can get of the mock.

    make abuse

The client sends a submission every five milliseconds and notes how long each answer takes. Those who abuse the mock do
so from another process, at the same time, in one way after the other.
"""

from __future__ import annotations

import asyncio
import contextlib
import multiprocessing
import statistics
import sys
import time
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

import httpx
from bench import AUTHORIZATION, BIN, BODY, SUBMIT, Contender, running

SECONDS = 10.0
EVERY = 0.005
HEAD = (
    f"POST {SUBMIT} HTTP/1.1\r\nHost: localhost\r\nAuthorization: {AUTHORIZATION}\r\nContent-Type: application/json\r\n"
)
MEBIBYTE = 2**20

Abuse = Callable[[str, int], Awaitable[None]]


async def slow(host: str, port: int) -> None:
    """A byte a second, of the head and then of the body."""
    reader, writer = await asyncio.open_connection(host, port)
    for byte in f"{HEAD}Content-Length: {len(BODY)}\r\n\r\n{BODY}".encode():
        writer.write(bytes([byte]))
        await asyncio.sleep(1)
    await reader.read(1)


async def idle(host: str, port: int) -> None:
    reader, _ = await asyncio.open_connection(host, port)
    await reader.read(1)


async def large(host: str, port: int) -> None:
    """Bodies of 10 MiB, the largest that are read, one after the other, as fast as they are taken."""
    await _send_body(host, port, 10 * MEBIBYTE)


async def too_large(host: str, port: int) -> None:
    await _send_body(host, port, 20 * MEBIBYTE)


async def _send_body(host: str, port: int, size: int) -> None:
    body = b'{"model": "' + b"a" * (size - 13) + b'"}'
    await _send(host, port, f"{HEAD}Content-Length: {len(body)}\r\n\r\n".encode() + body)


async def header_flood(host: str, port: int) -> None:
    await _send(host, port, b"GET / HTTP/1.1\r\n" + b"X-Flood: aaaaaaaaaaaaaaaaaaaaaaaa\r\n" * 100_000)


async def garbage(host: str, port: int) -> None:
    await _send(host, port, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" * 200 + b"\x00\xff\r\n\r\n" * 1000)


async def _send(host: str, port: int, data: bytes) -> None:
    reader, writer = await asyncio.open_connection(host, port)
    with contextlib.closing(writer):
        writer.write(data)
        await writer.drain()
        await reader.read(1)


KINDS: dict[str, tuple[Abuse | None, int]] = {
    "nobody else": (None, 0),
    "200 clients that send a byte a second": (slow, 200),
    "2,000 idle connections": (idle, 2000),
    "4 clients with bodies of 10 MiB": (large, 4),
    "40 clients with bodies of 10 MiB": (large, 40),
    "4 clients with bodies of 20 MiB": (too_large, 4),
    "8 clients with headers without end": (header_flood, 8),
    "8 clients with pipelined garbage": (garbage, 8),
}


def abuse(kind: str, url: str) -> None:
    """Abuse the mock in one way until this process is ended."""
    one, clients = KINDS[kind]
    address = urlsplit(url)
    assert one is not None and address.hostname and address.port  # noqa: PT018 - said for the types

    async def again(host: str, port: int) -> None:
        while True:
            try:
                await one(host, port)
            except OSError:  # the mock has had enough of this client
                await asyncio.sleep(0.01)

    async def crowd(host: str, port: int) -> None:
        await asyncio.gather(*(again(host, port) for _ in range(clients)))

    asyncio.run(crowd(address.hostname, address.port))


def wait_for_answers(url: str) -> list[float]:
    """Milliseconds that answers took."""
    headers = {"Authorization": AUTHORIZATION, "Content-Type": "application/json"}
    took = []
    with httpx.Client(base_url=url, headers=headers, timeout=60) as client:
        until = time.monotonic() + SECONDS
        while time.monotonic() < until:
            began = time.perf_counter()
            answer = client.post(SUBMIT, content=BODY)
            took.append((time.perf_counter() - began) * 1000)
            if not answer.is_success:
                sys.exit(f"a submission was answered {answer.status_code} {answer.text[:200]}")
            time.sleep(max(0.0, EVERY - took[-1] / 1000))
    return took


def main() -> None:
    options = ["--credits", str(10**12), "--task-seconds", "0"]
    contender = Contender("mock", lambda port, _: [BIN / "mock-server", "--port", str(port), *options])
    print("| beside | p50 | p99 | longest | memory |\n|---|---:|---:|---:|---:|")
    for kind, (one, _) in KINDS.items():
        with running(contender) as server:
            others = multiprocessing.Process(target=abuse, args=(kind, server.url), daemon=True)
            if one is not None:
                others.start()
                time.sleep(1)
            took = wait_for_answers(server.url)
            if one is not None and not others.is_alive():
                sys.exit(f"{kind}: they gave up")
            memory = server.memory()
            if one is not None:
                others.kill()
                others.join()
        cut = statistics.quantiles(took, n=100)
        print(f"| {kind} | {cut[49]:.1f} ms | {cut[98]:.1f} ms | {max(took):.0f} ms | {memory:.0f} MiB |", flush=True)


if __name__ == "__main__":
    main()
