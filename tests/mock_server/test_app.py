"""Over HTTP: paths, methods, credentials and origins, and the contracts that cannot be played."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from contract.errors import ContractError
from contract.reader import load_contract
from mock_server.accounts import Account
from mock_server.app import build_app
from mock_server.plan import Chance, Planner
from mock_server.service import Service
from mock_server.settings import MEMORY
from mock_server.store import Store
from tests.mock_server.harness import (
    COOKIE,
    EMPTY,
    GENERATE,
    LIMIT,
    ORIGIN,
    OTHER,
    POOR,
    READ,
    RICH,
    SCENARIOS,
    SUBMIT,
    TASKS,
    Documented,
    Mock,
    bearer,
    changed_contract,
    request,
    serving,
    told,
    valid,
)

# ---------------------------------------------------- unknown paths and methods


UNKNOWN = ["*", "/", "//", "/x", "/api", "/api/ai", "/openapi.json", "/ui/", "/docs", "/" + "x" * 10_000]
NEARLY_SUBMIT = ["/api/ai/image/generate/", "/api/ai/image/generate%0A", "/api/ai/image%2Fgenerate"]
NEARLY_READ = ["/api/ai/tasks", "/api/ai/tasks/", "/api/ai/tasks/a/b", "/api/ai/tasks/a/", "//api/ai/tasks/x"]
NEARLY_READ += ["/api//ai/tasks/x", "/api/ai/./tasks/x", "/API/AI/tasks/x"]
NO_PICTURE = ["/_mock", "/_mock/", "/_mock/pictures", "/_mock/pictures/", "/_mock/picturesx"]
ODD = ["/%00", "/%ff", "/%", "/a%0Ab", "/%2F"]


@pytest.mark.parametrize(
    "path", [*UNKNOWN, *NEARLY_SUBMIT, *NEARLY_READ, *NO_PICTURE, *ODD], ids=lambda path: path[:40]
)
def test_an_unknown_path_is_not_found(mock: Mock, path: str) -> None:
    for method in (b"GET", b"POST", b"DELETE", b"OPTIONS"):
        for line in (b"Authorization: Bearer " + RICH.encode(), b"X-No: credentials"):
            answer = mock.send(method, path.encode(), line)
            assert (answer.status, answer.json) == (404, {"error": "Not found"})


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD", "TRACE", "CONNECT", "QUERY"])
def test_another_method_is_refused_with_those_that_are_allowed(mock: Mock, method: str) -> None:
    for path, allowed in ((SUBMIT, {"POST"}), (f"{TASKS}/x", {"GET", "HEAD"})):
        if method not in allowed:
            answer = mock.send(method.encode(), path.encode())
            assert answer.status == 405
            assert set(answer.headers["allow"].split(", ")) == allowed
            assert answer.body == b"" if method == "HEAD" else answer.json == {"error": "Method not allowed"}


def test_head_is_get_without_the_body(mock: Mock) -> None:
    task_id = mock.new()
    for target in (f"{TASKS}/{task_id}".encode(), f"{TASKS}/x".encode()):
        get, head = mock.send(b"GET", target), mock.send(b"HEAD", target)
        assert (head.status, head.body) == (get.status, b"")
        assert head.headers["content-length"] == get.headers["content-length"] == str(len(get.body))


@pytest.mark.parametrize(
    "start", [b"FOO / HTTP/1.1", b"get / HTTP/1.1", b"GET /\xff HTTP/1.1", b"GET / HTTP/9", b"\0", b"x"]
)
def test_what_is_no_http_is_refused_by_the_server(mock: Mock, start: bytes) -> None:
    assert mock.raw(start + b"\r\nHost: mock\r\n\r\n").status == 400
    assert mock.client.get("/").status_code == 404


# ------------------------------------------------------------------ credentials


INVALID = [
    b"X-Nothing: at all",
    b"Authorization:",
    b"Authorization: Bearer",
    b"Authorization: Bearer ",
    b"Authorization: sk_test_rich",
    b"Authorization: Basic sk_test_rich",
    b"Authorization: Token sk_test_rich",
    b"Authorization: Bearer: sk_test_rich",
    b"Authorization: Bearer\tsk_test_rich",
    b"Authorization: Bearer sk_test_nobody",
    b"Authorization: Bearer sk_test_Rich",
    b"Authorization: Bearer sk_test_ric",
    b"Authorization: Bearer sk_test_richx",
    b"Authorization: Bearer sk_test_rich x",
    b'Authorization: Bearer "sk_test_rich"',
    b"Authorization: Bearer sk_test_rich, Bearer sk_test_rich",
    b"Authorization: Bearer session_rich",
    b"Authorization: Bearer \xff",
    b"Authorization: Bearer " + b"x" * 50_000,
    b"X-Api-Key: sk_test_rich",
    b"Cookie:",
    b"Cookie: session",
    b"Cookie: session=",
    b"Cookie: session=nobody",
    b"Cookie: session=sk_test_rich",
    b"Cookie: Session=session_rich",
    b"Cookie: session_rich",
    b"Cookie: other=session_rich",
    b"Cookie: session=%73ession_rich",
    b'Cookie: session="\\000\\777"',
    b'Cookie: ;;;==,;"\xff\\',
    b"Authorization: Bearer nobody\r\nCookie: session=nobody",
]


@pytest.mark.parametrize("line", INVALID, ids=lambda line: repr(line[:60]))
def test_without_valid_credentials_nothing_is_answered(mock: Mock, line: bytes) -> None:
    task_id = mock.new()
    requests = [(b"POST", SUBMIT, body) for body in (b"", b"{", valid())]
    requests += [(b"GET", f"{TASKS}/{name}", b"") for name in ("x", task_id)]
    for method, path, body in requests:
        answer = mock.send(method, path.encode(), line, b"Content-Length: %d" % len(body), body=body)
        assert (answer.status, answer.json) == (401, {"error": "Unauthorized"})


@pytest.mark.parametrize(
    "headers",
    [
        bearer(RICH),
        {"Authorization": f"bearer {RICH}"},
        {"Authorization": f"BEARER   {RICH}"},
        COOKIE,
        {"Cookie": "a=b; session=session_rich; c"},
        {"Cookie": 'session="session_rich"'},
        {**bearer(RICH), **COOKIE},
        {**bearer(RICH), "Cookie": "session=nobody"},
        {**bearer("nobody"), **COOKIE},
        {"Authorization": "Basic eDp5", **COOKIE},
    ],
    ids=str,
)
def test_one_valid_credential_is_enough_for_every_operation(
    mock: Mock, documented: Documented, headers: dict[str, str]
) -> None:
    task_id = documented(GENERATE, mock.client.post(SUBMIT, json=request(), headers=headers), 200)["taskId"]
    documented(READ, mock.client.get(f"{TASKS}/{task_id}", headers=headers), 200)
    assert mock.read(task_id, RICH)


def test_somebody_elses_task_is_not_found(mock: Mock, documented: Documented) -> None:
    task_id = mock.new(RICH)
    for headers in (bearer(OTHER), bearer(POOR), {"Cookie": "session=session_other"}):
        response = mock.client.get(f"{TASKS}/{task_id}", headers=headers)
        assert documented(READ, response, 404) == {"error": "Task not found"}


def test_api_keys_may_be_in_headers_and_queries_too(tmp_path: Path) -> None:
    def change(document: dict[str, Any]) -> None:
        schemes = document["components"]["securitySchemes"]
        schemes["headerKey"] = {"type": "apiKey", "in": "header", "name": "X-Key", "x-provenance": "assumed"}
        schemes["queryKey"] = {"type": "apiKey", "in": "query", "name": "key", "x-provenance": "assumed"}
        document["security"] = [{"headerKey": []}, {"queryKey": []}]

    contract = load_contract(changed_contract(tmp_path, change))
    with serving(contract) as mock:
        mock.store.add_accounts([Account("odd", 10, {"headerKey": "h", "queryKey": "a b&c"})])
        path = f"{TASKS}/x"
        assert mock.client.get(path, headers={"x-key": "h"}).status_code == 404
        assert mock.client.get(path, params={"key": "a b&c"}).status_code == 404
        assert mock.client.get(path, params={"key": "h"}).status_code == 401
        assert mock.client.get(path, headers={"x-key": "a b&c"}).status_code == 401
        assert mock.client.get(path, headers=bearer(RICH)).status_code == 401


# ---------------------------------------------------------------- several errors


def test_of_several_errors_the_first_in_order_is_answered(mock: Mock, documented: Documented) -> None:
    documented(GENERATE, mock.post(b"{", "nobody"), 401)
    documented(GENERATE, mock.post(b"{", EMPTY), 400)
    documented(GENERATE, mock.submit(EMPTY, prompt=""), 400)
    documented(GENERATE, mock.submit(EMPTY, **told("lost")), 400)
    documented(GENERATE, mock.post(valid(), EMPTY, **{"Content-Type": "text/plain"}), 400)
    documented(GENERATE, mock.submit(EMPTY), 402)


# ------------------------------------------------------------------------- CORS


def test_a_page_of_another_origin_may_read_every_answer(mock: Mock) -> None:
    head = {**bearer(RICH), **ORIGIN}
    task_id = mock.new(**told("completed", afterSeconds=0))
    (picture,) = mock.read(task_id)["imageUrls"]
    answers = {
        mock.client.post(SUBMIT, json=request(), headers=head): 200,
        mock.client.get(f"{TASKS}/{task_id}", headers=head): 200,
        mock.client.get(picture, headers=ORIGIN): 200,
        mock.client.post(SUBMIT, content=b"{", headers=head): 400,
        mock.client.post(SUBMIT, content=b"x", headers={**head, "Content-Type": "text/plain"}): 400,
        mock.client.post(SUBMIT, json=request(), headers=ORIGIN): 401,
        mock.client.post(SUBMIT, json=request(), headers={**ORIGIN, **bearer(EMPTY)}): 402,
        mock.client.get(f"{TASKS}/x", headers=head): 404,
        mock.client.get("/x", headers=head): 404,
        mock.client.get(f"{TASKS}/x", headers={**ORIGIN, **COOKIE}): 404,
        mock.client.delete(SUBMIT, headers=head): 405,
    }
    for response, status in answers.items():
        assert response.status_code == status
        assert response.headers["access-control-allow-origin"] == ORIGIN["Origin"]
        assert response.headers["access-control-allow-credentials"] == "true"
        assert response.headers["access-control-expose-headers"] == "*"
        assert "Origin" in response.headers["vary"]


@pytest.mark.parametrize("path", [SUBMIT, f"{TASKS}/x", "/x"])
def test_a_preflight_allows_what_it_asks_for(mock: Mock, path: str) -> None:
    asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization, content-type"}
    response = mock.client.options(path, headers={**ORIGIN, **asked})
    assert response.status_code == 200
    assert response.headers["access-control-allow-origin"] == ORIGIN["Origin"]
    assert "POST" in response.headers["access-control-allow-methods"]
    assert "GET" in response.headers["access-control-allow-methods"]
    assert response.headers["access-control-allow-headers"] == "authorization, content-type"


def test_without_an_origin_there_is_nothing_to_allow(mock: Mock) -> None:
    headers = mock.submit().headers
    assert "access-control-allow-origin" not in headers
    assert headers["vary"] == "Origin"


# ------------------------------------------------------- rules outside of bodies


def test_a_parameter_that_breaks_a_rule_is_answered_as_documented(tmp_path: Path) -> None:
    def change(document: dict[str, Any]) -> None:
        (parameter,) = document["paths"][f"{TASKS}/{{id}}"]["get"]["parameters"]
        parameter["schema"]["maxLength"] = 30
        wanted = {"name": "X-Team", "in": "header", "required": True, "schema": {"type": "string"}}
        document["paths"][SUBMIT]["post"]["parameters"] = [wanted]

    contract = load_contract(changed_contract(tmp_path, change))
    documented = Documented(contract)
    with serving(contract) as mock:
        documented(READ, mock.client.get(f"{TASKS}/{'x' * 31}", headers=bearer(RICH)), 404)
        refused = documented(GENERATE, mock.submit(), 400)
        assert "X-Team" in refused["details"]["formErrors"][0]
        headers = {**bearer(RICH), "X-Team": "foxes"}
        documented(GENERATE, mock.client.post(SUBMIT, json=request(), headers=headers), 200)


# ------------------------------------------------------ contracts that cannot be played


def start(folder: Path, change: Callable[[dict[str, Any]], object]) -> str:
    """The message with which a mock refuses to play a contract."""
    contract = load_contract(changed_contract(folder, change))
    store = Store(MEMORY)
    service = Service(contract, store, Planner(contract.lifecycle, Chance(5, 0, 0)), SCENARIOS)
    with pytest.raises(ContractError) as raised:
        build_app(contract, service, store, max_body_bytes=LIMIT)
    store.close()
    return str(raised.value)


def test_an_operation_without_a_behaviour_stops_the_start(tmp_path: Path) -> None:
    def add(document: dict[str, Any]) -> None:
        reading = document["paths"][f"{TASKS}/{{id}}"]["get"]
        listing = {key: value for key, value in reading.items() if key not in ("x-task", "parameters")}
        document["paths"][TASKS] = {"get": {**listing, "operationId": "listTasks"}}

    message = start(tmp_path, add)
    assert message.startswith(f"{tmp_path}/openapi.yaml:")
    assert "/paths/~1api~1ai~1tasks/get: the mock has no behaviour for the operation 'listTasks'" in message
    assert "x-task" in message


def test_a_path_parameter_without_a_type_stops_the_start(tmp_path: Path) -> None:
    def leave_out(document: dict[str, Any]) -> None:
        (parameter,) = document["paths"][f"{TASKS}/{{id}}"]["get"]["parameters"]
        parameter["schema"] = {"allOf": [{"type": "string"}]}

    message = start(tmp_path, leave_out)
    assert "/get/parameters/0: the mock cannot read a parameter of the path whose type is not said" in message


def test_an_operation_without_security_stops_the_start(tmp_path: Path) -> None:
    message = start(tmp_path, lambda document: document["paths"][SUBMIT]["post"].update(security=[]))
    assert "nobody would own the tasks of the operation 'generateImage'; expected security" in message


@pytest.mark.parametrize(
    "scheme",
    [
        {"type": "http", "scheme": "basic"},
        {"type": "openIdConnect", "openIdConnectUrl": "https://example.com"},
        {"type": "oauth2", "flows": {"clientCredentials": {"tokenUrl": "https://example.com", "scopes": {}}}},
    ],
    ids=str,
)
def test_credentials_that_cannot_be_checked_stop_the_start(tmp_path: Path, scheme: dict[str, Any]) -> None:
    def replace(document: dict[str, Any]) -> None:
        document["components"]["securitySchemes"]["bearerAuth"] = {**scheme, "x-provenance": "page"}

    message = start(tmp_path, replace)
    assert "/components/securitySchemes/bearerAuth: the mock cannot check credentials of the scheme" in message
