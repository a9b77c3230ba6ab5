"""The client of the control API, against the command as its users run it."""

from __future__ import annotations

import math
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from mock_server.client import MockServer, MockServerError
from mock_server.process import running
from tests.mock_server.harness import PATIENCE, RICH, Process, told

HOUR = 3600


@pytest.fixture(scope="module")
def process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    """A mock whose tasks take an hour, so that nothing ends by itself during a test."""
    with Process(tmp_path_factory.mktemp("mock"), ("--task-seconds", str(HOUR))) as process:
        yield process


@pytest.fixture(scope="module")
def server(process: Process) -> Iterator[MockServer]:
    with MockServer(process.url + "/") as server:
        yield server


# --------------------------------------------------------------------- accounts


def test_an_account_is_made_and_its_key_opens_the_api(process: Process, server: MockServer) -> None:
    account = server.account(credits=20)
    assert account.headers == {"Authorization": f"Bearer {account.key}"}
    assert account.key in account.credentials.values()
    assert account.balance == 20
    process.new(account.key)
    assert account.balance == 17


def test_accounts_have_names_of_their_own_or_the_one_that_is_asked_for(server: MockServer) -> None:
    one, other, named = server.account(), server.account(), server.account(credits=0, name="ann")
    assert len({one.name, other.name, named.name, one.key, other.key, named.key}) == 6
    assert repr(named) == "Account('ann')"
    assert {"ann", "rich", one.name} <= {account.name for account in server.accounts()}
    with pytest.raises(MockServerError, match="there is an account 'ann' already") as raised:
        server.account(name="ann")
    assert raised.value.status == 409


def test_an_account_of_the_fixtures_has_its_key_too(server: MockServer) -> None:
    (rich,) = [account for account in server.accounts() if account.name == "rich"]
    assert rich.key == RICH


def test_a_ledger_says_what_moved_the_credits(process: Process, server: MockServer) -> None:
    account = server.account(credits=10)
    task = process.new(account.key)
    server.task(task).fail()
    account.top_up(5)
    ledger = account.ledger()
    assert (ledger.opening, ledger.balance) == (10, 15)
    assert [(entry.kind, entry.amount, entry.balance, entry.task) for entry in ledger.entries] == [
        ("debit", -3, 7, task),
        ("refund", 3, 10, task),
        ("top-up", 5, 15, None),
    ]
    assert all(entry.at.tzinfo is not None for entry in ledger.entries)
    assert [entry.kind for entry in account.ledger(limit=1).entries] == ["top-up"]


def test_a_deleted_account_is_gone_and_its_handle_says_so(server: MockServer) -> None:
    account = server.account()
    account.delete()
    with pytest.raises(MockServerError, match=f"no account '{account.name}'") as raised:
        _ = account.balance
    assert raised.value.status == 404
    with pytest.raises(MockServerError, match=r"no bearer key opens the account .*; it has bearerAuth, session"):
        _ = account.key


def test_an_account_goes_back_to_its_beginning(process: Process, server: MockServer) -> None:
    account, other = server.account(credits=10), server.account(credits=10)
    for owner in (account, other):
        process.new(owner.key)
        owner.clock.freeze()
    account.reset()
    assert (account.balance, account.tasks(), account.ledger().entries, account.exchanges()) == (10, [], (), [])
    assert (other.balance, len(other.tasks()), len(other.exchanges())) == (7, 1, 1)


# ------------------------------------------------------------------------ clocks


def test_a_clock_that_is_advanced_completes_a_task(process: Process, server: MockServer) -> None:
    account, other = server.account(), server.account()
    tasks = [server.task(process.new(owner.key)) for owner in (account, other)]
    account.clock.advance(HOUR - 60)
    assert [task.state for task in tasks] == ["pending", "pending"]
    account.clock.advance(timedelta(seconds=60))
    assert [task.state for task in tasks] == ["completed", "pending"]


def test_a_clock_is_frozen_sped_up_and_set_back(server: MockServer) -> None:
    clock = server.account().clock
    frozen = clock.freeze()
    assert clock.now == clock.now == frozen
    assert clock.advance(1.5) == frozen + timedelta(seconds=1.5)
    clock.speed(100_000)
    assert clock.now > frozen + timedelta(seconds=1.5)
    assert abs(clock.real() - datetime.now(UTC)) < timedelta(seconds=PATIENCE)
    with pytest.raises(MockServerError) as raised:
        clock.speed(-1)
    assert raised.value.status == 400


