"""Clients that leave in the middle: nothing of what they only half said is done, and nobody else waits for them."""

from __future__ import annotations

import contextlib
import json
import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.mock_server.harness import PATIENCE, RICH, SUBMIT, Process, bearer, told, until, valid


@pytest.fixture
def mock(tmp_path: Path) -> Iterator[Process]:
    with Process(tmp_path, ("--task-seconds", "3600")) as process:
        yield process


def say(mock: Process, *requests: bytes) -> socket.socket:
    """A connection on which these requests, or parts of some, have been sent in one go."""
    connection = socket.create_connection(("127.0.0.1", int(mock.url.rpartition(":")[2])), timeout=PATIENCE)
    connection.sendall(b"".join(requests))
    return connection


def asked(method: str, path: str, *headers: str, body: bytes = b"", announced: int | None = None) -> bytes:
    length = len(body) if announced is None else announced
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost", f"Content-Length: {length}", *headers]
    return "\r\n".join([*lines, "", ""]).encode() + body


@pytest.mark.parametrize(
    ("path", "body"),
    [("/_mock/reset", b""), ("/_mock/accounts/rich/credits", b'{"credits":1}'), ("/_mock/tasks/{task}/fail", b"")],
)
def test_what_has_not_arrived_as_a_whole_is_not_carried_out(mock: Process, path: str, body: bytes) -> None:
    task = mock.new()
    say(mock, asked("POST", path.replace("{task}", task), body=body, announced=100)).close()
    until(lambda: f'"path": "{path.replace("{task}", task)}"' in mock.log())
    assert mock.read(task)["status"] == 0
    assert mock.client.get("/_mock/account", headers=bearer(RICH)).json()["balance"] == 1_000_000 - 3


def test_a_form_that_breaks_off_is_no_error_of_the_server(mock: Process) -> None:
    say(mock, asked("POST", "/_mock/console/credits", body=b"credits=5", announced=100)).close()
    until(lambda: '"path": "/_mock/console/credits"' in mock.log())
    assert "Traceback" not in mock.log()


def test_every_request_of_a_connection_learns_that_the_client_has_left(mock: Process) -> None:
    credentials = [f"{name}: {value}" for name, value in bearer(RICH).items()]
    headers = [*credentials, "Content-Type: application/json", "Prefer: scenario=server-hangs-up"]
    submission = asked("POST", SUBMIT, *headers, body=valid())
    for _ in range(3):
        with contextlib.closing(say(mock, submission, asked("GET", "/nowhere"))) as connection:
            assert connection.recv(100) == b""
    until(lambda: mock.log().count(f'"path": "{SUBMIT}"') == 3)
    began = time.monotonic()
    assert mock.end(signal.SIGTERM)[0] == 0
    assert time.monotonic() - began < 5


def test_who_has_left_is_not_drawn_for_and_what_is_no_picture_does_not_wait(mock: Process) -> None:
    task = mock.new(**told("completed", afterSeconds=0), model="nano-banana-pro", resolution="4K", prompt="x" * 4000)
    picture = asked("GET", f"/_mock/pictures/{task}.png")
    for connection in [say(mock, picture) for _ in range(60)]:
        connection.close()
    assert mock.client.get("/_mock/pictures/none.png").status_code == 404
    assert mock.client.get(f"/_mock/pictures/{task}.png").status_code == 200
    drawn = [line for line in map(json.loads, mock.log().splitlines()) if line["path"].endswith(f"{task}.png")]
    assert sum(line["status"] == 200 for line in drawn) < 30
