"""The command as its users run it: what it prints, how it is told what to do, how it refuses, how it ends."""

from __future__ import annotations

import contextlib
import json
import re
import shlex
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from click.testing import CliRunner

from contract.model import Contract
from contract.resources import default_contract
from mock_server.cli import main
from mock_server.plan import Chance, Directive, Planner
from mock_server.settings import Settings
from tests.mock_server.harness import (
    OTHER,
    PATIENCE,
    POOR,
    RICH,
    SUBMIT,
    TASKS,
    Process,
    bearer,
    changed_contract,
    run,
    told,
    until,
    valid,
)


@pytest.fixture(scope="module")
def mock(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    with Process(tmp_path_factory.mktemp("mock"), ("--task-seconds", "0")) as process:
        yield process


def follow(curl: str) -> tuple[int, Any]:
    """Do what a curl line says, with curl itself where there is one: the status and the JSON that come back."""
    words = shlex.split(curl)
    assert words[:3] == ["curl", "-X", "POST"]
    if shutil.which("curl"):
        written = subprocess.run([*words, "-s", "-w", "\n%{http_code}"], capture_output=True, text=True, check=True)
        body, _, status = written.stdout.rpartition("\n")
        return int(status), json.loads(body)
    given: dict[str, list[str]] = {"-H": [], "-b": [], "-d": [], "--url-query": []}
    for option, value in zip(words[4::2], words[5::2], strict=True):
        given[option].append(value)
    headers = [(name, value) for name, _, value in (line.partition(": ") for line in given["-H"])]
    headers += [("Cookie", cookie) for cookie in given["-b"]]
    params = dict(pair.split("=", 1) for pair in given["--url-query"])
    response = httpx.post(words[3], headers=headers, content=given["-d"][0], params=params)
    return response.status_code, response.json()


# --------------------------------------------------------------------- greeting


def test_it_says_where_it_listens_and_which_keys_it_knows(mock: Process) -> None:
    assert re.search(rf"played from .*{default_contract().name}$", mock.greeting, re.MULTILINE)
    assert f"Listening on {mock.url} (Ctrl-C ends it)" in mock.greeting
    for key, credits in {RICH: "1,000,000", OTHER: "1,000,000", POOR: "2", "sk_test_empty": "0"}.items():
        assert re.search(rf"^  {key} +bearerAuth +{credits} credits$", mock.greeting, re.MULTILINE)
    assert re.search(r"^  session_rich +sessionCookie +1,000,000 credits$", mock.greeting, re.MULTILINE)


def test_the_curl_line_that_it_prints_submits_a_task(mock: Process) -> None:
    status, answer = follow(mock.greeting.splitlines()[-1])
    assert status == 200
    assert answer["creditsUsed"] == 3
    assert mock.read(answer["taskId"])["prompt"].startswith("A luxury skincare bottle")


@pytest.mark.parametrize(
    "scheme",
    [
        {"type": "apiKey", "in": "header", "name": "X-Key"},
        {"type": "apiKey", "in": "query", "name": "key"},
        {"type": "apiKey", "in": "cookie", "name": "sid"},
    ],
    ids=lambda scheme: str(scheme["in"]),
)
def test_the_curl_line_presents_whatever_the_contract_asks_for(tmp_path: Path, scheme: dict[str, str]) -> None:
    def change(document: dict[str, Any]) -> None:
        document["components"]["securitySchemes"] = {"key": {**scheme, "x-provenance": "page"}}
        document["security"] = [{"key": []}]
        document["info"]["x-open-questions"] = []
        body = document["paths"][SUBMIT]["post"]["requestBody"]["content"]["application/json"]
        del body["examples"]

    spec = changed_contract(tmp_path, change)
    accounts = tmp_path / "accounts.yaml"
    accounts.write_text("defaultCredits: 5\naccounts:\n  - name: only\n    credentials: {key: it's secret}\n")
    with Process(tmp_path, ("--spec", str(spec), "--accounts", str(accounts))) as mock:
        status, answer = follow(mock.greeting.splitlines()[-1])
        assert status == 400  # the contract has no example, so there is nothing in the body
        assert answer["details"]["fieldErrors"]["prompt"] == ["Prompt is required"]


# --------------------------------------------------------------------- settings


def test_every_setting_is_an_option_and_an_environment_variable() -> None:
    text = CliRunner().invoke(main, ["--help"]).output
    for setting in fields(Settings):
        assert f"--{setting.name.replace('_', '-')} " in text
        assert f"MOCK_SERVER_{setting.name.upper()}" in text


def test_settings_may_come_from_the_environment_and_options_win(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/mock.db"
    settings = {
        "MOCK_SERVER_CREDITS": "7",
        "MOCK_SERVER_TASK_SECONDS": "3600",
        "MOCK_SERVER_FAILURE_RATE": "1",
        "MOCK_SERVER_DATABASE": url,
        "MOCK_SERVER_PORT": "1",
        "MOCK_SERVER_PUBLIC_URL": "https://cdn.test",
        "MOCK_SERVER_MAX_BODY_BYTES": "100",
    }
    with Process(tmp_path, ("--task-seconds", "0"), settings) as mock:
        assert re.search(rf"^  {RICH} .* 7 credits$", mock.greeting, re.MULTILINE)
        for _ in range(5):  # with a failure rate of 1 everything fails, and is paid back
            snapshot = mock.read(mock.new())
            assert (snapshot["status"], snapshot["creditsRefunded"]) == (2, True)
        (result,) = mock.read(mock.new(**told("completed")))["imageUrls"]
        assert result.startswith("https://cdn.test/")
        assert mock.submit(prompt="x" * 100).status_code == 400
        assert (tmp_path / "mock.db").exists()


def test_credits_are_the_opening_balance_of_accounts_that_name_none(tmp_path: Path) -> None:
    with Process(tmp_path, ("--credits", "5")) as mock:
        assert [mock.submit(key).status_code for key in (RICH, RICH, OTHER, POOR)] == [200, 402, 200, 402]


@pytest.mark.parametrize("seed", [1, 2])
def test_the_seed_decides_which_tasks_fail(tmp_path: Path, contract: Contract, seed: int) -> None:
    planner = Planner(contract.lifecycle, Chance(task_seconds=0, failure_rate=0.5, seed=seed))
    plans = [planner.plan(Directive(), "rich", ordinal, 0) for ordinal in range(1, 13)]
    with Process(tmp_path, ("--task-seconds", "0", "--failure-rate", "0.5", "--seed", str(seed))) as mock:
        statuses = [mock.read(mock.new())["status"] for _ in range(12)]
    assert statuses == [contract.lifecycle.states[plan.outcome].status for plan in plans]
    assert set(statuses) == {1, 2}


# --------------------------------------------------------------------- refusals


def refused(*options: str, **settings: str) -> str:
    """The one line with which the command refuses to start, and nothing else."""
    before = signal.getsignal(signal.SIGTERM)
    try:
        ended = CliRunner(env=settings).invoke(main, ["--port", "0", *options])
    finally:
        signal.signal(signal.SIGTERM, before)
    assert ended.exit_code == 1
    assert isinstance(ended.exception, SystemExit)
    (message,) = ended.output.splitlines()
    return message


def test_a_refusal_is_one_line_and_an_exit_status() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = run("--port", str(port))
    assert (ended.returncode, ended.stdout) == (1, "")
    (message,) = ended.stderr.splitlines()
    assert message.startswith(f"Error: cannot listen on 127.0.0.1:{port}: Address already in use")
    assert message.endswith("; choose another --port or --host")


@pytest.mark.parametrize("host", ["192.0.2.1", "x" * 70, "a..b", "::ffff:192.0.2.1"])
def test_an_address_that_cannot_be_listened_on_is_refused(host: str) -> None:
    assert refused("--no-control", "--host", host).startswith(f"Error: cannot listen on {host}:0: ")


def test_a_contract_that_cannot_be_played_is_refused(tmp_path: Path) -> None:
    missing, broken = tmp_path / "missing.yaml", tmp_path / "broken.yaml"
    broken.write_text("openapi: 3.0.3\npaths: [\n")
    assert refused("--spec", str(missing)).startswith(f"mock-server: {missing}:1: cannot be read: No such file")
    assert refused("--spec", str(broken)).startswith(f"mock-server: {broken}:")
    assert refused(MOCK_SERVER_SPEC=str(broken)).startswith(f"mock-server: {broken}:")


def test_accounts_that_cannot_be_read_are_refused(tmp_path: Path) -> None:
    accounts = tmp_path / "accounts.yaml"
    accounts.write_text("defaultCredits: 5\naccounts:\n  - name: only\n    credentials: {fingerprint: x}\n")
    message = refused("--accounts", str(accounts))
    assert message.startswith(f"mock-server: {accounts}:4: /accounts/0/credentials/fingerprint: ")


def test_a_database_that_cannot_be_used_is_refused(tmp_path: Path) -> None:
    (tmp_path / "text.db").write_text("not a database" * 100)
    for url, reason in {
        "nonsense": "it is neither sqlite:///file.db nor",
        "postgresql://user:hunter2@host:port/db": "failed to resolve host",
        f"sqlite:///{tmp_path}/text.db": "file is not a database",
        f"sqlite:///{tmp_path}/no/mock.db": "there is no folder",
    }.items():
        message = refused("--database", url)
        assert message.startswith("mock-server: the database ")
        assert reason in message
        assert "hunter2" not in message


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--port", "65536"),
        ("--port", "http"),
        ("--credits", "-1"),
        ("--credits", "1000000000000001"),
        ("--task-seconds", "-0.1"),
        ("--task-seconds", "nan"),
        ("--task-seconds", "inf"),
        ("--failure-rate", "1.01"),
        ("--failure-rate", "nan"),
        ("--seed", "x"),
        ("--max-body-bytes", "0"),
        ("--public-url", "mock.example.com"),
        ("--public-url", "ftp://mock.example.com"),
        ("--public-url", "http://"),
        ("--public-url", "http://mock.example.com:http"),
        ("--public-url", "http://user:secret@mock.example.com"),
        ("--public-url", "http://mock.example.com/?a=b"),
        ("--public-url", "http://mock.example.com/a b"),
        ("--nonsense", "1"),
    ],
)
def test_a_setting_out_of_its_bounds_is_a_usage_error(option: str, value: str) -> None:
    ended = CliRunner().invoke(main, [option, value])
    assert ended.exit_code == 2
    assert option in ended.output.splitlines()[-1]


