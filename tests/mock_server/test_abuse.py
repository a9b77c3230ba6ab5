"""Clients that take all they can get: others are served, memory stays bounded, and the mock ends when it is told to."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import resource
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
import uvicorn
from starlette.responses import PlainTextResponse

from mock_server import intake, protocol
from tests.mock_server.harness import PATIENCE, RICH, SUBMIT, TASKS, Process, bearer, until, valid
from tests.mock_server.test_breaking_off import asked, say

CREDENTIALS = [f"{name}: {value}" for name, value in bearer(RICH).items()]
JSON = "Content-Type: application/json"
MEBIBYTE = 2**20


@pytest.fixture
def mock(tmp_path: Path) -> Iterator[Process]:
    with Process(tmp_path, ("--task-seconds", "3600")) as process:
        yield process


def memory(process: int) -> int:
    """Bytes of memory that a process takes."""
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmRSS"))


def until_closed(connection: socket.socket) -> bytes:
    """All that comes on a connection."""
    received = b""
    with contextlib.suppress(ConnectionResetError):
        while chunk := connection.recv(65536):
            received += chunk
    return received


def statuses(received: bytes) -> list[int]:
    return [int(status) for status in re.findall(rb"HTTP/1\.1 (\d{3}) ", received)]


# ------------------------------------------------------------------- the heads


@pytest.mark.parametrize(
    "head",
    [
        b"GET / HTTP/1.1\r\nX-Long: " + b"a" * protocol.LONGEST_HEAD,
        b"GET / HTTP/1.1\r\n" + b"X-Many: a\r\n" * (protocol.LONGEST_HEAD // 8),
        b"GET /" + b"a" * (protocol.LONGEST_HEAD + 1),
        b"GET / HTTP/1.1\r\nX-Long: " + b"a" * protocol.LONGEST_HEAD + b"\r\n\r\n",
    ],
    ids=["one line without end", "lines without end", "a path without end", "a whole head"],
)
def test_a_head_that_is_too_long_is_refused(mock: Process, head: bytes) -> None:
    with contextlib.closing(say(mock, head)) as connection:
        assert statuses(until_closed(connection)) == [431]


def test_a_long_head_is_none_that_is_too_long(mock: Process) -> None:
    with contextlib.closing(
        say(mock, asked("GET", "/", "X-Long: " + "a" * (protocol.LONGEST_HEAD - 100)))
    ) as connection:
        assert connection.recv(100).startswith(b"HTTP/1.1 404")


def test_a_head_that_does_not_end_is_waited_for_only_so_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "HEAD_SECONDS", 0.2)
    with serving() as connect:
        in_one_go, in_pieces = connect(), connect()
        in_pieces.sendall(b"GET / HT")
        in_one_go.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert in_one_go.recv(100).startswith(b"HTTP/1.1 200")
        assert statuses(until_closed(in_pieces)) == [408]
        whole = connect()
        whole.sendall(b"GET / HT")
        time.sleep(0.05)
        whole.sendall(b"TP/1.1\r\nHost: x\r\n\r\n")
        assert whole.recv(100).startswith(b"HTTP/1.1 200")


@contextlib.contextmanager
def serving() -> Iterator[Callable[[], socket.socket]]:
    """A server in this process, which speaks as the mock does; gives what connects to it."""
    config = uvicorn.Config(PlainTextResponse("ok"), http=protocol.Protocol, log_config=None, lifespan="off", ws="none")
    server = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", 0)) as listener, contextlib.ExitStack() as stack:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        until(lambda: server.started)
        address = listener.getsockname()
        try:
            yield lambda: stack.enter_context(socket.create_connection(address, timeout=PATIENCE))
        finally:
            server.should_exit = True
            thread.join()


# -------------------------------------------------------------------- pipelines


def test_what_comes_before_garbage_is_answered_before_it_is_refused(mock: Process) -> None:
    good = asked("GET", "/nowhere")
    with contextlib.closing(say(mock, good, good, b"\x00\xff garbage\r\n\r\n", good)) as connection:
        assert statuses(until_closed(connection)) == [404, 404, 400]


def test_a_queue_without_end_is_refused(mock: Process) -> None:
    requests = asked("GET", f"{TASKS}/x", *CREDENTIALS) * 5000
    with contextlib.closing(say(mock)) as connection, ThreadPoolExecutor(1) as pool:

        def send() -> None:
            with contextlib.suppress(OSError):  # the mock does not take all of it
                connection.sendall(requests)

        sending = pool.submit(send)
        found = statuses(until_closed(connection))
        sending.result()
    assert found[-1] == 429
    assert set(found[:-1]) == {404}
    assert len(found) <= 5 * protocol.MOST_AT_ONCE


# ------------------------------------------------------------------- the crowds


@pytest.mark.whole
def test_others_are_served_while_many_send_a_byte_a_second_or_nothing(mock: Process) -> None:
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    submission = asked("POST", SUBMIT, *CREDENTIALS, JSON, body=valid(), announced=len(valid()) + 100)
    before = memory(mock.pid)
    with contextlib.ExitStack() as stack:
        for _ in range(2000):
            stack.enter_context(say(mock))
        slow = [stack.enter_context(say(mock, submission[: -number % 100 + 1])) for number in range(200)]
        for _ in range(3):
            for connection in slow:
                connection.sendall(b" ")
            for _ in range(20):
                assert mock.submit().status_code == 200
        assert memory(mock.pid) - before < 100 * MEBIBYTE
    assert mock.submit().status_code == 200


@pytest.mark.whole
@pytest.mark.parametrize("size", [MEBIBYTE, 10 * MEBIBYTE])
def test_others_are_served_while_many_send_large_bodies(mock: Process, size: int) -> None:
    body = b'{"model": "' + b"a" * (size - 13) + b'"}'
    headers = {**bearer(RICH), "Content-Type": "application/json"}

    def send(_number: int) -> int:
        return httpx.post(mock.url + SUBMIT, content=body, headers=headers, timeout=PATIENCE).status_code

    grew = [0]
    before = memory(mock.pid)
    with ThreadPoolExecutor(40) as pool:
        answers = [pool.submit(send, number) for number in range(80)]
        while not all(answer.done() for answer in answers):
            assert mock.submit().status_code == 200
            grew.append(memory(mock.pid) - before)
        assert {answer.result() for answer in answers} == {400}
    assert max(grew) < 100 * MEBIBYTE


@pytest.mark.whole
def test_long_bodies_that_do_not_come_hold_up_no_long_body_for_ever(mock: Process) -> None:
    size = 10 * MEBIBYTE
    begun = asked("POST", SUBMIT, *CREDENTIALS, JSON, body=b"[" * (intake.LONG + 1), announced=size)
    headers = {**bearer(RICH), "Content-Type": "application/json"}
    with contextlib.ExitStack() as stack:
        slow = [stack.enter_context(say(mock, begun)) for _ in range(2 * intake.AT_ONCE)]
        assert mock.submit().status_code == 200
        whole = httpx.post(mock.url + SUBMIT, content=b" " * size, headers=headers, timeout=PATIENCE)
        assert whole.status_code == 400
        for connection in slow:
            connection.settimeout(PATIENCE)
            assert b"The body did not come within 10 seconds" in until_closed(connection)


@pytest.mark.whole
def test_who_does_not_read_is_not_written_for(mock: Process) -> None:
    """Answers wait in no buffer that grows: the mock stops to read from a client that does not read."""
    requests = asked("GET", "/_mock/exchanges?limit=500") * 60
    for _ in range(100):
        mock.submit()
    before = memory(mock.pid)
    with contextlib.ExitStack() as stack:
        for _ in range(50):
            stack.enter_context(say(mock, requests))
        for _ in range(50):
            assert mock.submit().status_code == 200
        assert memory(mock.pid) - before < 200 * MEBIBYTE


# ------------------------------------------------------------------------ ending


@pytest.mark.whole
@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
def test_under_load_what_was_begun_is_finished_and_the_mock_ends(
    tmp_path: Path, number: signal.Signals, workers: int
) -> None:
    options = ("--workers", str(workers), "--database", f"sqlite:///{tmp_path}/mock.db", "--task-seconds", "0")
    with Process(tmp_path, options) as mock:
        accepted, halves = asyncio.run(_load(mock, number))
        lines = [json.loads(line) for line in mock.log().splitlines() if line.startswith("{")]
    assert halves == 0
    assert accepted > 0
    assert "Traceback" not in mock.log()
    assert sum(line["status"] == 200 for line in lines) == accepted  # all that was carried out was answered


async def _load(mock: Process, number: signal.Signals) -> tuple[int, int]:
    """Submit with 64 clients, tell the mock to end meanwhile; gives the answers that came whole and the broken ones."""
    request = asked("POST", SUBMIT, *CREDENTIALS, JSON, body=valid())
    accepted = halves = 0

    async def client() -> None:
        nonlocal accepted, halves
        port = int(mock.url.rpartition(":")[2])
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        with contextlib.closing(writer), contextlib.suppress(ConnectionError):
            while True:
                writer.write(request)
                head = await reader.readuntil(b"\r\n\r\n") if not reader.at_eof() else b""
                if not head:
                    return
                length = next(
                    int(line.split()[1]) for line in head.split(b"\r\n") if line.startswith(b"content-length")
                )
                await reader.readexactly(length)
                accepted += head.startswith(b"HTTP/1.1 200")

    async def safely() -> None:
        nonlocal halves
        try:
            await client()
        except asyncio.IncompleteReadError as error:
            halves += bool(error.partial)

    clients = [asyncio.create_task(safely()) for _ in range(64)]
    await asyncio.sleep(1)
    began = time.monotonic()
    status, _ = await asyncio.to_thread(mock.end, number)
    assert status == 0
    assert time.monotonic() - began < 5
    await asyncio.gather(*clients)
    return accepted, halves


def test_slow_clients_do_not_keep_the_mock_from_ending(mock: Process) -> None:
    submission = asked("POST", SUBMIT, *CREDENTIALS, JSON, body=valid(), announced=len(valid()) + 100)
    with contextlib.ExitStack() as stack:
        for sent in (b"", b"GET / HT", submission, submission[:-50]):
            stack.enter_context(say(mock, sent))
        assert mock.submit().status_code == 200  # by now the others have arrived
        began = time.monotonic()
        assert mock.end(signal.SIGTERM)[0] == 0
        assert time.monotonic() - began < 5
    assert "Traceback" not in mock.log()
