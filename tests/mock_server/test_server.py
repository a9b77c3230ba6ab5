"""The worker's side of its door: it is given connections, says that it has taken them, and serves them."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
import uvicorn
from starlette.responses import PlainTextResponse

from mock_server.protocol import Protocol
from mock_server.server import Server
from tests.mock_server.harness import PATIENCE

REQUEST = b"GET / HTTP/1.1\r\nhost: here\r\n\r\n"


@dataclass
class Parent:
    """Who gives the connections.

    Attributes:
        door: its end.
    """

    door: socket.socket
    server: Server
    listener: socket.socket

    def connect(self) -> socket.socket:
        """A client, whose connection has been given away."""
        client = socket.create_connection(self.listener.getsockname(), PATIENCE)
        connection, _ = self.listener.accept()
        with connection:
            socket.send_fds(self.door, [b"."], [connection.fileno()])
        return client


@pytest.fixture
def parent() -> Iterator[Parent]:
    ours, theirs = socket.socketpair()
    config = uvicorn.Config(PlainTextResponse("here"), http=Protocol, log_config=None, access_log=False, lifespan="off")
    server = Server(config, theirs)
    thread = threading.Thread(target=server.run)
    thread.start()
    with ours, socket.create_server(("127.0.0.1", 0)) as listener:
        ours.settimeout(PATIENCE)
        assert ours.recv(1) == b"."  # it is ready
        yield Parent(ours, server, listener)
        server.should_exit = True
        thread.join()


def test_a_connection_that_is_given_is_taken_and_served(parent: Parent) -> None:
    with parent.connect() as client:
        assert parent.door.recv(1) == b"."
        for _ in range(2):  # it stays open
            client.sendall(REQUEST)
            assert client.recv(1000).startswith(b"HTTP/1.1 200 OK")


def test_a_connection_without_room_is_left_and_the_next_is_served(
    parent: Parent, caplog: pytest.LogCaptureFixture
) -> None:
    parent.door.sendall(b".")  # as it comes where there is no room for the file
    assert parent.door.recv(1) == b"."
    with parent.connect() as client:
        assert parent.door.recv(1) == b"."
        client.sendall(REQUEST)
        assert client.recv(1000).startswith(b"HTTP/1.1 200 OK")
    assert caplog.messages == ["a connection cannot be served: Too many open files"]


def test_a_client_that_has_left_disturbs_nobody(parent: Parent) -> None:
    parent.connect().close()
    assert parent.door.recv(1) == b"."
    with parent.connect() as client:
        client.sendall(REQUEST)
        assert client.recv(1000).startswith(b"HTTP/1.1 200 OK")


def test_one_that_ends_closes_its_door_first(parent: Parent) -> None:
    with parent.connect() as client:
        assert parent.door.recv(1) == b"."
        parent.server.should_exit = True
        assert parent.door.recv(1) == b""
        assert client.recv(1000) == b""


def test_where_the_parent_has_died_what_was_taken_is_served(parent: Parent) -> None:
    with parent.connect() as client:
        assert parent.door.recv(1) == b"."
        parent.door.close()
        client.sendall(REQUEST)
        assert client.recv(1000).startswith(b"HTTP/1.1 200 OK")