# ---------------------------------------------------------------------- the end


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
def test_a_signal_ends_it_cleanly_whatever_is_connected(tmp_path: Path, number: signal.Signals) -> None:
    with Process(tmp_path, ("--database", f"sqlite:///{tmp_path}/mock.db")) as mock:
        mock.new()  # whose connection stays open
        with socket.create_connection(mock.address, PATIENCE):  # one that never says anything
            assert mock.end(number) == (0, "mock-server: ended\n")
            lines = mock.log().splitlines()
    assert [json.loads(line)["status"] for line in lines] == [200]


def test_a_signal_lets_a_request_finish(tmp_path: Path) -> None:
    with Process(tmp_path) as mock:
        body = valid()
        head = [
            f"POST {SUBMIT} HTTP/1.1",
            "Host: mock",
            f"Authorization: Bearer {RICH}",
            f"Content-Length: {len(body)}",
        ]
        with socket.create_connection(mock.address, PATIENCE) as connection:
            connection.sendall("\r\n".join([*head, "Expect: 100-continue", "", ""]).encode())
            assert connection.recv(1000).startswith(b"HTTP/1.1 100")  # now it is at work on this request
            mock.send_signal(signal.SIGTERM)
            connection.sendall(body)
            assert b"HTTP/1.1 200" in b"".join(iter(lambda: connection.recv(1000), b""))
        assert mock.wait() == (0, "mock-server: ended\n")


