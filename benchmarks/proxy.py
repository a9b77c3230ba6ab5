"""What the proxy adds to the time of an answer: the mock asked directly and through it, in turn, at a steady rate.

    .venv/bin/python benchmarks/proxy.py [--rate 200] [--seconds 10] [--rounds 5]

Half of the requests submit a task, half read one. Each is sent at its own moment, whether or not those before it have
been answered, so that a delay is not hidden by the requests that it delays.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import statistics
import subprocess
import sys
import time
from pathlib import Path

BIN = Path(sys.executable).parent
CONNECTIONS = 16
BODY = json.dumps({"model": "gpt-image-2", "prompt": "a red fox in the first snow of the year"}).encode()
HEAD = "Host: localhost\r\nAuthorization: Bearer sk_test_rich\r\n"
SUBMIT = (
    f"POST /api/ai/image/generate HTTP/1.1\r\n{HEAD}"
    f"Content-Type: application/json\r\nContent-Length: {len(BODY)}\r\n\r\n"
).encode() + BODY
READ = f"GET /api/ai/tasks/{{}} HTTP/1.1\r\n{HEAD}\r\n"


async def ask(connection: tuple[asyncio.StreamReader, asyncio.StreamWriter], request: bytes) -> bytes:
    reader, writer = connection
    writer.write(request)
    head = await reader.readuntil(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 "), head
    length = re.search(rb"(?i)content-length: (\d+)", head)
    assert length is not None
    return await reader.readexactly(int(length[1]))


async def load(port: int, rate: float, seconds: float) -> list[float]:
    """The milliseconds that each request took from the moment it was due."""
    free: asyncio.Queue[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = asyncio.Queue()
    connections = [await asyncio.open_connection("127.0.0.1", port) for _ in range(CONNECTIONS)]
    for connection in connections:
        task = json.loads(await ask(connection, SUBMIT))["taskId"]
        free.put_nowait(connection)
    took: list[float] = []
    begin = time.perf_counter() + 0.1

    async def one(number: int) -> None:
        due = begin + number / rate
        await asyncio.sleep(due - time.perf_counter())
        connection = await free.get()
        await ask(connection, SUBMIT if number % 2 else READ.format(task).encode())
        took.append((time.perf_counter() - due) * 1000)
        free.put_nowait(connection)

    await asyncio.gather(*(one(number) for number in range(int(rate * seconds))))
    for _, writer in connections:
        writer.close()
    return took


def start(*words: str) -> tuple[subprocess.Popen[str], int]:
    process = subprocess.Popen(
        [str(BIN / words[0]), *words[1:]], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    assert process.stdout is not None
    for line in process.stdout:
        found = re.search(r"http://127\.0\.0\.1:(\d+)", line)
        if found:
            return process, int(found[1])
    raise SystemExit(f"{words[0]} has not started")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rate", type=float, default=200)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    mock, direct = start("mock-server", "--port", "0", "--credits", "1000000000", "--task-seconds", "1")
    proxy, through = start("contract", "proxy", f"http://127.0.0.1:{direct}", "--port", "0")
    added: dict[str, list[float]] = {"p50": [], "p99": []}
    try:
        for _ in range(given.rounds):
            figures = {}
            for name, port in (("direct", direct), ("through", through)):
                took = statistics.quantiles(asyncio.run(load(port, given.rate, given.seconds)), n=100)
                figures[name] = {"p50": took[49], "p99": took[98]}
                print(f"{name:8} p50 {took[49]:6.2f} ms  p99 {took[98]:6.2f} ms", flush=True)
            for quantile, values in added.items():
                values.append(figures["through"][quantile] - figures["direct"][quantile])
    finally:
        for process in (proxy, mock):
            process.terminate()
            process.wait(30)
    for quantile, values in added.items():
        print(f"added at {quantile}: {statistics.median(values):.2f} ms (median of {given.rounds} rounds)")


if __name__ == "__main__":
    main()
