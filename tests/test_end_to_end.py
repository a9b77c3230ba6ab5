"""The command as a process of its own, over real sockets and in real time: what a developer clones the project for."""

from __future__ import annotations

import io
import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import httpx
import pytest
from PIL import Image

from contract.model import Contract
from contract.resources import default_contract
from mock_server.ledger import EntryKind
from mock_server.store import Store
from tests.mock_server.harness import (
    COOKIE,
    GENERATE,
    OTHER,
    PATIENCE,
    POOR,
    READ,
    RICH,
    SUBMIT,
    TASKS,
    Documented,
    Process,
    bearer,
    environment,
    profiles,
    request,
    told,
)

PAGE: Final = {
    "prompt": "A luxury skincare bottle on warm paper, embossed serif label, soft editorial side light",
    "model": "gpt-image-2",
    "aspectRatio": "4:5",
}
"""The request of the product's own page."""

TASK_SECONDS: Final = 1.5

ACCOUNTS: Final = """\
defaultCredits: 1000000
accounts:
  - {name: rich, credentials: {bearerAuth: sk_test_rich, sessionCookie: session_rich}}
  - {name: other, credentials: {bearerAuth: sk_test_other}}
  - {name: poor, credits: 2, credentials: {bearerAuth: sk_test_poor}}
  - {name: purse, credits: 3, credentials: {bearerAuth: sk_purse}}
  - {name: crowd, credits: 100, credentials: {bearerAuth: sk_crowd}}
"""


