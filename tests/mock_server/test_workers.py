"""Several processes that serve as one: what they share, and what happens when one of them dies."""

from __future__ import annotations

import os
import re
import resource
import select
import signal
import socket
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import httpx
import pytest

from tests.mock_server.harness import PATIENCE, RICH, SUBMIT, Process, bearer, run, until, valid


def children(process: int) -> set[int]:
    return set(map(int, Path(f"/proc/{process}/task/{process}/children").read_text().split()))


def is_alive(process: int) -> bool:
    stat = Path(f"/proc/{process}/stat")
    return stat.exists() and ") Z " not in stat.read_text()


@pytest.fixture
def mock(tmp_path: Path) -> Iterator[Process]:
    options = ("--workers", "2", "--database", f"sqlite:///{tmp_path}/mock.db", "--task-seconds", "0")
    with Process(tmp_path, options) as process:
        assert httpx.get(f"{process.url}/_mock/health", timeout=PATIENCE).is_success  # both are ready then
        yield process


def submit_often(mock: Process, times: int) -> list[int]:
    """The statuses of submissions, each on a connection of its own, so that every worker gets some."""

    def submit(_number: int) -> int:
        headers = {**bearer(RICH), "Content-Type": "application/json"}
        return httpx.post(mock.url + SUBMIT, content=valid(), headers=headers, timeout=PATIENCE).status_code

    with ThreadPoolExecutor(8) as pool:
        return list(pool.map(submit, range(times)))


def test_they_share_accounts_tasks_exchanges_and_counts(mock: Process) -> None:
    assert submit_often(mock, 40) == [200] * 40
    for _ in range(6):  # whichever of them answers
        account = httpx.get(f"{mock.url}/_mock/accounts/rich").json()
        assert account["balance"] == 1_000_000 - 40 * 3

    def seen() -> bool:
        exchanges = httpx.get(f"{mock.url}/_mock/exchanges").json()["exchanges"]
        counted = re.search(
            r'mock_requests_total\{operation="generateImage",status="200"\} (\d+)',
            httpx.get(f"{mock.url}/_mock/metrics").text,
        )
        return len(exchanges) == 40 and counted is not None and counted[1] == "40"

    until(seen)  # what one has gathered the others see a moment later
    ids = [exchange["id"] for exchange in httpx.get(f"{mock.url}/_mock/exchanges").json()["exchanges"]]
    assert len(set(ids)) == 40


def test_one_that_dies_is_replaced(mock: Process) -> None:
    before = children(mock.pid)
    victim = min(before)
    os.kill(victim, signal.SIGKILL)
    until(lambda: len(children(mock.pid)) == 2 and victim not in children(mock.pid))
    assert submit_often(mock, 20) == [200] * 20
    assert f"mock-server: the worker {victim} has ended with status -9; another takes its place\n" in mock.log()


def test_nobody_can_spoil_their_end_by_impatience(mock: Process) -> None:
    with socket.create_connection(mock.address, PATIENCE) as connection:
        connection.sendall(
            f"POST {SUBMIT} HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\nExpect: 100-continue\r\n\r\n".encode()
        )
        assert connection.recv(1000).startswith(b"HTTP/1.1 100")  # one of them is at work on this request
        for number in (signal.SIGINT, signal.SIGINT, signal.SIGTERM, signal.SIGINT):
            mock.send_signal(number)
            time.sleep(0.05)
        assert mock.wait() == (0, "mock-server: ended\n")
    assert "Traceback" not in mock.log()


@pytest.mark.whole
@pytest.mark.parametrize("workers", ["1", "2"])
def test_their_port_is_taken(mock: Process, tmp_path: Path, workers: str) -> None:
    port = mock.url.rpartition(":")[2]
    refused = run("--port", port, "--workers", workers, "--database", f"sqlite:///{tmp_path}/other.db")
    assert refused.returncode == 1
    assert f"cannot listen on 127.0.0.1:{port}: Address already in use" in refused.stderr


@pytest.mark.whole
def test_a_connection_waits_for_no_worker_that_died(mock: Process) -> None:
    victim = min(children(mock.pid))
    with ExitStack() as stack:
        with stopped([mock.pid]):  # or another would take its place
            os.kill(victim, signal.SIGKILL)
            until(lambda: not is_alive(victim))
            connections = [asking(mock, stack) for _ in range(20)]
        assert [connection.recv(15) for connection in connections] == [b"HTTP/1.1 200 OK"] * 20


