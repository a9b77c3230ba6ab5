"""What two sides do to each other that is no plain question and answer passes as well, and blames nobody."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Iterator

import pytest

from contract_tests.traffic.messages import Message, Part, Reader
from contract_tests.verdicts import Finding
from contract_tests.wire import NoAnswer
from tests.contract_tests.traffic.wires import PATIENCE, read, say, scripted, standing

GET = b"GET /a HTTP/1.1\r\nHost: x\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"
POST = b"POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 6\r\n\r\nabc"
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
FINDING = Finding("a.clause", "this", "that", "curl")
ENFORCED = pytest.mark.parametrize("enforce", [False, True], ids=["passed", "held"])


def dialled(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), PATIENCE)


@ENFORCED
def test_a_fault_of_this_tool_is_told_and_the_traffic_goes_on(monkeypatch: pytest.MonkeyPatch, enforce: bool) -> None:
    def broken(*_: object) -> Iterator[Part]:
        raise RuntimeError("a bug")

    monkeypatch.setattr(Reader, "feed", broken)
    with scripted() as server, standing(server.port, enforce=enforce, rename=True, crashing=True) as proxy:
        server.expects, server.answer = len(GET), OK
        assert say(proxy.port, GET) == OK
    assert server.came == [GET]
    assert proxy.crashes == ["RuntimeError: a bug"]
    assert proxy.noted == ["a connection on which there is what this tool stumbles over"]


def test_a_fault_of_this_tool_that_ends_a_connection_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: Reader) -> Message | None:
        raise RuntimeError("a bug")

    monkeypatch.setattr(Reader, "end", broken)
    with scripted() as server, standing(server.port, crashing=True) as proxy:
        server.expects, server.answer = len(GET), OK[:-1]
        say(proxy.port, GET)
    assert proxy.crashes == ["RuntimeError: a bug"]


@ENFORCED
def test_who_asks_whether_to_go_on_is_told_at_once_and_the_last_answer_is_judged(enforce: bool) -> None:
    def patient(connection: socket.socket) -> None:
        read(connection, len(POST) - 3)
        connection.sendall(CONTINUE)
        read(connection, 6)
        connection.sendall(OK)

    with (
        scripted(patient) as server,
        standing(server.port, lambda *_: FINDING, enforce=enforce) as proxy,
        dialled(proxy.port) as client,
    ):
        client.sendall(POST[:-3])
        assert read(client, len(CONTINUE)) == CONTINUE
        client.sendall(b"abcdef")
        answer = read(client, 1_000_000)
    assert answer.startswith(b"HTTP/1.1 502 ") if enforce else answer == OK
    ((request, _),) = proxy.looked
    assert bytes(request.body) == b"abcdef"


@ENFORCED
def test_a_request_that_is_answered_before_its_end_is_looked_at_without_its_body(enforce: bool) -> None:
    def hasty(connection: socket.socket) -> None:
        read(connection, len(POST))
        connection.sendall(OK)
        read(connection, 3 + len(GET))
        connection.sendall(OK)

    with scripted(hasty) as server, standing(server.port, enforce=enforce) as proxy, dialled(proxy.port) as client:
        client.sendall(POST)
        assert read(client, len(OK)) == OK
        client.sendall(b"def" + GET)
        assert read(client, len(OK)) == OK
    (early, _), (late, _) = proxy.looked
    assert (early.method, early.unfinished, early.size) == ("POST", True, 0)
    assert (late.method, late.unfinished) == ("GET", False)


@ENFORCED
@pytest.mark.parametrize(
    "told", [b"HTTP/1.1 200 OK\r\n\r\nuntil th", b"no HTTP", b""], ids=["HTTP", "no HTTP", "silence"]
)
def test_a_server_that_breaks_off_breaks_off_before_the_client_too(told: bytes, enforce: bool) -> None:
    def rude(connection: socket.socket) -> None:
        read(connection, len(GET))
        connection.sendall(told)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    with scripted(rude) as server, standing(server.port, enforce=enforce) as proxy, dialled(proxy.port) as client:
        client.sendall(GET)
        assert read(client, len(told)) == told
        with pytest.raises(ConnectionResetError):
            client.recv(1)
    if told.startswith(b"HTTP"):
        ((_, answer),) = proxy.looked
        assert answer == NoAnswer("the answer broke off")
    else:
        assert proxy.looked == []
        assert len(proxy.noted) == 1


@ENFORCED
def test_a_server_may_be_the_first_to_speak(enforce: bool) -> None:
    def greeting(connection: socket.socket) -> None:
        connection.sendall(b"220 hello\r\n")
        connection.sendall(read(connection, 6).upper())

    with scripted(greeting) as server, standing(server.port, enforce=enforce) as proxy, dialled(proxy.port) as client:
        assert read(client, 11) == b"220 hello\r\n"
        client.sendall(b"ehlo\r\n")
        assert read(client, 6) == b"EHLO\r\n"


def test_a_client_that_has_left_without_a_word_is_no_traffic() -> None:
    with scripted() as server, standing(server.port) as proxy:
        assert say(proxy.port) == b""
    assert (proxy.looked, proxy.noted) == ([], [])


BARE = b"GET /a HTTP/1.1\nhost: shop.example\nX-A: b\n\n"


def test_a_head_with_bare_line_ends_is_renamed_and_passed() -> None:
    with scripted() as server, standing(server.port, rename=True) as proxy:
        wanted = BARE.replace(b"shop.example", b"127.0.0.1:%d" % server.port)
        server.expects, server.answer = len(wanted), OK
        assert say(proxy.port, BARE[:22], BARE[22:]) == OK
    assert server.came == [wanted]


@pytest.mark.parametrize("said", [b"GET /a HTTP/1.1\r\nHo", b"GET /a HTTP/1.1\r\nHost: shop", b"GET /a HT", b"HOST:"])
def test_half_a_head_is_passed_when_the_client_ends(said: bytes) -> None:
    with scripted() as server, standing(server.port, rename=True) as proxy:
        server.expects, server.answer = 1_000_000, b"bye"
        with dialled(proxy.port) as client:
            client.sendall(said)
            client.shutdown(socket.SHUT_WR)
            assert read(client, 3) == b"bye"
    assert server.came == [said]


@pytest.mark.parametrize("said", [b"ehlo x\r\n", b"\x00\x01", b"ping", b"GET /a HTTP/1.1\r\nX: y\r\nA"])
def test_what_is_no_host_is_not_waited_for(said: bytes) -> None:
    with scripted() as server, standing(server.port, rename=True) as proxy:
        server.expects, server.answer = len(said), b"heard"
        with dialled(proxy.port) as client:
            client.sendall(said)
            assert read(client, 5) == b"heard"
    assert server.came == [said]


def reset(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def test_a_client_that_breaks_off_ends_the_connection_to_the_server() -> None:
    heard, ended = threading.Event(), threading.Event()

    def waiting(connection: socket.socket) -> None:
        read(connection, len(POST))
        heard.set()
        assert read(connection, 1) == b""
        ended.set()

    with scripted(waiting) as server, standing(server.port) as proxy:
        client = dialled(proxy.port)
        client.sendall(POST)
        assert heard.wait(PATIENCE)
        reset(client)
        assert ended.wait(PATIENCE)
    assert (proxy.looked, proxy.noted) == ([], ["no answer came"])


@ENFORCED
def test_what_cannot_be_judged_is_told_and_passed(enforce: bool) -> None:
    def broken(*_: object) -> Finding | None:
        raise RuntimeError("a bug")

    with scripted() as server, standing(server.port, broken, enforce=enforce, crashing=True) as proxy:
        server.expects, server.answer = len(GET), OK
        assert say(proxy.port, GET) == OK
    assert proxy.crashes == ["RuntimeError: a bug"]


@ENFORCED
def test_after_a_tunnel_was_asked_for_everything_passes(enforce: bool) -> None:
    asked = b"CONNECT x:443 HTTP/1.1\r\nHost: x:443\r\n\r\n"
    told = b"HTTP/1.1 200 OK\r\n\r\n\x16\x03"
    with scripted() as server, standing(server.port, enforce=enforce) as proxy:
        server.expects, server.answer = len(asked), told
        assert say(proxy.port, asked) == told
    assert server.came == [asked]
