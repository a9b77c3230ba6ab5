"""Programs of this machine may make accounts and see balances; web pages may not."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from mock_server.accounts import MOST_CREDITS
from mock_server.guard import is_loopback
from tests.mock_server.harness import RICH, SUBMIT, TASKS, Process, bearer, request, told

ACCOUNTS, ACCOUNT = "/_mock/accounts", "/_mock/account"


@pytest.fixture(scope="module")
def mock(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    with Process(tmp_path_factory.mktemp("mock"), ("--task-seconds", "0")) as process:
        yield process


def made(mock: Process, credits: int) -> Any:
    response = mock.client.post(ACCOUNTS, json={"credits": credits})
    assert response.status_code == 201
    return response.json()


def balance(mock: Process, key: str) -> Any:
    response = mock.client.get(ACCOUNT, headers=bearer(key))
    assert response.status_code == 200
    return response.json()["balance"]


def test_an_account_is_made_with_credits_and_credentials_of_its_own(mock: Process) -> None:
    one, other = made(mock, 10), made(mock, 0)
    assert (one["balance"], other["balance"]) == (10, 0)
    assert one["name"] != other["name"]
    assert set(one["credentials"]) == {"bearerAuth", "sessionCookie"}
    assert not set(one["credentials"].values()) & set(other["credentials"].values())
    cookie = {"Cookie": f"session={one['credentials']['sessionCookie']}"}
    assert mock.client.post(SUBMIT, json=request(), headers=cookie).status_code == 200
    assert mock.submit(other["credentials"]["bearerAuth"]).status_code == 402


def test_a_balance_shows_what_submissions_and_refunds_do(mock: Process) -> None:
    key = made(mock, 10)["credentials"]["bearerAuth"]
    assert balance(mock, key) == 10
    mock.new(key)
    assert balance(mock, key) == 7
    mock.new(key, **told("failed", afterSeconds=0))
    assert balance(mock, key) == 7
    mock.new(key, **told("failed", afterSeconds=3600))
    assert balance(mock, key) == 4
    assert mock.submit(key, model="nano-banana-2", resolution="2K").status_code == 402
    assert balance(mock, key) == 4


def test_it_says_what_it_is(mock: Process) -> None:
    assert mock.client.get(ACCOUNTS).json() == {"mock": "Image task API 1.0.0"}


def test_a_key_of_no_account_has_no_balance(mock: Process) -> None:
    for headers in ({}, bearer("nobody"), bearer(""), {"Authorization": f"Basic {RICH}"}, {"Authorization": RICH}):
        response = mock.client.get(ACCOUNT, headers={name: value.strip() for name, value in headers.items()})
        assert (response.status_code, response.json()) == (401, {"error": "no account has this key"})


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b"10",
        b"{}",
        b'{"credits": -1}',
        b'{"credits": 1.5}',
        b'{"credits": true}',
        b'{"credits": "10"}',
        b'{"credits": null}',
        b'{"credits": "\\ud800"}',
        b'{"credits": NaN}',
        json.dumps({"credits": MOST_CREDITS + 1}).encode(),
        b'{"credits": ' + b"9" * 5000 + b"}",
        b"[" * 100_000,
        b"\xff",
    ],
    ids=lambda body: repr(body[:30]),
)
def test_a_body_that_gives_no_credits_is_refused(mock: Process, body: bytes) -> None:
    response = mock.client.post(ACCOUNTS, content=body)
    assert response.status_code == 400
    assert isinstance(response.json()["error"], str)


@pytest.mark.parametrize("origin", ["https://example.com", "http://localhost:3000", "null", "http://127.0.0.1", ""])
def test_a_web_page_may_not_use_it(mock: Process, origin: str) -> None:
    for method, path in (("GET", ACCOUNTS), ("POST", ACCOUNTS), ("GET", ACCOUNT), ("OPTIONS", ACCOUNTS)):
        response = mock.client.request(method, path, json={"credits": 1}, headers={"Origin": origin, **bearer(RICH)})
        assert response.status_code == 403
        assert "access-control-allow-origin" not in response.headers


def test_a_page_of_the_mock_itself_may(mock: Process) -> None:
    assert mock.client.post(ACCOUNTS, json={"credits": 1}, headers={"Origin": mock.url}).status_code == 201


@pytest.mark.parametrize(
    "host", [b"", b"example.com", b"rebound.test:8000", b"[", b"[::1", b"127.0.0.1.test", b"0.0.0.0"]
)
def test_a_name_that_is_not_this_machines_may_not_be_used(mock: Process, host: bytes) -> None:
    lines = [b"GET " + ACCOUNTS.encode() + b" HTTP/1.1", b"Connection: close", b"Host: " + host, b"", b""]
    assert mock.raw(b"\r\n".join(lines)).status == 403


@pytest.mark.parametrize(
    "host", [b"localhost", b"localhost:1", b"127.0.0.1", b"127.1.2.3:80", b"[::1]:8000", b"LOCALHOST"]
)
def test_the_names_of_this_machine_may_be_used(mock: Process, host: bytes) -> None:
    lines = [b"GET " + ACCOUNTS.encode() + b" HTTP/1.1", b"Connection: close", b"Host: " + host, b"", b""]
    assert mock.raw(b"\r\n".join(lines)).status == 200


def test_other_paths_and_methods_have_answers_too(mock: Process) -> None:
    for path in ("/_mock/", "/_mock/x", "/_mock/accounts/", "/_mock/accounts/x"):
        response = mock.client.get(path)
        assert (response.status_code, response.json()) == (404, {"error": "the control API has no such path"})
    for method, path, allowed in (("DELETE", ACCOUNTS, "GET, POST"), ("POST", ACCOUNT, "GET")):
        response = mock.client.request(method, path)
        assert (response.status_code, response.headers["allow"]) == (405, allowed)
        assert response.json() == {"error": "the control API has no such method here"}


def test_pictures_are_for_everybody(mock: Process) -> None:
    (url,) = mock.read(mock.new())["imageUrls"]
    response = httpx.get(url, headers={"Origin": "https://example.com"})
    assert response.status_code == 200
    assert "access-control-allow-origin" in response.headers


def test_its_requests_are_logged_without_keys(tmp_path: Path) -> None:
    with Process(tmp_path) as mock:
        key = made(mock, 5)["credentials"]["bearerAuth"]
        balance(mock, key)
        assert mock.end(signal.SIGTERM)[0] == 0
        log = mock.log()
    assert key not in log
    lines = [json.loads(line) for line in log.splitlines()]
    assert [(line["method"], line["path"], line["status"]) for line in lines] == [
        ("POST", ACCOUNTS, 201),
        ("GET", ACCOUNT, 200),
    ]


def test_it_is_not_there_where_other_machines_can_reach_the_mock(tmp_path: Path) -> None:
    with Process(tmp_path, ("--host", "0.0.0.0")) as mock:  # noqa: S104 - that is the point
        for method in ("GET", "POST"):
            response = mock.client.request(method, ACCOUNTS, json={"credits": 1})
            assert (response.status_code, response.json()) == (404, {"error": "Not found"})
        assert mock.client.get(f"{TASKS}/x", headers=bearer(RICH)).status_code == 404


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", True),
        ("127.255.0.1", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),  # noqa: S104 - that is the point
        ("::", False),
        ("192.0.2.1", False),
        ("example.com", False),
        ("", False),
        ("1", False),
    ],
)
def test_loopback_is_what_only_this_machine_can_reach(host: str, expected: bool) -> None:
    assert is_loopback(host) is expected
