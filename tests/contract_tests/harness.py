"""What the tests of the contract tests share: the real command, targets with something before them, rude targets."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import socket
import socketserver
import subprocess
import sys
import threading
import urllib.request
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from email import message_from_bytes
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import jsonschema  # type: ignore[import-untyped]

from contract.clause import Clause
from contract.document import Document, Node, parse_document
from contract.model import Contract
from contract_tests.bench import Bench
from contract_tests.cases import Cases
from contract_tests.hooks import Hooks
from contract_tests.judge import Judge
from contract_tests.purse import Purse
from contract_tests.redact import Redactor
from contract_tests.session import Session
from contract_tests.settings import Settings
from contract_tests.target import Target as Connection
from contract_tests.wire import Answer, Exchange, NoAnswer, Request
from tests import forked
from tests.targets import wire
from tests.targets.server import Target

COMMAND: Final = [str(Path(sys.executable).with_name("contract-tests"))]
PYTEST: Final = [sys.executable, "-m", "pytest", "--pyargs", "contract_tests", "--import-mode=importlib", "--target"]
HOOKS: Final = str(Path(__file__).parents[1] / "targets" / "hooks.py")

KEY: Final = "sk_test_rich"
SECOND_KEY: Final = "sk_test_other"
KEYS: Final = ("--key", KEY, "--second-key", SECOND_KEY)

SUBMIT: Final = "/api/ai/image/generate"
TASKS: Final = "/api/ai/tasks/"

PATIENCE: Final = 240.0
"""Seconds after which a test gives up waiting for a run; nothing that works takes nearly as long."""

REPORTS: Final = {"index.html", "report.json", "junit.xml", "traffic.har"}


# -------------------------------------------------------------- another validator


def _pattern(_validator: object, pattern: str, value: Any, _schema: object) -> Iterator[jsonschema.ValidationError]:
    # to Python `$` is also before a line break at the end, to JSON Schema it is the end
    if isinstance(value, str) and not re.search(re.sub(r"\$(?=$|\)|\|)", r"\\Z", pattern), value):
        yield jsonschema.ValidationError(f"{value!r} does not match {pattern!r}")


OtherValidator = jsonschema.validators.extend(jsonschema.Draft4Validator, {"pattern": _pattern})
"""A validator that the project does not use."""

# ------------------------------------------------------------------ the command


def environment(measured: bool = False, **more: str) -> dict[str, str]:
    """The environment of this process, without anything that is meant for a run of tests."""
    # Without bytecode, which some environments forbid, each process would take seconds to start. Coverage makes a run
    # several times as long: it is measured by one whole run (test_the_mock.py), and by those that go where that does
    # not: where something is found.
    dropped = ("CONTRACT_TESTS_", "PYTEST_", "PYTHONDONTWRITEBYTECODE", *(() if measured else ("COVERAGE_",)))
    kept = {name: value for name, value in os.environ.items() if not name.startswith(dropped)}
    return {**kept, "COLUMNS": "200", **more}


@dataclass(frozen=True)
class Outcome:
    """What came of a run: its exit status, all that it printed, and its reports, if it was to write any."""

    status: int
    text: str
    folder: Path

    @cached_property
    def report(self) -> dict[str, Any]:
        report: dict[str, Any] = json.loads((self.folder / "report.json").read_text("utf-8"))
        return report

    @property
    def verdicts(self) -> dict[str, str]:
        """What came out for each clause, by its ID."""
        return {clause["id"]: clause["outcome"] for clause in self.report["clauses"]}

    @property
    def reasons(self) -> dict[str, str]:
        """Why clauses were not exercised."""
        return {clause["id"]: clause["reason"] for clause in self.report["clauses"] if "reason" in clause}

    @property
    def broken(self) -> set[str]:
        """The clauses that some finding names."""
        return {clause for finding in self.report["findings"] for clause in (finding["clause"], *finding["also"])}

    @cached_property
    def traffic(self) -> list[dict[str, Any]]:
        entries: list[dict[str, Any]] = json.loads((self.folder / "traffic.har").read_text("utf-8"))["log"]["entries"]
        return entries

    @property
    def junit(self) -> ET.Element:
        return ET.parse(self.folder / "junit.xml").getroot()  # noqa: S314 - the run's own file

    def everything(self) -> str:
        """All that was printed and written."""
        return self.text + "".join(path.read_text("utf-8") for path in sorted(self.folder.rglob("*")) if path.is_file())


def run(
    target: str,
    *options: str,
    folder: Path,
    hooks: bool = False,
    command: Sequence[str] = (),
    report: bool = True,
    settings: Mapping[str, str] | None = None,
    crash: bool = False,
    measured: bool = False,
) -> Outcome:
    """Run the command to its end; it never shows a traceback, unless the suite is expected to crash.

    Args:
        command: what a shell would start; without it, the command is forked.
    """
    folder.mkdir(exist_ok=True)
    reports = folder / "report"
    words = [
        *([target] if target else []),
        *(["--hooks", HOOKS] if hooks else []),
        *(["--report", str(reports)] if report else []),
        *options,
    ]
    env = environment(measured, **settings or {})
    if command:
        ended = subprocess.run(
            [*command, *words], capture_output=True, text=True, timeout=PATIENCE, check=False, cwd=folder, env=env
        )
        status, text = ended.returncode, ended.stdout + ended.stderr
    else:
        process = forked.start("contract_tests.cli", *words, folder=folder, cwd=folder, env=env)
        status = process.wait(PATIENCE)
        text = process.text()
    assert "Traceback" not in text, text
    assert "INTERNALERROR" not in text, text
    assert ("A TEST COULD NOT BE CARRIED OUT" in text) is crash, text
    return Outcome(status, text, reports)


def interrupt(target: str, *options: str, folder: Path, ready: threading.Event) -> Outcome:
    """Run the command, and interrupt it as Ctrl-C does when it is ready for that."""
    folder.mkdir(exist_ok=True)
    words = (target, "--report", str(folder / "report"), *options)
    process = forked.start("contract_tests.cli", *words, folder=folder, cwd=folder, env=environment())
    while not ready.wait(0.05):
        assert process.status() is None, process.text()
    process.send_signal(signal.SIGINT)
    status, text = process.wait(PATIENCE), process.text()
    assert "Traceback" not in text, text
    return Outcome(status, text, folder / "report")


def error_line(outcome: Outcome) -> str:
    """The one line in which a run that could not be made says why."""
    assert outcome.status == 2, outcome.text
    lines = [line for line in outcome.text.splitlines() if line.strip()]
    assert len(lines) == 1, outcome.text
    return lines[0]


# ---------------------------------------------------------------------- targets

Inner = Callable[[wire.Request], wire.Reply]
Wrap = Callable[[wire.Request, Inner], wire.Reply]


class Wrapped(Target):
    """The test target with something before it: a gateway, a proxy, or who only counts."""

    def __init__(self, wrap: Wrap, fault: str | None = None, task_seconds: float = 0.05) -> None:
        super().__init__(fault, task_seconds)
        self._wrap = wrap

    def _answer(self, request: wire.Request) -> wire.Reply:
        return self._wrap(request, super()._answer)


def new_account(url: str, credits: int) -> str:
    """The key of a new account of the test target."""
    body = json.dumps({"credits": credits}).encode()
    with urllib.request.urlopen(urllib.request.Request(f"{url}/_admin/accounts", body), timeout=PATIENCE) as answer:
        return str(json.load(answer)["key"])


def secrets_of(key: str) -> dict[str, str]:
    """The test target takes a key as the session cookie's value, too."""
    return {"bearerAuth": key, "sessionCookie": key}


