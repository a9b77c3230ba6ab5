"""Programs of this machine may make accounts and see balances; web pages may not."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from click.testing import CliRunner

from contract.pricing import MOST_CREDITS
from mock_server import control_app
from mock_server.cli import main
from mock_server.clock import FASTEST
from mock_server.guard import is_loopback
from tests.mock_server.harness import PATIENCE, RICH, SUBMIT, TASKS, Process, bearer, request, told

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
    for path in ("/_mock/", "/_mock"):
        assert mock.client.get(path).json() == {"mock": "Image task API 1.0.0", "problem": None}


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
    for path in ("/_mock/x", "/_mock/accounts/", "/_mock/accounts/x/y"):
        response = mock.client.get(path)
        assert (response.status_code, list(response.json())) == (404, ["error"])
        assert "/_mock/openapi.yaml" in response.json()["error"]
    for method, path, allowed in (("DELETE", ACCOUNTS, {"GET", "POST", "HEAD"}), ("POST", ACCOUNT, {"GET", "HEAD"})):
        response = mock.client.request(method, path)
        assert response.status_code == 405
        assert set(response.headers["allow"].split(", ")) <= allowed


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


def test_it_is_not_there_where_nobody_wants_it(tmp_path: Path) -> None:
    with Process(tmp_path, ("--no-control",)) as mock:
        for method in ("GET", "POST"):
            response = mock.client.request(method, ACCOUNTS, json={"credits": 1})
            assert (response.status_code, response.json()) == (404, {"error": "Not found"})
        (url,) = mock.read(mock.new(providerInput={"mock": {"afterSeconds": 0}}))["imageUrls"]
        assert httpx.get(url).status_code == 200


def test_beyond_loopback_it_demands_a_token(tmp_path: Path) -> None:
    with Process(tmp_path, ("--host", "0.0.0.0", "--control-token", "s3cret")) as mock:  # noqa: S104 - that is the point
        for headers in ({}, {"X-Control-Token": "other"}, {"X-Control-Token": ""}, {"Cookie": "mock_control=other"}):
            response = mock.client.post(ACCOUNTS, json={"credits": 1}, headers=headers)
            assert response.status_code == 401
            assert "X-Control-Token" in response.json()["error"]
        host = {"Host": "mock.example:8000"}
        for shown in ({"X-Control-Token": "s3cret"}, {"Cookie": "mock_control=s3cret"}):
            assert mock.client.post(ACCOUNTS, json={"credits": 1}, headers={**host, **shown}).status_code == 201
        assert mock.client.post(f"{ACCOUNTS}?token=s3cret", json={"credits": 1}).status_code == 401
        signed_in = mock.client.get(f"{ACCOUNTS}?token=s3cret")
        assert (signed_in.status_code, signed_in.headers["location"]) == (303, ACCOUNTS)
        assert "HttpOnly" in signed_in.headers["set-cookie"]
        assert "SameSite=strict" in signed_in.headers["set-cookie"]
        foreign = {"X-Control-Token": "s3cret", "Origin": "https://example.com"}
        assert mock.client.get(ACCOUNTS, headers=foreign).status_code == 403
        assert mock.client.get(f"{TASKS}/x", headers=bearer(RICH)).status_code == 404


def test_beyond_loopback_nothing_starts_without_one() -> None:
    result = CliRunner().invoke(main, ["--host", "0.0.0.0", "--port", "0"])  # noqa: S104 - that is the point
    assert result.exit_code == 1
    assert "--control-token" in result.output
    assert "--no-control" in result.output


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_a_page_that_was_not_asked_for_by_the_mock_may_not_use_it(mock: Process, site: str) -> None:
    assert mock.client.get(ACCOUNTS, headers={"Sec-Fetch-Site": site}).status_code == 403
    assert mock.client.get(ACCOUNTS, headers={"Sec-Fetch-Site": "same-origin"}).status_code == 200


# ---------------------------------------------------------------- what it does


def control(mock: Process, method: str, path: str, status: int = 200, **body: Any) -> Any:
    response = mock.client.request(method, f"/_mock/{path}", json=body or None)
    assert response.status_code == status, response.text
    return response.json() if response.content else None


def test_an_account_can_be_named_looked_at_topped_up_and_deleted(mock: Process) -> None:
    key = control(mock, "POST", "accounts", 201, credits=4, name="named")["credentials"]["bearerAuth"]
    assert control(mock, "POST", "accounts", 409, credits=4, name="named")["error"].startswith("there is an account")
    task = mock.new(key)
    assert control(mock, "POST", "accounts/named/credits", credits=10)["balance"] == 11
    ledger = control(mock, "GET", "accounts/named/ledger")
    assert (ledger["opening"], ledger["balance"]) == (4, 11)
    rows = [(entry["kind"], entry["amount"], entry["balance"], entry["task"]) for entry in ledger["entries"]]
    assert rows == [("debit", -3, 1, task), ("top-up", 10, 11, None)]
    assert control(mock, "DELETE", "accounts/named", 204) is None
    assert mock.client.get(f"{TASKS}/{task}", headers=bearer(key)).status_code == 401
    for method, path in (("GET", "accounts/named"), ("DELETE", "accounts/named"), ("GET", "accounts/named/ledger")):
        assert control(mock, method, path, 404) == {"error": "no account 'named'"}
    for path in ("clock?account=named", "tasks?account=named"):
        assert control(mock, "GET", path, 404) == {"error": "no account 'named'"}
    assert control(mock, "POST", "accounts/named/credits", 404, credits=1) == {"error": "no account 'named'"}
    assert control(mock, "PUT", "scenario?account=named", 404, name="slow-provider") == {"error": "no account 'named'"}
    assert control(mock, "POST", "reset?account=named", 404) == {"error": "no account 'named'"}
    assert control(mock, "PUT", "clock?account=named", 404, speed=1) == {"error": "no account 'named'"}


@pytest.mark.parametrize("name", ["..", ".", "a/b", "a b", "", "-", "ann\n", "x" * 101])
def test_an_account_has_a_name_that_can_stand_in_a_path(mock: Process, name: str) -> None:
    response = mock.client.post(ACCOUNTS, json={"credits": 1, "name": name})
    assert response.status_code == 400


def test_a_body_may_come_in_chunks(tmp_path: Path) -> None:
    with Process(tmp_path, ("--task-seconds", "3600")) as mock:
        made = mock.client.post(ACCOUNTS, content=iter([b'{"credits"', b": 9}"]))
        assert made.json()["balance"] == 9
        task = mock.new(made.json()["credentials"]["bearerAuth"])
        failed = mock.client.post(f"/_mock/tasks/{task}/fail", content=iter([b'{"errorCode": ', b'"MINE"}']))
        assert failed.json()["snapshot"]["errorCode"] == "MINE"
        assert mock.client.put("/_mock/scenario", content=iter([b"garbage"])).status_code == 400


def test_a_held_task_stays_held_wherever_its_clock_is_set(tmp_path: Path) -> None:
    with Process(tmp_path) as mock:
        name, key = (account := made(mock, 9))["name"], account["credentials"]["bearerAuth"]
        task = mock.new(key)
        control(mock, "POST", f"tasks/{task}/hold")
        for _ in range(12):
            control(mock, "PUT", f"clock?account={name}", speed=FASTEST)
            control(mock, "POST", f"clock/advance?account={name}", seconds=31_536_000)
            control(mock, "PUT", f"clock?account={name}", real=True)
        assert control(mock, "GET", f"tasks/{task}")["held"] is True


def test_no_account_gets_more_than_one_can_have(mock: Process) -> None:
    name = control(mock, "POST", "accounts", 201, credits=MOST_CREDITS)["name"]
    refused = control(mock, "POST", f"accounts/{name}/credits", 409, credits=1)
    assert refused["error"].startswith(f"an account can have at most {MOST_CREDITS:,} credits")


def test_accounts_and_tasks_come_in_pages(mock: Process) -> None:
    page = control(mock, "GET", "accounts?limit=2")
    names = [account["name"] for account in page["accounts"]]
    while page["next"]:
        page = control(mock, "GET", f"accounts?limit=2&after={page['next']}")
        names += [account["name"] for account in page["accounts"]]
    assert names == sorted(names)
    assert {"rich", "other", "poor", "empty"} <= set(names)
    mine = made(mock, 30)
    ids = [mock.new(mine["credentials"]["bearerAuth"]) for _ in range(5)]
    first = control(mock, "GET", f"tasks?account={mine['name']}&limit=3")
    rest = control(mock, "GET", f"tasks?account={mine['name']}&limit=3&after={first['next']}")
    assert sorted([task["id"] for page in (first, rest) for task in page["tasks"]]) == sorted(ids)
    assert rest["next"] is None


def test_one_accounts_clock_is_nobody_elses(tmp_path: Path) -> None:
    with Process(tmp_path, ("--task-seconds", "30")) as mock:
        one, other = made(mock, 10), made(mock, 10)
        keys = [account["credentials"]["bearerAuth"] for account in (one, other)]
        tasks = [mock.new(key) for key in keys]
        before = control(mock, "PUT", f"clock?account={one['name']}", speed=0)
        assert (before["speed"], before["own"], before["real"]) == (0, True, False)
        after = control(mock, "POST", f"clock/advance?account={one['name']}", seconds=30)
        assert _moment(after["now"]) - _moment(before["now"]) == timedelta(seconds=30)
        assert control(mock, "GET", f"clock?account={one['name']}")["now"] == after["now"]
        assert [mock.read(task, key)["status"] for task, key in zip(tasks, keys, strict=True)] == [1, 0]
        ended = mock.read(tasks[0], keys[0])
        assert control(mock, "PUT", f"clock?account={one['name']}", real=True)["own"] is False
        assert mock.read(tasks[0], keys[0]) == ended


def test_a_clock_that_is_set_back_undoes_nothing(tmp_path: Path) -> None:
    with Process(tmp_path, ("--task-seconds", "30")) as mock:
        name, key = (account := made(mock, 9))["name"], account["credentials"]["bearerAuth"]
        failed = mock.new(key, **told("failed"))
        control(mock, "POST", f"clock/advance?account={name}", seconds=3600)
        late = mock.new(key, **told("failed"))
        shown = mock.read(failed, key)
        assert (shown["status"], shown["creditsRefunded"], balance(mock, key)) == (2, True, 6)
        control(mock, "PUT", f"clock?account={name}", real=True)
        assert (mock.read(failed, key), balance(mock, key)) == (shown, 6)
        accepted = mock.read(late, key)
        left = control(mock, "GET", f"tasks/{late}")["secondsLeft"]
        assert 0 < left <= 30
        control(mock, "POST", f"clock/advance?account={name}", seconds=31)
        ended = mock.read(late, key)
        assert (ended["status"], balance(mock, key)) == (2, 9)
        assert ended["createdAt"] == accepted["createdAt"] <= ended["updatedAt"]
        ledger = control(mock, "GET", f"accounts/{name}/ledger")["entries"]
        assert [entry["kind"] for entry in ledger] == ["debit", "refund", "debit", "refund"]
        assert [entry["at"] for entry in ledger] == sorted(entry["at"] for entry in ledger)


def test_the_clock_of_all_moves_all_who_have_none_of_their_own(tmp_path: Path) -> None:
    with Process(tmp_path, ("--task-seconds", "30")) as mock:
        own = made(mock, 9)
        control(mock, "PUT", f"clock?account={own['name']}", speed=0)
        theirs, mine = mock.new(), mock.new(own["credentials"]["bearerAuth"])
        control(mock, "PUT", "clock", speed=0)
        control(mock, "POST", "clock/advance", seconds=30)
        assert mock.read(theirs)["status"] == 1
        assert mock.read(mine, own["credentials"]["bearerAuth"])["status"] == 0
        control(mock, "PUT", "clock", real=True)
        assert mock.read(theirs)["status"] == 1
        assert control(mock, "GET", "clock")["real"] is True


@pytest.mark.parametrize("body", [{}, {"speed": -1}, {"speed": 1, "real": True}, {"real": False}, {"speed": "fast"}])
def test_a_clock_cannot_be_set_to_nonsense(mock: Process, body: dict[str, Any]) -> None:
    assert mock.client.put("/_mock/clock", json=body).status_code == 400


def test_no_clock_goes_beyond_what_a_timestamp_can_say(tmp_path: Path) -> None:
    with Process(tmp_path) as mock:
        name, key = (account := made(mock, 9))["name"], account["credentials"]["bearerAuth"]
        for _ in range(10):
            control(mock, "POST", f"clock/advance?account={name}", seconds=31_536_000)
        control(mock, "PUT", f"clock?account={name}", speed=FASTEST)
        assert mock.read(mock.new(key), key)["status"] in (0, 1)


def test_a_task_is_completed_failed_or_held_by_hand(tmp_path: Path) -> None:
    with Process(tmp_path, ("--task-seconds", "3600")) as mock:
        name, key = (account := made(mock, 9))["name"], account["credentials"]["bearerAuth"]
        completed, failed, held = (mock.new(key) for _ in range(3))
        assert control(mock, "POST", f"tasks/{completed}/complete")["state"] == "completed"
        assert mock.read(completed, key)["imageUrls"]
        done = control(mock, "POST", f"tasks/{failed}/fail", errorCode="CONTENT_REJECTED", errorMessage="No.")
        assert (done["state"], done["secondsLeft"], done["terminal"]) == ("failed", None, True)
        snapshot = mock.read(failed, key)
        assert (snapshot["errorCode"], snapshot["errorMessage"]) == ("CONTENT_REJECTED", "No.")
        assert (snapshot["creditsRefunded"], balance(mock, key)) == (True, 3)
        waiting = control(mock, "POST", f"tasks/{held}/hold")
        assert (waiting["held"], waiting["secondsLeft"], waiting["state"]) == (True, None, "pending")
        control(mock, "POST", f"clock/advance?account={name}", seconds=7200)
        assert mock.read(held, key)["status"] == 0
        assert control(mock, "POST", f"tasks/{held}/fail")["snapshot"]["errorCode"] == "EMPTY_RESULT"
        assert balance(mock, key) == 6
        for how in ("complete", "fail", "hold"):
            for task in (completed, failed, held):
                assert "has ended" in control(mock, "POST", f"tasks/{task}/{how}", 409)["error"]
        assert balance(mock, key) == 6
        kinds = [entry["kind"] for entry in control(mock, "GET", f"accounts/{name}/ledger")["entries"]]
        assert sorted(kinds) == ["debit"] * 3 + ["refund"] * 2


def test_a_task_that_was_to_fail_can_be_completed_and_is_not_refunded(tmp_path: Path) -> None:
    with Process(tmp_path) as mock:
        name, key = (account := made(mock, 3))["name"], account["credentials"]["bearerAuth"]
        task = mock.new(key, **told("failed", afterSeconds=3600))
        control(mock, "POST", f"tasks/{task}/complete")
        control(mock, "POST", f"clock/advance?account={name}", seconds=7200)
        assert (mock.read(task, key)["status"], balance(mock, key)) == (1, 0)


@pytest.mark.parametrize("task", ["x", "tsk_01K7E9V4TQ2M8N5R3W6Y1Z0ABC", "tsk_"])
def test_a_task_that_there_is_not_cannot_be_ended(mock: Process, task: str) -> None:
    for method, path in (
        ("GET", task),
        ("POST", f"{task}/complete"),
        ("POST", f"{task}/fail"),
        ("POST", f"{task}/hold"),
    ):
        assert control(mock, method, f"tasks/{path}", 404) == {"error": f"no task {task!r}"}


def test_many_who_end_a_task_at_once_end_it_once(tmp_path: Path) -> None:
    with Process(tmp_path, ("--task-seconds", "3600", "--database", f"sqlite:///{tmp_path}/m.db")) as mock:
        key = made(mock, 30)["credentials"]["bearerAuth"]
        tasks = [mock.new(key) for _ in range(5)]

        def end(number: int) -> int:
            how = "fail" if number % 2 else "complete"
            return httpx.post(f"{mock.url}/_mock/tasks/{tasks[number % 5]}/{how}", timeout=30).status_code

        with ThreadPoolExecutor(20) as threads:
            statuses = list(threads.map(end, range(40)))
        assert sorted(statuses) == [200] * 5 + [409] * 35
        failed = sum(mock.read(task, key)["status"] == 2 for task in tasks)
        assert balance(mock, key) == 30 - 15 + 3 * failed


def test_a_scenario_is_on_for_one_account_or_for_all(tmp_path: Path) -> None:
    with Process(tmp_path, ("--task-seconds", "0")) as mock:
        name, key = (account := made(mock, 30))["name"], account["credentials"]["bearerAuth"]
        assert control(mock, "PUT", f"scenario?account={name}", name="storage-errors")["current"] == "storage-errors"
        assert mock.read(mock.new(key), key)["errorCode"] == "STORAGE_ERROR"
        assert mock.read(mock.new())["status"] == 1
        assert control(mock, "GET", f"accounts/{name}")["scenario"] == "storage-errors"
        control(mock, "PUT", "scenario", name="server-errors")
        assert mock.submit().status_code == 500
        assert mock.submit(key).status_code == 200
        control(mock, "PUT", f"scenario?account={name}")
        assert mock.submit(key).status_code == 500
        assert control(mock, "PUT", "scenario")["current"] == "everything-works"
        assert mock.submit(key).status_code == 200
        refused = control(mock, "PUT", "scenario", 400, name="nothing-like-it")
        assert "everything-works, slow-provider" in refused["error"]


def test_exchanges_show_what_was_done_and_no_credentials(tmp_path: Path) -> None:
    with Process(tmp_path) as mock:
        key = (account := made(mock, 3))["credentials"]["bearerAuth"]
        task = mock.new(key, prompt=f"my key is {key}")
        mock.submit(key)
        mock.submit("sk_nobody_has_this")
        mock.client.post(SUBMIT, content=b"{}", headers=bearer(key))
        mock.read(task, key)
        shown = control(mock, "GET", "exchanges")["exchanges"]
        text = json.dumps(shown) + json.dumps(control(mock, "GET", "exchanges.har"))
        assert key not in text
        assert "sk_nobody_has_this" not in text
        read, invalid, unknown, short, accepted = shown
        assert accepted["did"] == {
            "operation": "generateImage", "account": account["name"], "task": task, "debited": 3,
        }  # fmt: skip
        assert json.loads(accepted["request"]["body"])["prompt"] == "my key is [credentials]"
        assert (short["did"]["refused"], short["did"]["price"]) == ("insufficient credits", 3)
        assert (unknown["response"]["status"], unknown["did"]["refused"]) == (401, "OAuthProblem")
        assert "prompt" in unknown["request"]["body"]
        assert invalid["did"]["refused"] == "InvalidRequest"
        assert read["request"]["path"] == f"{TASKS}/{task}"
        assert control(mock, "GET", f"exchanges/{read['id']}") == read
        assert (
            control(mock, "GET", "exchanges/999999", 404)["error"] == "the exchange 999999 is not kept, or not any more"
        )
        mine = control(mock, "GET", f"exchanges?account={account['name']}&limit=2")["exchanges"]
        assert [exchange["id"] for exchange in mine] == [read["id"], short["id"]]
        entries = control(mock, "GET", "exchanges.har")["log"]["entries"]
        assert [entry["response"]["status"] for entry in entries] == [200, 402, 401, 400, 200]


def test_a_state_is_saved_and_taken_over_by_another_mock(tmp_path: Path) -> None:
    with Process(tmp_path, ("--task-seconds", "30")) as mock:
        name, key = (account := made(mock, 30))["name"], account["credentials"]["bearerAuth"]
        control(mock, "POST", f"accounts/{name}/credits", credits=5)
        failed = mock.new(key, **told("failed"))
        control(mock, "POST", f"clock/advance?account={name}", seconds=60)
        pending = mock.new(key)
        control(mock, "PUT", f"scenario?account={name}", name="provider-down")
        state = control(mock, "GET", "state")
        shown = mock.read(failed, key)
    with Process(tmp_path) as other:
        made(other, 5)
        assert other.client.put("/_mock/state", json=state).status_code == 204
        assert other.read(failed, key) == shown
        assert other.read(pending, key)["status"] == 0
        assert balance(other, key) == 32
        taken = control(other, "GET", f"accounts/{name}")
        assert (taken["scenario"], taken["clock"]["speed"]) == ("provider-down", 0)
        again = control(other, "GET", "state")
        moved = [{**task, "base_url": other.url} for task in state["tasks"]]  # its pictures are the other mock's
        assert (again["tasks"], again["entries"]) == (moved, state["entries"])
        assert _timeless(again["accounts"]) == _timeless(state["accounts"])
        control(other, "POST", f"clock/advance?account={name}", seconds=30)
        assert other.read(pending, key)["status"] == 1


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "accounts?after=%00"),
        ("GET", "accounts/%00"),
        ("GET", "tasks?account=%00"),
        ("GET", "tasks?after=%00"),
        ("DELETE", "accounts/%00"),
    ],
)
def test_a_name_that_no_database_could_look_for_is_refused(mock: Process, method: str, path: str) -> None:
    response = mock.client.request(method, f"/_mock/{path}")
    assert response.status_code == 400, response.text
    assert "does not match" in response.json()["error"]


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda state: state.pop("tasks"), "'tasks' is a required property"),
        (lambda state: state.update(format=2), "format"),
        (lambda state: state["accounts"][0].update(balance=MOST_CREDITS - 1), "its entries make"),
        (lambda state: state["accounts"][0].update(balance=-1), "accounts/0/balance"),
        (lambda state: state["accounts"].append(state["accounts"][0]), "two of the same account"),
        (lambda state: state["tasks"][0].update(account="nobody"), "of no account that is there: 'nobody'"),
        (lambda state: state["tasks"][0].update(outcome="lost"), "no terminal state of the contract"),
        (lambda state: state["tasks"][0].update(outcome="pending"), "no terminal state of the contract"),
        (lambda state: state["tasks"][0].update(credits=-3), "tasks/0/credits"),
        (lambda state: state["tasks"][0]["request"].update(model=["x"]), "no values that a snapshot could repeat"),
        (lambda state: state["entries"].pop(), "are not what it makes"),
        (lambda state: state["entries"][0].update(settled=False), "only refunds can be waited for"),
        (lambda state: state["entries"][0].update(kind="top-up"), "neither a top-up nor a task's"),
        (lambda state: state["accounts"][0]["credentials"].update(bearerAuth=""), "bearerAuth"),
        (lambda state: state["entries"][0].update(task="tsk_x"), "of no task that is there: 'tsk_x'"),
        (lambda state: state["entries"].append(state["entries"][0]), "two of the same entry"),
        (lambda state: state["clock"].update(speed=-1), "clock/speed"),
        (lambda state: state["accounts"][0].update(opening=-5), "opening"),
        (lambda state: state["clock"].update(since=0.0), "clock/since: 0.0 is not a whole number"),
        (lambda state: state["clock"].update(then=-(2**63)), "clock/then"),
        (lambda state: state["tasks"][0].update(created_at=2**60), "tasks/0/created_at"),
        (lambda state: state["tasks"][0].update(ends_at=2**60, sealed=True), "has ended in no year that there is"),
        (lambda state: state["accounts"][0].update(scenario="a\0b"), "it holds a NUL character"),
    ],
)
def test_a_state_that_does_not_add_up_changes_nothing(mock: Process, change: Any, problem: str) -> None:
    mock.new()
    state = control(mock, "GET", "state")
    before = {key: state[key] for key in ("accounts", "tasks", "entries")}
    broken = json.loads(json.dumps(state))
    change(broken)
    response = mock.client.put("/_mock/state", json=broken)
    assert (response.status_code, problem in response.json()["error"]) == (400, True), response.text
    after = control(mock, "GET", "state")
    assert {key: after[key] for key in before} == before


def test_a_reset_goes_back_to_the_fixtures(tmp_path: Path) -> None:
    with Process(tmp_path) as mock:
        name, key = (account := made(mock, 9))["name"], account["credentials"]["bearerAuth"]
        task, theirs = mock.new(key), mock.new()
        control(mock, "PUT", f"clock?account={name}", speed=0)
        assert control(mock, "POST", f"reset?account={name}", 204) is None
        assert (balance(mock, key), mock.client.get(f"{TASKS}/{task}", headers=bearer(key)).status_code) == (9, 404)
        assert control(mock, "GET", f"clock?account={name}")["own"] is False
        assert mock.read(theirs)["taskId"] == theirs
        control(mock, "PUT", "clock", speed=0)
        control(mock, "PUT", "scenario", name="provider-down")
        assert control(mock, "POST", "reset", 204) is None
        assert balance(mock, RICH) == 1_000_000
        assert control(mock, "GET", "clock")["real"] is True
        assert control(mock, "GET", "scenarios")["current"] == "everything-works"
        assert control(mock, "GET", "exchanges")["exchanges"] == []
        assert [a["name"] for a in control(mock, "GET", "accounts")["accounts"]] == ["empty", "other", "poor", "rich"]


@pytest.mark.whole
def test_the_control_api_keeps_its_own_document(tmp_path: Path) -> None:
    """What Schemathesis makes of the document finds no answer that the document does not have."""
    with Process(tmp_path, ("--task-seconds", "0")) as mock:
        mock.new()
        document = yaml.safe_load(mock.client.get("/_mock/openapi.yaml").text)
        assert document == yaml.safe_load((Path(control_app.__file__).with_name("control.yaml")).read_text("utf-8"))
        command = [str(Path(sys.executable).with_name("schemathesis")), "run", f"{mock.url}/_mock/openapi.yaml"]
        options = ["--url", f"{mock.url}/_mock", "-n", "15", "--seed", "1", "--phases", "examples,coverage,fuzzing"]
        checks = [
            "--checks",
            "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance",
        ]
        done = subprocess.run(
            [*command, *options, *checks],
            capture_output=True,
            text=True,
            check=False,
            cwd=tmp_path,
            timeout=PATIENCE * 3,
        )
    assert done.returncode == 0, done.stdout


def _timeless(accounts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Accounts without the moments at which their clocks were frozen."""
    return [{**account, "clock": account["clock"] and account["clock"]["speed"]} for account in accounts]


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


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
