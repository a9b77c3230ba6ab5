"""Task IDs of any form stay one segment of the path, and each request is one line of the log."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from mock_server.outer import EncodedSeparators, RequestLog
from tests.mock_server.harness import (
    COOKIE,
    EMPTY,
    GENERATE,
    ORIGIN,
    OTHER,
    READ,
    RICH,
    SUBMIT,
    TASKS,
    Log,
    Mock,
    bearer,
    request,
)

# -------------------------------------------------------------------- task ids

PLAIN = ["x", ".", "..", "*", "~", "-1", "a+b", "a;b=c", "a=b&c", "{id}", "null", "NaN", "1e999", "tsk_"]
ENCODED = ["%20", "%00", "%25", "%252F", "%2e%2e", "%7Bid%7D", "%c3%a9", "'%20OR%201=1--"]
SEPARATORS = ["%2F", "%2f%2F", "a%2Fb", "..%2F..%2Fetc", "%0a", "%0A", "x%0a", "%0ax", "%0d%0a", "%2F%0A"]
MALFORMED = ["%", "%zz", "%f", "%ff", "%ff%fe", "%ed%a0%80", "%f4%90%80%80"]
NEARLY = ["tsk_01K7E9V4TQ2M8N5R3W6Y1Z0ABC", "TSK_01K7E9V4TQ2M8N5R3W6Y1Z0ABC", "tsk_01K7E9V4TQ2M8N5R3W6Y1Z0ABC%0A"]
LONG = ["x" * 10_000, "%2F" * 3_333]


@pytest.mark.parametrize(
    "text", [*PLAIN, *ENCODED, *SEPARATORS, *MALFORMED, *NEARLY, *LONG], ids=lambda text: text[:40]
)
def test_an_id_that_is_no_tasks_is_an_unknown_task(mock: Mock, text: str) -> None:
    target = f"{TASKS}/{text}".encode()
    answer = mock.send(b"GET", target)
    assert (answer.status, answer.json) == (404, {"error": "Task not found"})
    answer = mock.send(b"GET", target, b"X-No: credentials")
    assert (answer.status, answer.json) == (401, {"error": "Unauthorized"})


def test_query_and_fragment_are_no_part_of_an_id(mock: Mock) -> None:
    task_id = mock.new()
    for suffix in ("?", "?id=x", "?a=%ff&%00", "#x"):
        assert mock.send(b"GET", f"{TASKS}/{task_id}{suffix}".encode()).status == 200
    assert mock.send(b"GET", f"http://mock{TASKS}/{task_id}".encode()).status == 200
    assert mock.send(b"GET", f"{TASKS}/{quote(task_id[0])}%74{task_id[1:]}".encode()).status == 404
    assert mock.send(b"GET", f"{TASKS}/%74{task_id[1:]}".encode()).status == 200


# ------------------------------------------------------------------ the request log


def test_each_request_is_one_line_of_json(logged: Mock, log: Log) -> None:
    task_id = logged.new()
    line = log.next()
    assert set(line) == {"time", "method", "path", "status", "ms", "operation", "account", "task", "debited"}
    assert (line["method"], line["path"], line["status"]) == ("POST", SUBMIT, 200)
    assert (line["operation"], line["account"]) == (GENERATE, "rich")
    assert (line["task"], line["debited"]) == (task_id, 3)
    assert line["ms"] >= 0
    logged.read(task_id)
    assert log.next()["operation"] == READ
    logged.submit(EMPTY)
    line = log.next()
    assert (line["status"], line["account"]) == (402, "empty")
    assert (line["refused"], line["price"]) == ("insufficient credits", 3)
    assert log.is_empty()


@pytest.mark.parametrize(
    ("sent", "status", "refused"),
    [
        (("POST", SUBMIT, b"", {}), 401, "OAuthProblem"),
        (("POST", SUBMIT, b"{", bearer(RICH)), 400, "InvalidRequest"),
        (("POST", SUBMIT, b"{", {**bearer(RICH), "Content-Type": "text/plain"}), 400, "UnsupportedMediaTypeProblem"),
        (("GET", "/nothing%0A%22", b"", {}), 404, None),
        (("DELETE", SUBMIT, b"", {}), 405, "HTTPException"),
    ],
    ids=str,
)
def test_each_refusal_is_one_line_of_json(
    logged: Mock, log: Log, sent: tuple[str, str, bytes, dict[str, str]], status: int, refused: str | None
) -> None:
    method, path, content, headers = sent
    logged.client.request(method, path, content=content, headers=headers)
    line = log.next()
    assert (line["method"], line["status"], line.get("refused")) == (method, status, refused)
    assert log.is_empty()


def test_the_log_never_tells_credentials_or_bodies(logged: Mock, log: Log) -> None:
    secrets = [RICH, OTHER, "session_rich", "sk_nobody_1", "cookie_2", "basic_3", "query_4", "body_5", "passed_6"]
    secrets += ["header_7", "name_8"]
    path = f"{TASKS}/{logged.new(prompt='body_5', providerInput={'token': 'passed_6'})}"
    requests: list[Callable[[], httpx.Response]] = [
        lambda: logged.client.get(path, headers=bearer(RICH)),
        lambda: logged.client.get(path, headers=bearer(OTHER)),
        lambda: logged.client.get(path, headers=COOKIE),
        lambda: logged.client.get(path, headers=bearer("sk_nobody_1")),
        lambda: logged.client.get(path, headers={"Cookie": "session=cookie_2; name_8=x"}),
        lambda: logged.client.get(path, headers={"Authorization": "Basic basic_3", "X-Key": "header_7"}),
        lambda: logged.client.get(path, params={"token": "query_4", "key": RICH}),
        lambda: logged.client.get("/x", params={"token": "query_4"}, headers=bearer(RICH)),
        lambda: logged.client.delete(SUBMIT, params={"token": "query_4"}, headers=bearer(RICH)),
        lambda: logged.post(b'{"body_5": ', RICH, **COOKIE),
        lambda: logged.post(b'{"model": "body_5", "prompt": 7, "body_5": "\\ud800"}', RICH, **COOKIE),
        lambda: logged.submit("sk_nobody_1", prompt="body_5"),
    ]
    log.next()
    for send in requests:
        send()
        log.next()
    assert log.is_empty()
    for secret in secrets:
        assert secret not in log.text


def test_a_fault_of_the_mock_is_a_documented_error_and_one_line_without_secrets(logged: Mock, log: Log) -> None:
    with logged.store.transaction() as connection:
        connection.run("DROP TABLE credentials")
    response = logged.client.post(SUBMIT, json=request(), headers={**bearer(RICH), **ORIGIN})
    assert (response.status_code, response.json()) == (500, {"error": "Internal server error"})
    assert response.headers["access-control-allow-origin"] == ORIGIN["Origin"]
    line = log.next()
    assert (line["status"], line["refused"]) == (500, "StoreError")
    assert line["problem"] == "the database sqlite:// cannot be used: no such table: credentials"
    assert RICH not in log.text
    assert log.is_empty()


def test_a_fault_at_a_path_of_the_mocks_own_has_an_answer_too(
    logged: Mock, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_path: str) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(logged.service, "picture", fail)
    response = logged.client.get("/_mock/pictures/x.png")
    assert (response.status_code, response.json()) == (500, {"error": "Internal server error"})
    assert log.next()["refused"] == "ZeroDivisionError"


def test_what_is_no_request_passes_through_to_the_application() -> None:
    passed: list[str] = []

    async def app(scope: Any, _receive: Any, _send: Any) -> None:
        passed.append(scope["type"])

    async def nothing(*_: Any) -> Any:
        raise AssertionError

    asyncio.run(RequestLog(EncodedSeparators(app), print)({"type": "lifespan"}, nothing, nothing))
    assert passed == ["lifespan"]