def test_the_clock_of_all_is_that_of_accounts_without_their_own(tmp_path: Path) -> None:
    with Process(tmp_path) as process, MockServer(process.url) as server:
        free, own = server.account(), server.account()
        own.clock.freeze()
        now = server.clock.freeze()
        assert server.clock.advance(100) == now + timedelta(seconds=100)
        assert free.clock.now == now + timedelta(seconds=100)
        assert own.clock.now <= now
        own.clock.real()
        assert own.clock.now == free.clock.now


# ------------------------------------------------------------------------- tasks


def test_a_task_is_completed_failed_or_held(process: Process, server: MockServer) -> None:
    account = server.account(credits=9)
    failed, completed, held = tasks = [server.task(process.new(account.key)) for _ in range(3)]
    assert [task.id for task in account.tasks()] == [task.id for task in reversed(tasks)]
    assert {task.account for task in tasks} == {account.name}
    assert {task.credits for task in tasks} == {3}
    failed.fail("OUT_OF_INK", "No ink.")
    completed.complete()
    held.hold()
    account.clock.advance(10 * HOUR)
    assert [task.state for task in tasks] == ["failed", "completed", "pending"]
    assert [task.held for task in tasks] == [False, False, True]
    assert [task.seconds_left for task in tasks] == [None, None, None]
    assert failed.snapshot == process.read(failed.id, account.key)
    assert (failed.snapshot["errorCode"], failed.snapshot["errorMessage"]) == ("OUT_OF_INK", "No ink.")
    assert account.balance == 3
    held.complete()
    assert held.state == "completed"
    with pytest.raises(MockServerError, match="has ended, and what has ended stays") as raised:
        completed.fail()
    assert raised.value.status == 409


def test_what_is_left_of_a_task_is_said_in_seconds(process: Process, server: MockServer) -> None:
    account = server.account()
    account.clock.freeze()
    task = server.task(process.new(account.key, **told("failed", afterSeconds=10)))
    account.clock.advance(4)
    assert task.seconds_left == 6


def test_all_pages_of_a_list_are_read(process: Process, server: MockServer, monkeypatch: pytest.MonkeyPatch) -> None:
    account = server.account()
    made = [process.new(account.key) for _ in range(5)]
    monkeypatch.setattr("mock_server.asking._PAGE", 2)
    assert [task.id for task in account.tasks()] == made[::-1]
    assert [task.id for task in server.tasks()][:5] == made[::-1]
    assert len({account.name for account in server.accounts()}) == len(server.accounts()) > 4


def test_a_task_that_is_not_there_is_an_error(server: MockServer) -> None:
    task = server.task("tsk_nothing/like it")
    with pytest.raises(MockServerError) as raised:
        _ = task.state
    assert raised.value.status == 404
    assert repr(task) == "Task('tsk_nothing/like it')"


# --------------------------------------------- scenarios, exchanges, the state


def test_a_scenario_is_one_accounts_or_that_of_all(tmp_path: Path) -> None:
    with Process(tmp_path) as process, MockServer(process.url) as server:
        account, other = server.account(), server.account()
        assert "provider-down" in server.scenarios()
        account.scenario("server-errors")
        assert [process.submit(owner.key).status_code for owner in (account, other)] == [500, 200]
        server.scenario("out-of-credits")
        assert [process.submit(owner.key).status_code for owner in (account, other)] == [500, 402]
        account.scenario(None)
        server.scenario(None)
        assert [process.submit(owner.key).status_code for owner in (account, other)] == [200, 200]
        with pytest.raises(MockServerError, match="there is no scenario 'nonsense'; there are "):
            server.scenario("nonsense")


def test_exchanges_are_shown_without_credentials(process: Process, server: MockServer) -> None:
    account = server.account()
    task = process.new(account.key, prompt="a heron")
    (exchange,) = account.exchanges()
    assert (exchange.method, exchange.status) == ("POST", 200)
    assert "a heron" in exchange.request_body
    assert task in exchange.response_body
    assert exchange.did["task"] == task
    assert exchange.response_headers["content-type"] == "application/json"
    assert account.key not in repr(exchange)
    assert server.exchanges(limit=1) == [exchange]
    assert task in repr(server.har())


