"""Targets that are broken in ways that no contract speaks of: a run ends by itself, and says what it met."""

import socket
import threading
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from contract_tests.run import Run
from contract_tests.settings import Settings, SetupError
from contract_tests.target import LARGEST_ANSWER, LOSSES
from tests.contract_tests.harness import KEY, KEYS, PATIENCE, Manner, rude, run

QUICK = (*KEYS, "--request-timeout", "0.5", "--deadline", "1")
POLITE = 12
"""So many requests are answered as they should be: the set-up succeeds, and some tests."""
SOME = ("-k", "test_access or test_an_unknown_task or test_equal")

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


def never_answers(connection: socket.socket) -> None:
    connection.settimeout(PATIENCE)
    while connection.recv(65536):
        pass


def drips(connection: socket.socket) -> None:
    """Sends a byte now and then: no time-out for a single read would ever run out."""
    connection.sendall(HEAD + b"Content-Length: 1000000\r\n\r\n")
    while True:
        connection.sendall(b" ")
        threading.Event().wait(0.1)


def never_ends(connection: socket.socket) -> None:
    connection.sendall(HEAD + b"\r\n")
    while True:
        connection.sendall(b" " * 65536)


def redirects(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")


def closes_in_the_middle(connection: socket.socket) -> None:
    connection.sendall(HEAD + b"Content-Length: 100\r\n\r\n{")


def closes_at_once(connection: socket.socket) -> None:
    """Like a server that has died: whoever connects is turned away."""


def sends_garbage(connection: socket.socket) -> None:
    connection.sendall(bytes(range(256)) * 4)


def _sends(body: bytes, content_type: bytes = b"application/json") -> Manner:
    def send(connection: socket.socket) -> None:
        head = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: " + content_type
        connection.sendall(head + b"\r\nContent-Length: %d\r\n\r\n" % len(body) + body)

    return send


@pytest.mark.parametrize("manner", [never_answers, drips, never_ends, closes_in_the_middle, sends_garbage])
def test_a_target_that_never_says_anything_of_use_cannot_be_tested(manner: Manner) -> None:
    settings = Settings(key=KEY, request_timeout=0.5 if manner is not never_ends else PATIENCE)
    config: Any = SimpleNamespace()  # a run that cannot be made does not get as far as to look at it
    with rude(manner) as url, pytest.raises(SetupError, match=f"^{url} does not answer: "):
        Run(config, replace(settings, target=url))


@pytest.mark.parametrize(
    "manner", [closes_at_once, *(pytest.param(slow, marks=pytest.mark.whole) for slow in (never_answers, drips))]
)
def test_a_target_that_breaks_halfway_ends_the_run(manner: Manner, tmp_path: Path) -> None:
    with rude(manner, POLITE) as url:
        outcome = run(url, *QUICK, *SOME, folder=tmp_path)
    assert outcome.status == 2
    assert f"the run was ended: {url} has not answered {LOSSES} requests in a row" in outcome.text
    assert outcome.report["lost"]
    assert {finding["expected"] for finding in outcome.report["findings"]} >= {"a complete answer"}


@pytest.mark.whole
def test_an_answer_without_end_is_cut_and_is_a_finding(tmp_path: Path) -> None:
    with rude(never_ends, POLITE) as url:
        outcome = run(url, *KEYS, *SOME, "-x", folder=tmp_path)
    assert outcome.status in (1, 2)
    assert f"the answer is larger than {LARGEST_ANSWER:,} bytes" in outcome.text


@pytest.mark.whole
@pytest.mark.parametrize(
    ("manner", "clause"),
    [
        (redirects, r"statuses"),
        (_sends(b'{"taskId": "\xff\xfe", "status": 0, "creditsUsed": 3}'), "generateImage.200.type"),
        (_sends(b"hello"), "generateImage.200.type"),
        (_sends(b'{"taskId": "\\ud800", "status": 0, "creditsUsed": NaN}'), "generateImage.200.creditsUsed.type"),
    ],
    ids=["redirects", "invalid-utf-8", "no-json", "odd-values"],
)
def test_what_is_no_answer_of_the_api_is_a_finding(manner: Manner, clause: str, tmp_path: Path) -> None:
    with rude(manner) as url:
        outcome = run(url, *QUICK, "-k", "test_equal or test_an_unknown_task or tasks_live", folder=tmp_path)
    assert outcome.status == 1, outcome.text
    assert any(clause in broken for broken in outcome.broken)