@pytest.mark.whole
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM], ids=lambda number: number.name)
def test_what_a_worker_has_been_given_and_not_taken_goes_to_another(mock: Process, number: signal.Signals) -> None:
    victims = children(mock.pid)
    with ExitStack() as stack:
        with stopped(victims):
            connections = [asking(mock, stack) for _ in range(100)]
            for victim in victims:
                os.kill(victim, number)
            if number is signal.SIGKILL:  # which a process that is stopped gets too
                until(lambda: not victims & children(mock.pid))
        until(lambda: answered(connections) == 100)
        for connection in connections:
            assert connection.recv(15) == b"HTTP/1.1 200 OK"


@pytest.mark.whole
def test_one_that_has_no_room_for_a_connection_goes_on_with_the_next(tmp_path: Path) -> None:
    options = ("--workers", "2", "--database", f"sqlite:///{tmp_path}/mock.db")
    with Process(tmp_path, options) as mock:
        assert httpx.get(f"{mock.url}/_mock/health", timeout=PATIENCE).is_success
        for worker in children(mock.pid):
            resource.prlimit(worker, resource.RLIMIT_NOFILE, (40, 40))
        with ExitStack() as stack:
            connections = [asking(mock, stack) for _ in range(120)]
            until(lambda: answered(connections) == 120)  # with an answer, or broken off
        assert submit_often(mock, 20) == [200] * 20
        assert "a connection cannot be served: Too many open files\n" in mock.log()


@contextmanager
def stopped(processes: Iterable[int]) -> Iterator[None]:
    for process in processes:
        os.kill(process, signal.SIGSTOP)
    try:
        yield
    finally:
        for process in processes:
            with suppress(ProcessLookupError):  # which has been killed
                os.kill(process, signal.SIGCONT)


def asking(mock: Process, stack: ExitStack) -> socket.socket:
    """A connection with a request, to which there may be an answer."""
    host, port = mock.url.removeprefix("http://").split(":")
    connection = stack.enter_context(socket.create_connection((host, int(port)), PATIENCE))
    connection.sendall(b"GET /_mock/health HTTP/1.1\r\nhost: localhost\r\n\r\n")
    return connection


def answered(connections: Sequence[socket.socket]) -> int:
    readable = select.poll()
    for connection in connections:
        readable.register(connection, select.POLLIN)
    return len(readable.poll(0))


@pytest.mark.whole
@pytest.mark.parametrize("at_work", [0, 1])
def test_connections_wait_where_workers_have_no_time(mock: Process, at_work: int) -> None:
    """Also where there are more of them than are given to a worker that takes none."""
    workers = sorted(children(mock.pid))
    with ExitStack() as stack:
        with stopped(workers[at_work:]):
            connections = [asking(mock, stack) for _ in range(800)]
            until(lambda: answered(connections) >= 300 * at_work)
            assert answered(connections) < 800
        until(lambda: answered(connections) == 800)
        for connection in connections:
            assert connection.recv(15) == b"HTTP/1.1 200 OK"


def test_each_of_them_gets_as_many_connections(mock: Process) -> None:
    def sockets(process: int) -> int:
        found = 0
        for file in Path(f"/proc/{process}/fd").iterdir():
            with suppress(FileNotFoundError):  # which has been closed meanwhile
                found += str(file.readlink()).startswith("socket:")
        return found

    workers = sorted(children(mock.pid))
    with ExitStack() as stack:
        for _ in range(40):
            assert asking(mock, stack).recv(15) == b"HTTP/1.1 200 OK"
        at_work = [sockets(worker) for worker in workers]

    def gone() -> list[int]:
        return [before - sockets(worker) for worker, before in zip(workers, at_work, strict=True)]

    until(lambda: sum(gone()) == 40)
    assert gone() == [20, 20]


@pytest.mark.whole
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
def test_a_signal_ends_all_of_them(mock: Process, number: signal.Signals) -> None:
    workers = children(mock.pid)
    assert mock.end(number) == (0, "mock-server: ended\n")
    assert not any(map(is_alive, workers))


@pytest.mark.whole
def test_they_end_when_their_parent_is_killed(mock: Process) -> None:
    workers = children(mock.pid)
    mock.end(signal.SIGKILL)
    until(lambda: not any(map(is_alive, workers)))
    assert "Traceback" not in mock.log()


def test_they_cannot_share_what_is_in_memory() -> None:
    refused = run("--workers", "2", "--port", "0")
    assert refused.returncode == 1
    assert "2 workers cannot share what is in the memory of one of them" in refused.stderr
    assert "--database sqlite:///mock.db, or leave --workers out" in refused.stderr
