"""The proxy passes every byte on, both ways, whatever the bytes are; what it reads on the way is what was said."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract_tests.traffic.messages import LONGEST_BODY, Message
from contract_tests.verdicts import Finding
from contract_tests.wire import NoAnswer
from tests.contract_tests.traffic.wires import Scripted, Standing, read, say, scripted, standing

GET = b"GET /a?b=%20c HTTP/1.1\r\nhOsT: shop.example\r\nX-Twice: 1\r\nx-twice: 2\r\n\r\n"
OK = b"HTTP/1.1 200 Fine\r\nX-Odd:   spaced  \r\ncontent-LENGTH: 2\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\n\r\nhi"

EXCHANGES = {
    "a length": (b"POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc", OK, 1),
    "chunks and trailers": (
        b"POST /x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3;ext=1\r\nabc\r\n0\r\nX-T: 1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\nX-Sum: 9\r\n\r\n",
        1,
    ),
    "HEAD": (b"HEAD /x HTTP/1.1\r\nHost: x\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n", 1),
    "no content": (GET, b"HTTP/1.1 204 No Content\r\n\r\n", 1),
    "not modified": (GET, b"HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n\r\n", 1),
    "HTTP/1.0": (b"GET /x HTTP/1.0\r\n\r\n", b"HTTP/1.0 200 OK\r\n\r\nuntil the end", 1),
    "an interim answer": (
        b"POST /x HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\na",
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + OK,
        1,
    ),
    "a pipeline": (GET + b"HEAD /y HTTP/1.1\r\nHost: x\r\n\r\n" + GET, OK + OK[:-2] + OK, 3),
    "an upgrade": (
        b"GET /ws HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n\x81\x85\0\0",
        b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n\x81\x02hi",
        0,
    ),
    "no HTTP at all": (b"\x16\x03\x01\x02\0\x01\0\r\n\r\n", b"\x15\x03\x01\0\x02", 0),
    "a long body": (
        b"POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 3000000\r\n\r\n" + b"u" * 3_000_000,
        b"HTTP/1.1 200 OK\r\nContent-Length: 2500000\r\n\r\n" + b"d" * 2_500_000,
        1,
    ),
}


@pytest.fixture(scope="module")
def server() -> Iterator[Scripted]:
    with scripted() as server:
        yield server


@pytest.fixture(scope="module", params=["passed", "held", "renamed"])
def proxy(server: Scripted, request: pytest.FixtureRequest) -> Iterator[Standing]:
    with standing(server.port, enforce=request.param == "held", rename=request.param == "renamed") as proxy:
        yield proxy


@pytest.mark.parametrize(("asked", "told", "exchanges"), EXCHANGES.values(), ids=EXCHANGES)
def test_every_byte_passes_and_what_was_said_is_read(
    server: Scripted, asked: bytes, told: bytes, exchanges: int
) -> None:
    server.expects, server.answer = len(asked), told
    with standing(server.port) as proxy:
        assert say(proxy.port, asked) == told
        assert server.came.pop() == asked
    assert len(proxy.looked) == exchanges
    assert all(not isinstance(answer, NoAnswer) for _, answer in proxy.looked)


@given(asked=st.lists(st.binary(min_size=1), min_size=1, max_size=4), told=st.binary(), http=st.booleans())
def test_whatever_the_bytes_are_they_pass(
    server: Scripted, proxy: Standing, asked: list[bytes], told: bytes, http: bool
) -> None:
    parts = [GET.replace(b"shop.example", b"127.0.0.1:%d" % server.port), *asked] if http else asked
    whole = b"".join(parts)
    server.expects, server.answer = len(whole), (OK if http else b"") + told
    assert say(proxy.port, *parts) == server.answer
    assert server.came.pop() == whole


def test_what_was_read_is_what_was_said(server: Scripted) -> None:
    asked, told, _ = EXCHANGES["chunks and trailers"]
    server.expects, server.answer = len(asked), told
    with standing(server.port) as proxy:
        say(proxy.port, asked)
    ((request, answer),) = proxy.looked
    assert (request.method, request.target, bytes(request.body)) == ("POST", "/x", b"abc")
    assert not isinstance(answer, NoAnswer)
    assert (answer.status, bytes(answer.body)) == (200, b"hi")


def test_a_long_body_is_not_kept(server: Scripted) -> None:
    asked, told, _ = EXCHANGES["a long body"]
    server.expects, server.answer = len(asked), told
    with standing(server.port) as proxy:
        say(proxy.port, asked)
    ((request, answer),) = proxy.looked
    assert request.size > LONGEST_BODY
    assert not request.whole
    assert not isinstance(answer, NoAnswer)
    assert not answer.whole


def test_an_answer_that_breaks_off_is_seen_as_such(server: Scripted) -> None:
    server.expects, server.answer = len(GET), OK[:-1]
    with standing(server.port) as proxy:
        assert say(proxy.port, GET) == OK[:-1]
    ((_, answer),) = proxy.looked
    assert isinstance(answer, NoAnswer)


def test_a_server_that_is_down_is_answered_for_with_a_clear_text() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        free = taken.getsockname()[1]
    with standing(free) as proxy:
        told = say(proxy.port, GET)
    assert told.startswith(b"HTTP/1.1 502 ")
    assert f"http://127.0.0.1:{free} cannot be reached: ".encode() in told
    assert proxy.noted == ["the server cannot be reached"]


def test_a_client_that_has_said_all_still_hears_the_answer(server: Scripted) -> None:
    server.expects, server.answer = len(GET) + 1, OK  # it answers only when the client has ended
    with standing(server.port) as proxy, socket.create_connection(("127.0.0.1", proxy.port), 20) as connection:
        connection.sendall(GET)
        connection.shutdown(socket.SHUT_WR)
        assert read(connection, len(OK)) == OK
    assert server.came.pop() == GET


def test_requests_name_the_server_where_that_is_asked_for(server: Scripted) -> None:
    chunked = EXCHANGES["chunks and trailers"][0]
    authority = f"127.0.0.1:{server.port}".encode()
    wanted = (GET + chunked).replace(b"shop.example", authority).replace(b"Host: x", b"Host: " + authority)
    server.expects, server.answer = len(wanted), OK + OK
    with standing(server.port, rename=True) as proxy:
        assert say(proxy.port, GET[:20], GET[20:] + chunked[:9], chunked[9:]) == OK + OK
    assert server.came.pop() == wanted


FINDING = Finding("a.clause", "this", "that", "curl")


@pytest.mark.parametrize("name", [name for name in EXCHANGES if name not in ("an upgrade", "no HTTP at all", "HEAD")])
def test_an_answer_that_breaks_the_contract_is_replaced_where_that_is_asked_for(server: Scripted, name: str) -> None:
    asked, told, exchanges = EXCHANGES[name]
    server.expects, server.answer = len(asked), told
    with standing(server.port, lambda *_: FINDING, enforce=True) as proxy:
        got = say(proxy.port, asked)
    if name == "a long body":
        assert got == told  # it is not held so long
    else:
        assert got.count(b"HTTP/1.1 502 ") == exchanges
        assert got.count(b'"clause": "a.clause"') == exchanges - (name == "a pipeline")  # one is to HEAD


@pytest.mark.parametrize("wrong", [0, 1, 2])
def test_of_several_answers_that_come_at_once_only_the_wrong_one_is_replaced(server: Scripted, wrong: int) -> None:
    paths = (b"/0", b"/1", b"/2")
    answers = [OK.replace(b"hi", path) for path in paths]
    asked = b"".join(GET.replace(b"/a?b=%20c", path) for path in paths)
    server.expects, server.answer = len(asked), b"".join(answers)

    def judge(request: Message, *_: object) -> Finding | None:
        return FINDING if request.target == f"/{wrong}" else None

    with standing(server.port, judge, enforce=True) as proxy:
        got = say(proxy.port, asked)
    before, _, after = got.partition(b"HTTP/1.1 502 ")
    assert before == b"".join(answers[:wrong])
    assert after.endswith(b"}" + b"".join(answers[wrong + 1 :]))


@pytest.mark.parametrize("name", EXCHANGES)
def test_nothing_else_is_altered_where_answers_are_held(server: Scripted, name: str) -> None:
    asked, told, _ = EXCHANGES[name]
    server.expects, server.answer = len(asked), told
    with standing(server.port, enforce=True) as proxy:
        assert say(proxy.port, asked) == told
    assert server.came.pop() == asked
