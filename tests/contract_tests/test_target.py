"""What talks to the implementation under test: it never hangs, never follows, never keeps anything."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email.utils import formatdate

import pytest

from contract_tests.target import LARGEST_ANSWER, LOSSES, Target, TargetLostError
from contract_tests.wire import Answer, Exchange, NoAnswer, Request
from tests.contract_tests.harness import Counted, rude
from tests.targets import wire

GET = Request("GET", "/x")


@contextmanager
def _serving(answer: wire.Answer) -> Iterator[str]:
    server = wire.Server(answer)
    server.start()
    try:
        yield server.url
    finally:
        server.stop()


@contextmanager
def _target(url: str, timeout: float = 10.0, rate: float | None = None) -> Iterator[Target]:
    target = Target(url, timeout=timeout, rate=rate)
    try:
        yield target
    finally:
        target.close()


def _reason(exchange: Exchange) -> str:
    assert isinstance(exchange.answer, NoAnswer)
    return exchange.answer.reason


def test_an_answer_comes_back_with_all_that_it_says() -> None:
    seen: list[Exchange] = []
    with _serving(lambda request: wire.Reply(201, {"path": request.path}, headers={"X-Name": "v"})) as url:
        target = Target(url, timeout=10, watch=seen.append)
        exchange = target.send(Request("POST", "/a%2Fb%zz", {"X-Name": "ü"}, b"{}"))
        target.close()
    assert isinstance(exchange.answer, Answer)
    assert (exchange.status, exchange.json()) == (201, {"path": "/a%2Fb%zz"})
    assert exchange.answer.headers["x-name"] == "v"
    assert seen == [exchange]
    assert exchange.seconds >= 0


def test_a_base_url_may_have_a_path() -> None:
    with (
        _serving(lambda request: wire.Reply(200, {"path": request.path})) as url,
        _target(f"{url}/staging/") as target,
    ):
        assert target.send(GET).json() == {"path": "/staging/x"}


def test_redirects_are_not_followed() -> None:
    with (
        _serving(lambda _: wire.Reply(302, {}, headers={"Location": "/elsewhere"})) as url,
        _target(url) as target,
    ):
        assert target.send(GET).status == 302


def test_cookies_are_not_kept() -> None:
    """A cookie that the target sets would open it to requests that are to show no credentials."""

    def answer(request: wire.Request) -> wire.Reply:
        return wire.Reply(200, {"cookie": request.headers.get("Cookie")}, headers={"Set-Cookie": "session=sk; Path=/"})

    with _serving(answer) as url, _target(url) as target:
        assert [target.send(GET).json() for _ in range(2)] == [{"cookie": None}] * 2
        assert target.send(Request("GET", "/", {"Cookie": "session=mine"})).json() == {"cookie": "session=mine"}


def test_requests_can_be_sent_at_once() -> None:
    together = threading.Barrier(8)

    def answer(request: wire.Request) -> wire.Reply:
        together.wait(timeout=60)
        return wire.Reply(200, {"path": request.path})

    with _serving(answer) as url, _target(url, timeout=60) as target:
        exchanges = target.send_all([Request("GET", f"/{number}") for number in range(8)])
    assert [exchange.json() for exchange in exchanges] == [{"path": f"/{number}"} for number in range(8)]


def test_an_answer_that_never_ends_is_cut() -> None:
    sent = 0

    def endless(connection: socket.socket) -> None:
        nonlocal sent
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n")
        while True:
            connection.sendall(b" " * 65536)
            sent += 65536

    with rude(endless) as url, _target(url, timeout=60) as target:
        assert _reason(target.send(GET)) == f"the answer is larger than {LARGEST_ANSWER:,} bytes"
    assert LARGEST_ANSWER - 65536 < sent < 4 * LARGEST_ANSWER


def test_a_deadline_holds_for_the_whole_answer() -> None:
    over = threading.Event()

    def drip(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        while not over.wait(0.05):
            connection.sendall(b" ")

    with rude(drip) as url, _target(url, timeout=0.3) as target:
        assert _reason(target.send(GET)) == "no complete answer within 0.3 seconds"
    over.set()


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"hello\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nnope",
        b"HTTP/1.1 99999 What\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nno header\r\n\r\n",
        b"\x00\xff" * 1000,
    ],
)
def test_what_is_no_complete_answer_is_none(said: bytes) -> None:
    with rude(lambda connection: connection.sendall(said)) as url, _target(url) as target:
        assert _reason(target.send(GET)).startswith("no complete answer")


def test_who_does_not_answer_again_and_again_is_lost() -> None:
    with rude(lambda _: None) as url, _target(url) as target:
        for _ in range(LOSSES - 1):
            target.send(GET)
        with pytest.raises(TargetLostError, match=f"has not answered {LOSSES} requests in a row: no complete answer"):
            target.send(GET)


def test_an_answer_in_between_makes_up_for_losses() -> None:
    numbers = iter(range(1000))

    def answer(_: wire.Request) -> wire.Reply:
        if next(numbers) % LOSSES:
            raise ConnectionAbortedError
        return wire.Reply(200, {})

    with _serving(answer) as url, _target(url) as target:
        statuses = [target.send(GET).status for _ in range(4 * LOSSES)]
    assert statuses == [200, *[None] * (LOSSES - 1)] * 4


def test_nobody_there_is_no_answer() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with _target(f"http://127.0.0.1:{port}") as target:
        assert "onnect" in _reason(target.send(GET))


def _turned_away(status: int, wait: str | Callable[[], str], times: int) -> wire.Answer:
    numbers = iter(range(1000))

    def answer(_: wire.Request) -> wire.Reply:
        if next(numbers) < times:
            return wire.Reply(status, {}, headers={"Retry-After": wait if isinstance(wait, str) else wait()})
        return wire.Reply(200, {})

    return answer


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize(
    "wait", ["0", "0.01", "-5", "nan", lambda: formatdate(time.time(), usegmt=True)], ids=[*"0x-n", "date"]
)
def test_who_is_turned_away_comes_again(status: int, wait: str | Callable[[], str]) -> None:
    with _serving(_turned_away(status, wait, 2)) as url, _target(url) as target:
        assert target.send(GET).status == 200
        assert 0.05 < target.waited < 5


def test_a_long_wait_is_cut_short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("contract_tests.target._LONGEST_WAIT", 0.06)
    with _serving(_turned_away(429, "inf", 1)) as url, _target(url) as target:
        assert target.send(GET).status == 200
        assert target.waited == 0.06


@pytest.mark.parametrize("wait", ["soon", "\u2615".encode().decode("latin-1")])
def test_a_wait_that_says_nothing_is_no_gateway_s(wait: str) -> None:
    with _serving(_turned_away(429, wait, 1)) as url, _target(url) as target:
        assert target.send(GET).status == 429
        assert target.waited == 0


@pytest.mark.parametrize("status", [400, 401, 500])
def test_other_answers_are_not_asked_for_again(status: int) -> None:
    with _serving(_turned_away(status, "0", 1)) as url, _target(url) as target:
        assert target.send(GET).status == status


def test_a_gateway_that_always_turns_away_is_a_target_lost() -> None:
    with _serving(_turned_away(429, "0", 1000)) as url, _target(url) as target:
        for _ in range(LOSSES - 1):
            assert target.send(GET).status == 429
        with pytest.raises(TargetLostError, match="429"):
            target.send(GET)


def test_a_rate_holds_for_requests_at_once_too(target: Counted) -> None:
    with _target(target.url, rate=40.0) as slow:
        started = time.monotonic()
        slow.send_all([GET] * 9)
        slow.send(GET)
        assert time.monotonic() - started >= 9 / 40
