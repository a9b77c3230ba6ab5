"""Runs every example as a process of its own against a mock that plays the contract."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

import httpx

from contract.model import Contract
from contract_docs.example import KEY, TASK, URL, Example, Language, presented, request_of
from mock_server.process import running

SECONDS: Final = 60
"""How long an example may take."""

_WAYS: Final = {
    "node": "install Node.js 20 or newer",
    "tsc": "`npm install --global typescript`, or in a checkout `make docs`",
}
_TSC: Final = Path(__file__).parents[1] / "examples" / "web" / "node_modules" / ".bin" / "tsc"
# What @types/node says in a project of one's own.
_AMBIENT: Final = "declare const process: { env: Record<string, string | undefined> };\n"
_OPTIONS: Final = ("--strict", "--target", "es2022", "--module", "es2022", "--moduleDetection", "force")

Answers = Mapping[tuple[str, Language], str]


class ExampleError(Exception):
    """An example that cannot be run, or that failed."""


def try_out(contract: Contract, spec: Path, examples: Iterable[Example], folder: Path) -> Answers:
    """What each example printed, by its name and language.

    Args:
        spec: the contract's file.
        folder: an empty one, for the programs.

    Raises:
        ExampleError: with what failed, and what it printed.
        MockServerError: if the mock does not start.
    """
    examples = list(examples)
    commands = _commands(examples, folder)
    answers = {}
    with running("--spec", str(spec), "--task-seconds", "0.5", "--failure-rate", "0") as mock:
        account = mock.account()
        environment = {**os.environ, URL: mock.url}
        for example in examples:
            environment[KEY] = account.credentials[example.scheme] if example.scheme else ""
            if example.reads:
                environment[TASK] = _submitted(contract, example.operation, mock.url, account.credentials)
            for language in Language:
                command = commands[example.name, language]
                answers[example.name, language] = _run(command, f"{example.name} in {language}", environment)
    return answers


def _commands(examples: Iterable[Example], folder: Path) -> dict[tuple[str, Language], list[str]]:
    shell, node = _tool("bash"), _tool("node")
    _tool("curl")
    _tool("jq")
    commands = {}
    for number, example in enumerate(examples):
        for language, suffix, run in (
            (Language.CURL, ".sh", [shell]),
            (Language.PYTHON, ".py", [sys.executable]),
            (Language.TYPESCRIPT, ".ts", [node]),
        ):
            path = folder / f"example-{number}{suffix}"  # its name is the contract's, and no file's
            path.write_text(example.programs[language] + "\n", "utf-8")
            ran = path.with_suffix(".js") if suffix == ".ts" else path
            commands[example.name, language] = [*run, str(ran)]
    _compile(folder)
    return commands


def _compile(folder: Path) -> None:
    """Check the types of all programs in TypeScript, and make JavaScript of them."""
    (folder / "ambient.d.ts").write_text(_AMBIENT, "utf-8")
    (folder / "package.json").write_text('{"type": "module"}\n', "utf-8")
    compiler = str(_TSC) if _TSC.exists() else _tool("tsc")
    sources = sorted(str(path) for path in folder.glob("*.ts"))
    _run([compiler, *_OPTIONS, *sources], "the check of the examples in TypeScript", os.environ)


def _tool(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        ways = {
            "node": "install Node.js 20 or newer",
            "tsc": "`npm install --global typescript`, or in a checkout `make docs`",
        }
        raise ExampleError(f"{name} is missing, which the examples are run with; {ways.get(name, f'install {name}')}")
    return found


def _submitted(contract: Contract, reads: str, url: str, secrets: Mapping[str, str]) -> str:
    """The ID of a task that the operation reads, just submitted."""
    for operation, submission in contract.submissions():
        if submission.reads == reads:
            body = request_of(operation, submission, next(iter(submission.profiles.values())))
            scheme, auth = presented(contract, operation)
            headers = {auth[0]: auth[1] + secrets[scheme]} if scheme and auth else {}
            answer = httpx.request(operation.method, f"{url}{operation.path}", json=body, headers=headers)
            answer.raise_for_status()
            return str(answer.json()[contract.lifecycle.fields.id])
    raise ExampleError(f"no operation submits a task that {reads} reads")


def _run(command: list[str], what: str, environment: Mapping[str, str]) -> str:
    try:
        ended = subprocess.run(  # noqa: S603 - the examples are written by this package
            command, env=environment, capture_output=True, text=True, timeout=SECONDS, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise ExampleError(f"{what} did not end within {SECONDS} seconds") from error
    if ended.returncode:
        raise ExampleError(f"{what} failed with status {ended.returncode}:\n{ended.stdout}{ended.stderr}")
    return _pretty(ended.stdout)


def _pretty(printed: str) -> str:
    """An answer in JSON as a person reads it; anything else as it is."""
    try:
        answer: Any = json.loads(printed)
    except json.JSONDecodeError:
        return printed.strip()
    return json.dumps(answer, indent=2, ensure_ascii=False)
