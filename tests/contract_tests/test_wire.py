"""Requests as command lines, answers as values."""

import shlex
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract_tests.wire import LONGEST_KEPT, Answer, NoAnswer, Request
from tests.contract_tests.harness import exchange

URL = "http://127.0.0.1:1"


def _arguments(line: str) -> list[str]:
    """What a shell makes of a command line that begins with `curl`."""
    script = "import sys; sys.stdout.buffer.write(b'\\0'.join(map(__import__('os').fsencode, sys.argv[1:])))"
    shell = f'curl() {{ {shlex.join([sys.executable, "-c", script])} "$@"; }}; {line}'
    ended = subprocess.run(["/bin/bash", "-c", shell], capture_output=True, check=True)
    return [argument.decode("utf-8", "surrogateescape") for argument in ended.stdout.split(b"\0")]


@pytest.mark.parametrize(
    "body",
    [
        b'{"prompt": "a paper boat"}',
        b'{"prompt": "it\'s a boat; rm -rf $HOME `x`"}',
        "{'prompt': '纸船 \U0001f58c'}".encode(),
        b'{"prompt": "\xff\xfe"}',
        b"line\nline\\n'quoted'",
        b"",
    ],
)
def test_a_curl_line_sends_the_same_bytes(body: bytes) -> None:
    request = Request("POST", "/api?a='b'", {"X-Name": "a 'b' $c"}, body)
    arguments = _arguments(request.curl(URL + "/"))
    assert arguments[:5] == ["-X", "POST", f"{URL}/api?a='b'", "-H", "X-Name: a 'b' $c"]
    assert arguments[6].encode("utf-8", "surrogateescape") == body


def test_a_request_without_a_body_has_none_in_curl() -> None:
    assert Request("GET", "/tasks/1").curl(URL) == f"curl -X GET {URL}/tasks/1"


@given(st.binary(max_size=60))
def test_whatever_the_body_a_curl_line_is_one_line(body: bytes) -> None:
    line = Request("POST", "/", {}, body).curl(URL)
    assert "\n" not in line
    assert shlex.split(line.replace("$'", "'"), posix=False)


@pytest.mark.parametrize(
    ("header", "media_type"),
    [("application/json", "application/json"), ("Application/JSON; charset=utf-8", "application/json"), ("", "")],
)
def test_the_content_type_has_no_parameters(header: str, media_type: str) -> None:
    assert Answer(200, {"content-type": header}, b"").content_type == media_type


def test_an_answer_without_content_type_has_none() -> None:
    assert Answer(200, {}, b"").content_type == ""


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"[" * 100_000, b"9" * 5000])
def test_what_is_no_json_is_none(body: bytes) -> None:
    assert Answer(200, {}, body).json() is None
    assert Request("POST", "/", {}, body).json() is None


def test_an_exchange_without_answer_has_neither_status_nor_json() -> None:
    lost = exchange("getTask", None)
    assert isinstance(lost.answer, NoAnswer)
    assert (lost.status, lost.json(), lost.came()) == (None, None, "no complete answer within 1 seconds")


def test_what_came_is_told_with_its_status_and_never_without_end() -> None:
    assert exchange("getTask", 500, b"\xff oops").came() == "500 \\xff oops"
    assert len(exchange("getTask", 200, b"x" * 1_000_000).came()) <= LONGEST_KEPT + 4
