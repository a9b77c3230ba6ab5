"""The fixture, in a project of somebody else: an environment of its own, with the wheel that this checkout makes."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import sysconfig
import time
import venv
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.mock_server.harness import PATIENCE

ROOT = Path(__file__).parents[2]

CONFTEST = """
import pytest

@pytest.fixture(scope="session")
def mock_server_options():
    return ["--task-seconds", "3600"]
"""

TESTS = """
import json, pathlib, sys
from concurrent.futures import ThreadPoolExecutor

import httpx
import mock_server as package
import pytest
from mock_server.client import MockServerError

def submit(mock, account):
    body = {"model": "gpt-image-2", "prompt": "a heron"}
    answer = httpx.post(f"{mock.url}/api/ai/image/generate", json=body, headers=account.headers)
    answer.raise_for_status()
    return mock.task(answer.json()["taskId"])

def test_the_wheel_is_what_is_used():
    assert pathlib.Path(package.__file__).is_relative_to(sys.prefix), package.__file__

def test_accounts_in_parallel_do_not_disturb_each_other(mock_server):
    def use(credits):
        account = mock_server.account(credits=credits)
        tasks = [submit(mock_server, account) for _ in range(4)]
        account.clock.advance(3600 if credits == 20 else 60)
        return account.balance, {task.state for task in tasks}, len(account.tasks()), len(account.exchanges())

    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(use, [20, 30])) == [(8, {"completed"}, 4, 4), (18, {"pending"}, 4, 4)]

def test_time_passes_when_it_is_told_to(mock_server):
    account = mock_server.account(credits=20)
    task = submit(mock_server, account)
    assert task.state == "pending"
    account.clock.advance(3600)
    assert task.snapshot["imageUrls"]
    assert account.balance == 17

def test_a_failed_task_is_refunded(mock_server):
    account = mock_server.account(credits=20)
    task = submit(mock_server, account)
    task.fail("CONTENT_REJECTED", "No.")
    assert (task.snapshot["errorCode"], task.snapshot["creditsRefunded"]) == ("CONTENT_REJECTED", True)
    assert account.balance == 20
    assert [entry.kind for entry in account.ledger().entries] == ["debit", "refund"]

def test_a_scenario_is_for_one_account(mock_server):
    broken, fine = mock_server.account(), mock_server.account()
    broken.scenario("server-errors")
    submit(mock_server, fine)
    with pytest.raises(httpx.HTTPStatusError, match="500"):
        submit(mock_server, broken)

def test_what_cannot_be_done_is_one_exception(mock_server):
    with pytest.raises(MockServerError, match="there is no scenario 'x'"):
        mock_server.scenario("x")
"""


@dataclass(frozen=True)
class Outcome:
    status: int
    text: str

    def counted(self, **expected: int) -> None:
        """Check how many tests ended how."""
        last = self.text.splitlines()[-1]
        found = {word.rstrip("s"): int(number) for number, word in re.findall(r"(\d+) (passed|failed|errors?)", last)}
        assert found == {word.rstrip("s"): number for word, number in expected.items()}, self.text


@dataclass(frozen=True)
class Project:
    """A folder with tests, and the Python that runs them."""

    python: Path
    folder: Path

    def write(self, **files: str) -> None:
        for name, text in files.items():
            (self.folder / f"{name}.py").write_text(text)

    @property
    def environment(self) -> Mapping[str, str]:
        # Nothing of this checkout may be found but by way of the wheel.
        dropped = ("PYTHON", "PYTEST", "COVERAGE", "COV_CORE", "MOCK_SERVER")
        return {name: value for name, value in os.environ.items() if not name.startswith(dropped)}

    def command(self, *options: str) -> list[str]:
        return [str(self.python), "-m", "pytest", "-p", "no:cacheprovider", "-W", "error", *options]

    def pytest(self, *options: str) -> Outcome:
        ended = subprocess.run(
            self.command(*options),
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        return Outcome(ended.returncode, (ended.stdout + ended.stderr).strip())


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of an environment that has the wheel installed, and the dependencies of this one in sight."""
    folder = tmp_path_factory.mktemp("environment")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    offline = ["--no-deps", "--no-index"]
    build = [*pip, "wheel", *offline, "--no-build-isolation", "--wheel-dir", str(folder), str(ROOT)]
    subprocess.run(build, check=True, timeout=PATIENCE)
    (wheel,) = folder.glob("*.whl")
    venv.create(folder / "venv", symlinks=True, with_pip=False)
    python = folder / "venv" / "bin" / "python"
    subprocess.run([*pip, "--python", str(python), "install", *offline, str(wheel)], check=True, timeout=PATIENCE)
    code = "import sysconfig; print(sysconfig.get_path('purelib'))"
    packages = subprocess.run([str(python), "-c", code], check=True, capture_output=True, text=True, timeout=PATIENCE)
    (Path(packages.stdout.strip()) / "dependencies.pth").write_text(sysconfig.get_path("purelib"))
    return python


@pytest.fixture
def project(python: Path, tmp_path: Path) -> Project:
    (tmp_path / "pytest.ini").write_text("[pytest]\naddopts = --strict-config\n")
    return Project(python, tmp_path)


def test_a_project_tests_its_client_with_the_fixture(project: Project) -> None:
    project.write(conftest=CONFTEST, test_client=TESTS)
    outcome = project.pytest("-q")
    outcome.counted(passed=6)
    assert outcome.status == 0