def balance(url: str, key: str) -> int:
    """The credits that an account of the test target has."""
    with urllib.request.urlopen(f"{url}/_admin/accounts/{key}", timeout=PATIENCE) as answer:
        return int(json.load(answer)["balance"])


class Counted(Wrapped):
    """The test target, and all that it was asked for, but for the hooks' own requests."""

    def __init__(self, fault: str | None = None, task_seconds: float = 0.05) -> None:
        super().__init__(self._count, fault, task_seconds)
        self.requests: list[wire.Request] = []
        self.charged = 0
        self.ready = threading.Event()

    def _count(self, request: wire.Request, inner: Inner) -> wire.Reply:
        reply = inner(request)
        if request.path.startswith("/api/"):
            self.requests.append(request)
            if request.method == "POST" and isinstance(reply.body, dict):
                self.charged += reply.body.get("creditsUsed", 0)
            if len(self.requests) >= 30:
                self.ready.set()
        return reply


@contextmanager
def a_bench(
    target: Target, contract: Contract, clauses: Mapping[str, Clause], *without: str, settings: Settings | None = None
) -> Iterator[Bench]:
    """What a contract test works with, on a test target in this process, with all hooks but some."""
    hooks: dict[str, Callable[..., Any]] = {
        "new_account": lambda credits: secrets_of(new_account(target.url, credits)),  # noqa: A006 - the field's word
        "balance": lambda key: balance(target.url, key),
        "failing_request": lambda request: {**request, "providerInput": {"simulate": "failure"}},
    }
    connection = Connection(target.url, timeout=PATIENCE)
    session = Session(
        settings=settings or Settings(target.url, key=KEY, cookie=KEY, second_key=SECOND_KEY, deadline=PATIENCE),
        contract=contract,
        clauses=clauses,
        target=connection,
        judge=Judge(contract, clauses, lambda request: request.curl(target.url)),
        hooks=Hooks({name: hook for name, hook in hooks.items() if name not in without}, "bearerAuth", Redactor()),
        redactor=Redactor(),
        purse=Purse(),
        cases={operation.id: Cases(contract, operation, task, clauses) for operation, task in contract.submissions()},
    )
    try:
        yield Bench(session, Purse(within=session.purse))
    finally:
        connection.close()