def test_a_state_is_saved_and_put_back(tmp_path: Path) -> None:
    with Process(tmp_path) as process, MockServer(process.url) as server:
        account = server.account(credits=10, name="ann")
        task = server.task(process.new(account.key))
        state = server.export_state()
        task.fail()
        server.reset()
        assert "ann" not in [account.name for account in server.accounts()]
        assert (server.exchanges(), server.tasks()) == ([], [])
        server.import_state(state)
        assert (account.balance, task.state) == (7, "pending")
        assert account.clock.now == account.clock.now
        with pytest.raises(MockServerError, match="this state cannot be taken over: "):
            server.import_state({**state, "accounts": []})
        assert account.balance == 7


def test_it_says_what_is_played(server: MockServer) -> None:
    assert server.about() == "Image task API 1.0.0"
    assert server.problem is None


# ---------------------------------------------------------------- what may go wrong


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port


def test_nobody_there_is_an_error_that_says_so() -> None:
    with MockServer(f"http://127.0.0.1:{free_port()}") as server:
        with pytest.raises(MockServerError, match=r"http://127\.0\.0\.1:\d+/_mock/? does not answer: .+") as raised:
            server.about()
        assert raised.value.status is None


def test_a_proxy_of_the_environment_is_not_asked(process: Process, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{free_port()}")
    monkeypatch.delenv("NO_PROXY", raising=False)
    with MockServer(process.url) as server:
        server.about()


def test_a_mock_without_control_is_an_error_that_says_so(tmp_path: Path) -> None:
    with (
        Process(tmp_path, ("--no-control",)) as process,
        MockServer(process.url) as server,
        pytest.raises(MockServerError) as raised,
    ):
        server.about()
    assert raised.value.status == 404


def test_a_control_token_is_shown(tmp_path: Path) -> None:
    options = ("--host", "0.0.0.0", "--control-token", "sesame")  # noqa: S104 - where a token is needed
    with Process(tmp_path, options) as process:
        url = process.url.replace("0.0.0.0", "127.0.0.1")  # noqa: S104 - as above
        with MockServer(url, token="sesame") as server:
            assert server.account(credits=1).balance == 1
        with MockServer(url) as server, pytest.raises(MockServerError, match="the control token is needed") as raised:
            server.about()
    assert raised.value.status == 401


# -------------------------------------------------------------- a mock of one's own


def test_a_mock_of_ones_own_runs_as_long_as_it_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, sys.path)))
    monkeypatch.setenv("MOCK_SERVER_CREDITS", "7")  # somebody else's
    with running("--task-seconds", "0", "--host", "192.0.2.1", "--port", "1", "--no-control") as server:
        assert server.url.startswith("http://127.0.0.1:")
        (rich,) = [account for account in server.accounts() if account.name == "rich"]
        assert rich.balance == 1_000_000
    with pytest.raises(MockServerError, match="does not answer"), MockServer(server.url) as late:
        late.about()


def test_a_mock_that_does_not_start_says_what_it_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, sys.path)))
    with pytest.raises(MockServerError) as raised, running("--spec", "missing.yaml"):
        pass
    assert str(raised.value).startswith("the mock did not start: status 1; it printed:\nmock-server: missing.yaml:1: ")
    with pytest.raises(MockServerError, match=r"did not start within 0 seconds"), running(start_seconds=0):
        pass


def test_a_mock_that_ends_by_itself_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, sys.path)))
    started: list[subprocess.Popen[bytes]] = []

    class Popen(subprocess.Popen[bytes]):
        def __init__(self, *args: Any, **options: Any) -> None:
            super().__init__(*args, **options)
            started.append(self)

    monkeypatch.setattr(subprocess, "Popen", Popen)
    mock = running()
    server = mock.__enter__()
    started[0].kill()
    started[0].wait(PATIENCE)
    with pytest.raises(MockServerError, match="does not answer"):
        server.about()
    with pytest.raises(MockServerError, match="did not end when it was told to, but with status -9"):
        mock.__exit__(None, None, None)


@pytest.mark.parametrize("seconds", [math.nan, math.inf])
def test_what_is_no_number_of_json_is_an_error_that_says_so(server: MockServer, seconds: float) -> None:
    with pytest.raises(MockServerError, match="cannot be sent as JSON"):
        server.clock.advance(seconds)