@pytest.fixture(scope="module")
def mock(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    folder = tmp_path_factory.mktemp("mock")
    (folder / "accounts.yaml").write_text(ACCOUNTS)
    with Process(folder, ("--accounts", "accounts.yaml", "--task-seconds", str(TASK_SECONDS))) as process:
        yield process


@pytest.fixture(scope="module")
def documented(contract: Contract) -> Documented:
    return Documented(contract)


def eventually(condition: Callable[[], Any]) -> Any:
    """What a condition gives, once it gives something."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if found := condition():
            return found
        time.sleep(0.02)
    pytest.fail("nothing came of it in time")


def ended(mock: Process, task_id: str, key: str = RICH) -> Any:
    """The snapshot of a task once it has ended."""

    def snapshot() -> Any:
        shown = mock.read(task_id, key)
        return shown if shown["status"] else None

    return eventually(snapshot)


# ---------------------------------------------------------------- what it is for


def test_the_request_of_the_products_page_becomes_a_picture(mock: Process, documented: Documented) -> None:
    headers = bearer(RICH)
    accepted = documented(GENERATE, mock.client.post(SUBMIT, json=PAGE, headers=headers), 200)
    assert (accepted["status"], accepted["creditsUsed"]) == (0, 3)

    def poll() -> tuple[float, Any, float]:
        before = time.time()
        response = mock.client.get(f"{TASKS}/{accepted['taskId']}", headers=headers)
        return before, documented(READ, response, 200), time.time()

    statuses: list[int] = []
    snapshot: Any = None
    while not statuses or statuses[-1] == 0:
        before, snapshot, after = poll()
        statuses.append(snapshot["status"])
        ends = datetime.fromisoformat(snapshot["createdAt"]).timestamp() + TASK_SECONDS
        assert snapshot["status"] == 0 or after >= ends
        assert snapshot["status"] == 1 or before <= ends + 0.001  # times are shown to the millisecond
        time.sleep(0.02)
    assert statuses == sorted(statuses)
    assert {name: snapshot[name] for name in ("model", "prompt")} == {name: PAGE[name] for name in ("model", "prompt")}

    (url,) = snapshot["imageUrls"]
    response = httpx.get(url)
    assert response.status_code == 200
    with Image.open(io.BytesIO(response.content)) as image:
        image.load()
        assert image.width * 5 == image.height * 4
    assert [poll()[1] for _ in range(3)] == [snapshot] * 3


def test_a_failed_task_is_paid_back_and_its_credits_can_be_spent_again(mock: Process, documented: Documented) -> None:
    task_id = mock.new("sk_purse", **told("failed", errorCode="EMPTY_RESULT", afterSeconds=0.3))
    failed = ended(mock, task_id, "sk_purse")
    assert (failed["status"], failed["errorCode"], failed["creditsRefunded"]) == (2, "EMPTY_RESULT", True)
    again = documented(GENERATE, mock.submit("sk_purse"), 200)
    assert again["creditsUsed"] == 3
    assert documented(GENERATE, mock.submit("sk_purse"), 402) == {"error": "Insufficient credits", "required": 3}


def test_every_model_makes_a_picture_in_both_modes(mock: Process, contract: Contract) -> None:
    modes: list[dict[str, Any]] = [{}, {"inputImageUrls": ["https://example.com/a.png"]}]
    at_once = told("completed", afterSeconds=0)
    ids = [mock.new(model=name, **mode, **at_once) for name in profiles(contract) for mode in modes]
    for task_id in ids:
        (result,) = ended(mock, task_id)["imageUrls"]
        assert httpx.head(result).status_code == 200


def test_strangers_see_nothing(mock: Process, documented: Documented) -> None:
    task_id = mock.new()
    path = f"{TASKS}/{task_id}"
    documented(READ, mock.client.get(path, headers=bearer(OTHER)), 404)
    documented(READ, mock.client.get(path), 401)
    documented(READ, mock.client.get(path, headers=bearer("sk_nobody")), 401)
    documented(READ, mock.client.get(path, headers=COOKIE), 200)
    documented(GENERATE, mock.client.post(SUBMIT, json=request()), 401)
    documented(GENERATE, mock.submit(POOR), 402)


def test_a_crowd_spends_no_more_than_there_is(mock: Process) -> None:
    together = threading.Barrier(40)

    def submit(_: int) -> list[int]:
        with httpx.Client(base_url=mock.url, timeout=PATIENCE) as client:
            together.wait()
            return [client.post(SUBMIT, json=request(), headers=bearer("sk_crowd")).status_code for _ in range(10)]

    with ThreadPoolExecutor(40) as threads:
        statuses = [status for some in threads.map(submit, range(40)) for status in some]
    assert (statuses.count(200), statuses.count(402)) == (33, 367)


def test_the_log_is_lines_of_json_without_credentials(mock: Process) -> None:
    task_id = mock.new(prompt="a secret prompt")
    mock.client.get(f"{TASKS}/{task_id}", params={"key": "sk_in_query"}, headers={**bearer("sk_nobody"), **COOKIE})
    lines = eventually(lambda: task_id in (text := mock.log()) and text.count(task_id) >= 2 and text).splitlines()
    for line in lines:
        assert {"time", "method", "path", "status", "ms"} <= set(json.loads(line))
    for secret in ("sk_", "session_rich", "a secret prompt"):
        assert not any(secret in line.replace("tsk_", "") for line in lines)


# ------------------------------------------------------------------- schemathesis


@pytest.mark.whole
def test_schemathesis_finds_no_issue(mock: Process, tmp_path: Path) -> None:
    program = Path(sys.executable).with_name("schemathesis")
    command = [program, "run", default_contract(), "--url", mock.url, "--header", f"Authorization: Bearer {RICH}"]
    checked = subprocess.run(
        [*map(str, command), "--max-examples", "4", "--seed", "1"],
        capture_output=True,
        text=True,
        timeout=3 * PATIENCE,
        check=False,
        cwd=tmp_path,
        env=environment(),
    )
    assert checked.returncode == 0, checked.stdout
    assert "No issues found" in checked.stdout


# ------------------------------------------------------------------------- deaths


def test_a_killed_process_loses_nothing_that_it_answered(tmp_path: Path) -> None:
    options = ("--database", f"sqlite:///{tmp_path}/mock.db", "--failure-rate", "0.5", "--task-seconds", "0.05")
    accepted: list[str] = []
    enough = threading.Event()

    def submit(url: str) -> None:
        with httpx.Client(base_url=url, timeout=PATIENCE) as client:
            while True:
                try:
                    response = client.post(SUBMIT, json=request(), headers=bearer(RICH))
                except httpx.TransportError:
                    return
                accepted.append(response.json()["taskId"])
                if len(accepted) >= 100:
                    enough.set()

    with Process(tmp_path, options) as mock, ThreadPoolExecutor(6) as threads:
        for _ in range(6):
            threads.submit(submit, mock.url)
        assert enough.wait(PATIENCE)
        mock.end(signal.SIGKILL)

    with Process(tmp_path, options) as mock:
        assert all(ended(mock, task_id)["status"] in (1, 2) for task_id in accepted[::10])
        mock.new()
    store = Store(f"sqlite:///{tmp_path}/mock.db")
    entries, now = store.entries("rich"), time.time_ns() // 1000 + 1_000_000
    assert store.balance("rich", lambda: now) == 1_000_000 + sum(entry.amount for entry in entries)
    debited = {entry.task for entry in entries if entry.kind is EntryKind.DEBIT}
    assert set(accepted) <= debited
    assert all(store.task(str(task_id)) for task_id in debited)
    # whatever the clients did not hear of, at most one submission each, was debited together with its task
    assert len(debited) <= len(accepted) + 6 + 1
    store.close()


def test_processes_share_a_file(tmp_path: Path) -> None:
    options = ("--database", f"sqlite:///{tmp_path}/mock.db", "--credits", "100")
    with Process(tmp_path, options) as one, Process(tmp_path, options) as other:
        assert one.read(other.new())["prompt"] == other.read(one.new())["prompt"]
        together = threading.Barrier(16)

        def submit(number: int) -> list[int]:
            with httpx.Client(base_url=(one, other)[number % 2].url, timeout=PATIENCE) as client:
                together.wait()
                return [client.post(SUBMIT, json=request(), headers=bearer(RICH)).status_code for _ in range(4)]

        with ThreadPoolExecutor(16) as threads:
            statuses = [status for some in threads.map(submit, range(16)) for status in some]
        assert (statuses.count(200), statuses.count(402)) == (31, 33)
