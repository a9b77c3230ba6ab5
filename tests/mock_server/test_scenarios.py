"""Scenarios: the project's own do what their titles say, a team's own are read, a mistake in them has a line."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from contract.errors import ContractError
from contract.model import Contract, When
from mock_server.plan import Tasks
from mock_server.scenarios import Manner, Transfer, load_scenarios
from tests.mock_server.harness import PATIENCE, RICH, SCENARIOS, SUBMIT, TASKS, Process, bearer, request


def test_the_projects_own_are_these() -> None:
    assert SCENARIOS.start == "everything-works"
    assert list(SCENARIOS.known) == [
        "everything-works",
        "slow-provider",
        "one-in-five-fails",
        "provider-down",
        "storage-errors",
        "out-of-credits",
        "server-errors",
        "server-errors-on-reads",
        "server-hangs-up",
        "body-cut-in-half",
        "slow-trickle",
    ]


def test_a_team_adds_its_own(tmp_path: Path, contract: Contract) -> None:
    file = tmp_path / "scenarios.yaml"
    file.write_text(
        "default: ours\n"
        "scenarios:\n"
        "  ours:\n"
        "    tasks: {seconds: 3, failureRate: 0.5, errorCode: OURS}\n"
        "    submissions: {delaySeconds: 0.5}\n"
        "    reads: {error: unknownTask, transfer: cut}\n"
        "  plain: {}\n",
        "utf-8",
    )
    scenarios = load_scenarios(file, contract)
    ours = scenarios.named(None)
    assert (ours.name, ours.title, ours.tasks) == ("ours", "ours", Tasks(3, 0.5, "OURS"))
    assert ours.submissions == Manner(delay=0.5)
    assert ours.reads == Manner(error=When.UNKNOWN_TASK, transfer=Transfer.CUT)
    assert scenarios.named("plain").reads == Manner()
    assert scenarios.named("gone since").name == "ours"
    assert load_scenarios(file, contract, "plain").start == "plain"


@pytest.mark.parametrize(
    ("text", "place", "problem"),
    [
        ("default: x\nscenarios: {}\n", ":2: /scenarios", "{}"),
        ("default: x\nscenarios:\n  y: {}\n", ":1: /default", "there is no scenario 'x'; expected one of y"),
        ("default: x\nscenarios:\n  x:\n    task: {}\n", ":3: /scenarios/x", "'task'"),
        (
            "default: x\nscenarios:\n  x:\n    tasks: {failureRate: 2}\n",
            ":4: /scenarios/x/tasks/failureRate",
            "maximum",
        ),
        ("default: x\nscenarios:\n  x:\n    reads: {transfer: slow}\n", ":4: /scenarios/x/reads/transfer", "slow"),
        (
            "default: x\nscenarios:\n  x:\n    reads: {error: insufficient}\n",
            ":4: /scenarios/x/reads/error",
            "document no error 'insufficient'; expected one of unauthenticated, unknownTask, unexpected",
        ),
        ("default: [", ":2", "not valid YAML"),
    ],
)
def test_a_mistake_is_said_with_its_line(
    tmp_path: Path, contract: Contract, text: str, place: str, problem: str
) -> None:
    file = tmp_path / "scenarios.yaml"
    file.write_text(text, "utf-8")
    with pytest.raises(ContractError) as error:
        load_scenarios(file, contract)
    assert str(error.value).startswith(f"{file}{place}")
    assert problem in str(error.value)


def test_a_start_that_asks_for_what_is_not_there_is_told_what_is(tmp_path: Path, contract: Contract) -> None:
    file = tmp_path / "scenarios.yaml"
    file.write_text("default: x\nscenarios:\n  x: {}\n", "utf-8")
    with pytest.raises(ContractError, match=r":2: /scenarios: .*'y', which the start asks for; expected one of x$"):
        load_scenarios(file, contract, "y")


# ------------------------------------------------------------------ over HTTP


@pytest.fixture(scope="module")
def mock(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    with Process(tmp_path_factory.mktemp("mock"), ("--task-seconds", "0")) as process:
        yield process


def played(mock: Process, scenario: str) -> dict[str, Any]:
    """An account for which a scenario is on."""
    account: dict[str, Any] = mock.client.post("/_mock/accounts", json={"credits": 300}).json()
    switched = mock.client.put(f"/_mock/scenario?account={account['name']}", json={"name": scenario})
    assert switched.status_code == 200
    return account


def heard(mock: Process, method: str, path: str, key: str, body: bytes = b"") -> bytes:
    """All that comes on a connection until the mock closes it, or has answered."""
    parts = urlsplit(mock.url)
    head = f"{method} {path} HTTP/1.1\r\nHost: {parts.netloc}\r\nConnection: close\r\nAuthorization: Bearer {key}\r\n"
    head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    with socket.create_connection((str(parts.hostname), int(parts.port or 0)), timeout=PATIENCE) as connection:
        connection.sendall(head.encode() + body)
        return b"".join(iter(lambda: connection.recv(65536), b""))


def test_a_server_that_hangs_up_has_done_what_it_was_asked_for(mock: Process) -> None:
    account = played(mock, "server-hangs-up")
    key = account["credentials"]["bearerAuth"]
    assert heard(mock, "POST", SUBMIT, key, json.dumps(request()).encode()) == b""
    tasks = mock.client.get(f"/_mock/tasks?account={account['name']}").json()["tasks"]
    assert [task["credits"] for task in tasks] == [3]
    assert heard(mock, "GET", f"{TASKS}/{tasks[0]['id']}", key) == b""
    assert mock.client.get(f"/_mock/accounts/{account['name']}").json()["balance"] == 297


def test_a_body_that_is_cut_announces_more_than_it_brings(mock: Process) -> None:
    key = played(mock, "body-cut-in-half")["credentials"]["bearerAuth"]
    head, _, body = heard(mock, "POST", SUBMIT, key, json.dumps(request()).encode()).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 ")
    announced = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length"))
    assert 0 < len(body) < int(announced.partition(b":")[2])


def test_an_answer_that_trickles_is_whole_in_the_end(mock: Process) -> None:
    key = played(mock, "slow-trickle")["credentials"]["bearerAuth"]
    answer = mock.submit(key)
    assert answer.json()["creditsUsed"] == 3
    assert answer.elapsed.total_seconds() > 0.5


def test_a_delay_of_a_scenario_is_kept(tmp_path: Path) -> None:
    file = tmp_path / "scenarios.yaml"
    file.write_text("default: x\nscenarios:\n  x:\n    submissions: {delaySeconds: 0.4}\n", "utf-8")
    with Process(tmp_path, ("--scenarios", str(file))) as mock:
        assert mock.submit().elapsed.total_seconds() >= 0.4


def test_errors_of_a_scenario_debit_nothing(mock: Process) -> None:
    for scenario, status in (("server-errors", 500), ("out-of-credits", 402)):
        account = played(mock, scenario)
        assert mock.submit(account["credentials"]["bearerAuth"]).status_code == status
        assert mock.submit(account["credentials"]["bearerAuth"], prompt="").status_code == 400
        assert mock.client.get(f"/_mock/accounts/{account['name']}").json()["balance"] == 300
    account = played(mock, "server-errors-on-reads")
    task = mock.new(account["credentials"]["bearerAuth"])
    read = mock.client.get(f"{TASKS}/{task}", headers=bearer(account["credentials"]["bearerAuth"]))
    assert (read.status_code, read.json()) == (500, {"error": "Internal server error"})


def test_tasks_of_a_scenario_go_its_way_unless_a_client_says_otherwise(mock: Process) -> None:
    key = played(mock, "provider-down")["credentials"]["bearerAuth"]
    assert mock.read(mock.new(key), key)["errorCode"] == "PROVIDER_UNAVAILABLE"
    assert mock.read(mock.new(key, providerInput={"mock": {"outcome": "completed"}}), key)["status"] == 1
    key = played(mock, "slow-provider")["credentials"]["bearerAuth"]
    assert mock.read(mock.new(key), key)["status"] == 0
    key = played(mock, "one-in-five-fails")["credentials"]["bearerAuth"]
    ends = [mock.read(mock.new(key), key)["status"] for _ in range(60)]
    assert set(ends) == {1, 2}
    assert ends.count(2) < 30


def test_one_may_be_on_from_the_start(tmp_path: Path) -> None:
    with Process(tmp_path, ("--scenario", "server-errors")) as mock:
        assert mock.submit(RICH).status_code == 500
        mock.client.put("/_mock/scenario", json={"name": "everything-works"})
        assert mock.submit(RICH).status_code == 200
        mock.client.post("/_mock/reset")
        assert mock.submit(RICH).status_code == 500