@pytest.mark.whole
def test_each_worker_of_xdist_has_a_mock_of_its_own(project: Project) -> None:
    tests = """
import pathlib, time
import pytest

@pytest.mark.parametrize("me", ["one", "two"])
def test_it(mock_server, me):
    mock_server.account(name="ann")  # there is none yet
    pathlib.Path(me).write_text(mock_server.url)
    for other in ("one", "two"):
        while not pathlib.Path(other).exists():
            time.sleep(0.05)
"""
    project.write(test_it=tests)
    project.pytest("-q", "-n", "2").counted(passed=2)
    assert (project.folder / "one").read_text() != (project.folder / "two").read_text()


def test_it_costs_nothing_where_it_is_not_used(project: Project) -> None:
    tests = """
import sys

def test_it(request):
    assert request.config.pluginmanager.has_plugin("mock_server")
    ours = {name for name in sys.modules if name.split(".")[0] == "mock_server"}
    assert ours == {"mock_server", "mock_server.pytest_plugin"}
    assert not {"httpx", "connexion", "starlette", "uvicorn"} & set(sys.modules)
"""
    project.write(test_it=tests)
    project.pytest("-q", "-p", "no:schemathesis").counted(passed=1)


@pytest.mark.whole
def test_the_fixtures_are_listed_with_what_they_are_for(project: Project) -> None:
    text = project.pytest("--fixtures", "-q").text
    assert re.search(r"^mock_server \[session scope\] .*\n +A running mock", text, re.MULTILINE)
    assert re.search(r"^mock_server_options \[session scope\] .*\n +The options of the command", text, re.MULTILINE)


def test_a_mock_that_does_not_start_fails_the_tests_with_what_it_printed(project: Project) -> None:
    project.write(
        conftest=CONFTEST.replace('"--task-seconds", "3600"', '"--spec", "missing.yaml"'),
        test_it="def test_one(mock_server): pass\ndef test_two(mock_server): pass\ndef test_three(): pass\n",
    )
    outcome = project.pytest("-q")
    outcome.counted(passed=1, errors=2)
    assert "the mock did not start: status 1; it printed:\nmock-server: missing.yaml:1: cannot be read" in outcome.text
    assert "Traceback" not in outcome.text


@pytest.mark.whole
def test_options_that_the_command_does_not_have_are_said_in_its_words(project: Project) -> None:
    project.write(
        conftest=CONFTEST.replace('"--task-seconds", "3600"', '"--nonsense"'),
        test_it="def test_it(mock_server): pass\n",
    )
    text = project.pytest("-q").text
    assert "Usage: mock-server [OPTIONS]" in text
    assert "No such option" in text


@pytest.mark.whole
def test_a_folder_of_the_same_name_does_not_get_in_the_way(project: Project) -> None:
    (project.folder / "contract").mkdir()
    (project.folder / "contract" / "__init__.py").write_text("raise RuntimeError\n")
    (project.folder / "tests").mkdir()
    (project.folder / "tests" / "test_it.py").write_text("def test_it(mock_server): mock_server.about()\n")
    command = [str(project.python.with_name("pytest")), "-q"]
    if not Path(command[0]).exists():  # the environment sees pytest, but has not its command
        command = [str(project.python), "-P", "-m", "pytest", "-q"]
    ended = subprocess.run(
        command, cwd=project.folder, env=project.environment, capture_output=True, timeout=PATIENCE, check=False
    )
    assert ended.returncode == 0, ended.stdout


# ----------------------------------------------------------------- nothing is left


def listens(url: str) -> bool:
    parts = urlsplit(url)
    try:
        with socket.create_connection((str(parts.hostname), parts.port or 0), 1):
            return True
    except OSError:
        return False


def comes_true(condition: Callable[[], bool]) -> bool:
    give_up = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > give_up:
            return False
        time.sleep(0.05)
    return True


@contextmanager
def at_work(project: Project, *options: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A pytest in the middle of a test that would not end, and the URL of its mock."""
    project.write(
        test_it="""
import json, pathlib, threading

def test_it(mock_server):
    pathlib.Path("part.json").write_text(json.dumps(mock_server.url))
    pathlib.Path("part.json").rename("url.json")
    threading.Event().wait(600)
"""
    )
    written = project.folder / "url.json"
    command = project.command("-q", *options)
    with subprocess.Popen(
        command,
        cwd=project.folder,
        env=project.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        try:
            assert comes_true(written.exists)
            yield process, json.loads(written.read_text())
        finally:
            process.kill()


@pytest.mark.whole
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL], ids=lambda number: number.name)
def test_whatever_ends_pytest_ends_the_mock(project: Project, number: signal.Signals) -> None:
    with at_work(project) as (process, url):
        assert listens(url)
        process.send_signal(number)
        process.wait(PATIENCE)
        assert comes_true(lambda: not listens(url))


@pytest.mark.whole
def test_an_interrupted_session_is_over_when_the_mock_is(project: Project) -> None:
    with at_work(project) as (process, url):
        process.send_signal(signal.SIGINT)
        text, _ = process.communicate(timeout=PATIENCE)
        assert not listens(url)
    assert "KeyboardInterrupt" in text
    assert "Error" not in text


@pytest.mark.whole
def test_the_mocks_of_workers_end_with_them(project: Project) -> None:
    with at_work(project, "-n", "1") as (process, url):
        process.send_signal(signal.SIGKILL)
        process.wait(PATIENCE)
        assert comes_true(lambda: not listens(url))