Manner = Callable[[socket.socket], None]


class Rude(socketserver.ThreadingTCPServer):
    """A target that answers some requests as it should, and from then on in a manner of its own."""

    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, manner: Manner, after: int) -> None:
        super().__init__(("127.0.0.1", 0), _RudeHandler)
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        self.manner = manner
        self.left = after
        self.inner = Target(task_seconds=0.05)
        self.lock = threading.Lock()

    def is_polite(self) -> bool:
        with self.lock:
            self.left -= 1
            return self.left >= 0


class _RudeHandler(socketserver.StreamRequestHandler):
    server: Rude

    def handle(self) -> None:
        with contextlib.suppress(OSError):
            while (request := self._read()) is not None:
                if not self.server.is_polite():
                    self.server.manner(self.connection)
                    return
                reply = self.server.inner._answer(request)  # noqa: SLF001 - a part of the same stand-in
                body = reply.body if isinstance(reply.body, bytes) else json.dumps(reply.body).encode()
                head = f"HTTP/1.1 {reply.status} Polite\r\nContent-Type: {reply.content_type}\r\n"
                self.wfile.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)

    def _read(self) -> wire.Request | None:
        line = self.rfile.readline()
        if not line.strip():
            return None
        method, path, _ = line.decode("latin-1").split(" ", 2)
        head = b"".join(iter(self.rfile.readline, b"\r\n"))
        headers = message_from_bytes(head)
        body = self.rfile.read(int(headers.get("Content-Length", 0)))
        return wire.Request(method, path, headers, body)


@contextmanager
def rude(manner: Manner, after: int = 0) -> Iterator[str]:
    """The URL of a rude target."""
    with Rude(manner, after) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield server.url
        finally:
            server.shutdown()
            thread.join()
            server.inner._server.server_close()  # noqa: SLF001 - it was never started


# ------------------------------------------------------------------ plain values


def schema(value: Mapping[str, Any]) -> Node:
    """A schema as it would stand in a contract."""
    return document({"schema": value}).at("/schema")


def document(value: Mapping[str, Any]) -> Document:
    return parse_document(json.dumps(value, ensure_ascii=False).encode(), "contract.json")


def exchange(
    operation: str | None,
    status: int | None,
    body: Any = None,
    content_type: str = "application/json",
    *,
    headers: Mapping[str, str] | None = None,
    request: bytes | None = None,
) -> Exchange:
    """An exchange about an operation; without a status, one without an answer."""
    asked = Request("GET", "/x", {"Authorization": f"Bearer {KEY}"}, request, operation)
    if status is None:
        return Exchange(asked, NoAnswer("no complete answer within 1 seconds"), 0.0, 1.0)
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Exchange(asked, Answer(status, {"content-type": content_type, **(headers or {})}, raw), 0.0, 0.01)