def listens(mock: Process) -> bool:
    with contextlib.suppress(ConnectionRefusedError), socket.create_connection(mock.address, PATIENCE):
        return True
    return False


def test_a_second_signal_gives_up_what_does_not_finish(tmp_path: Path) -> None:
    with Process(tmp_path) as mock, socket.create_connection(mock.address, PATIENCE) as connection:
        head = f"POST {SUBMIT} HTTP/1.1\r\nHost: mock\r\nContent-Length: 9\r\nExpect: 100-continue\r\n\r\n"
        connection.sendall(head.encode())
        assert connection.recv(1000).startswith(b"HTTP/1.1 100")  # now it is at work on this request
        mock.send_signal(signal.SIGINT)
        until(lambda: not listens(mock))
        mock.send_signal(signal.SIGINT)
        assert mock.wait() == (0, "mock-server: ended\n")
        lines = mock.log().splitlines()
    assert [json.loads(line)["status"] for line in lines] == [0]


# --------------------------------------------------------------------- restarts


def test_a_restart_on_a_file_keeps_balances_and_tasks(tmp_path: Path) -> None:
    accounts = tmp_path / "accounts.yaml"
    options = ("--database", f"sqlite:///{tmp_path}/mock.db", "--accounts", str(accounts), "--task-seconds", "0")

    def write(key: str) -> None:
        known = [
            {"name": "one", "credentials": {"bearerAuth": key}},
            {"name": "two", "credentials": {"bearerAuth": "k2"}},
        ]
        accounts.write_text(yaml.safe_dump({"defaultCredits": 10, "accounts": known}))

    write("first")
    with Process(tmp_path, options) as mock:
        later = told("failed", afterSeconds=3600)
        ids = [mock.new("first"), mock.new("first", **later), mock.new("first", prompt="\0 \U0001f98a")]
        before = [mock.read(task_id, "first") for task_id in ids]
        assert [snapshot["status"] for snapshot in before] == [1, 0, 1]
        assert mock.submit("first").status_code == 402
        assert mock.end(signal.SIGTERM)[0] == 0

    write("second")
    with Process(tmp_path, options) as mock:
        assert [mock.read(task_id, "second") for task_id in ids] == before
        assert mock.submit("second").status_code == 402
        assert mock.client.get(f"{TASKS}/{ids[0]}", headers=bearer("k2")).status_code == 404
        # a key that is no longer in the file opens nothing
        assert mock.client.get(f"{TASKS}/{ids[0]}", headers=bearer("first")).status_code == 401
