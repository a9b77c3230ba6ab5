"""What the tests of the mock share: a clock that stands still, a contract with changes, servers that are real."""

from __future__ import annotations

import json
import logging
import os
import queue
import re
import resource
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from logging.handlers import QueueHandler
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import httpx
import jsonschema_rs
import uvicorn
import yaml

from contract.document import load_document
from contract.model import Contract
from contract.reader import JSON, load_contract
from contract.resources import default_contract, fixtures
from contract.schema import json_schema
from mock_server.accounts import Account, load_accounts
from mock_server.app import build_app
from mock_server.outer import RequestLog
from mock_server.plan import Chance, Planner
from mock_server.protocol import Protocol
from mock_server.scenarios import load_scenarios
from mock_server.service import Service
from mock_server.settings import MEMORY
from mock_server.store import Caller, Store
from mock_server.task import MICROSECONDS, Task
from tests import forked

SUBMIT: Final = "/api/ai/image/generate"
TASKS: Final = "/api/ai/tasks"
BEARER: Final = "bearerAuth"
RICH: Final = "sk_test_rich"
OTHER: Final = "sk_test_other"
POOR: Final = "sk_test_poor"
EMPTY: Final = "sk_test_empty"
COOKIE: Final = {"Cookie": "session=session_rich"}
ORIGIN: Final = {"Origin": "http://localhost:3000"}
ASTRAL: Final = "\U0001f98a"

GENERATE: Final = "generateImage"
READ: Final = "getTask"

LIMIT: Final = 10 * 1024 * 1024
"""The largest body that a mock reads unless it is told otherwise."""

PATIENCE: Final = 60.0
"""Seconds after which a test gives up waiting for a process; nothing that works takes nearly as long."""

Change = Callable[[dict[str, Any]], object]


class Clock:
    """Time that passes when it is told to, in microseconds since 1970."""

    def __init__(self) -> None:
        self.now = 1_767_225_600 * MICROSECONDS

    def __call__(self) -> int:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += round(seconds * MICROSECONDS)


def allow_open_files(count: int) -> None:
    """Let this process have so many files open, where the system leaves it to the process."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < count:
        resource.setrlimit(
            resource.RLIMIT_NOFILE, (count if hard == resource.RLIM_INFINITY else min(count, hard), hard)
        )


def until(condition: Callable[[], object]) -> None:
    """Wait for something to come true."""
    give_up = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < give_up
        time.sleep(0.02)


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


SCENARIOS: Final = load_scenarios(fixtures() / "scenarios.yaml", load_contract(default_contract()))


def calling(name: str) -> Caller:
    """An account that has shown its credentials."""
    return Caller(name, None)


def at(moment: int) -> Callable[[], int]:
    """A machine for which it is always this moment."""
    return lambda: moment


def kept(store: Store, task_id: str) -> Task | None:
    """The task with this ID, or None."""
    found = store.task(task_id)
    return found[0] if found else None


def opened(store: Store, scheme: str, secret: str) -> str | None:
    """The name of the account that the credentials open."""
    caller = store.caller(scheme, secret)
    return caller.account if caller else None


def account(name: str, credits: int) -> Account:
    """An account whose key is its name."""
    return Account(name, credits, {BEARER: name})


def request(**fields: Any) -> dict[str, Any]:
    """A valid request of the cheapest model, with some fields changed."""
    return {"model": "gpt-image-2", "prompt": "a red fox", **fields}


def valid(**fields: Any) -> bytes:
    """The same as a body."""
    return json.dumps(request(**fields)).encode()


def told(outcome: str | None = None, **said: Any) -> dict[str, Any]:
    """The field with which a client decides what becomes of its task."""
    return {"providerInput": {"mock": {**({"outcome": outcome} if outcome else {}), **said}}}


# ------------------------------------------------------------------ contracts


def changed_contract(folder: Path, change: Change) -> Path:
    """A copy of the project's contract with a change made to its parsed document."""
    document = json.loads(json.dumps(load_document(default_contract()).data))
    change(document)
    path = folder / "openapi.yaml"
    path.write_text(yaml.safe_dump(document, sort_keys=False, allow_unicode=True), "utf-8")
    return path


def add_a_state(document: dict[str, Any]) -> None:
    """Let a task be at work between being accepted and having ended, as status 3."""
    schemas = document["components"]["schemas"]
    lifecycle = schemas["TaskSnapshot"]["x-lifecycle"]
    lifecycle["states"]["working"] = {"status": 3, "next": lifecycle["states"]["pending"]["next"]}
    lifecycle["states"]["pending"]["next"] = ["working"]
    schemas["PendingTask"]["properties"]["status"]["enum"].append(3)


def profiles(contract: Contract) -> dict[str, Any]:
    """The request profiles of the submitting operations, by name."""
    return {name: profile for _, submission in contract.submissions() for name, profile in submission.profiles.items()}


class Api:
    """What a client of a mock does."""

    url: str
    client: httpx.Client

    @property
    def address(self) -> tuple[str, int]:
        url = httpx.URL(self.url)
        return url.host, url.port or 0

    def post(self, content: bytes, key: str = RICH, **headers: str) -> httpx.Response:
        known = {"Content-Type": "application/json", **bearer(key)}
        return self.client.post(SUBMIT, content=content, headers={**known, **headers})

    def submit(self, key: str = RICH, **fields: Any) -> httpx.Response:
        return self.client.post(SUBMIT, json=request(**fields), headers=bearer(key))

    def new(self, key: str = RICH, **fields: Any) -> str:
        """The ID of a new task."""
        response = self.submit(key, **fields)
        assert response.status_code == 200, response.text
        task_id: str = response.json()["taskId"]
        return task_id

    def read(self, task_id: str, key: str = RICH) -> Any:
        """The snapshot of a task."""
        response = self.client.get(f"{TASKS}/{task_id}", headers=bearer(key))
        assert response.status_code == 200, response.text
        return response.json()

    def raw(self, request: bytes) -> Raw:
        """Send bytes as they are, and read until the server closes; so they must ask it to, or make it do so."""
        with socket.create_connection(self.address, PATIENCE) as connection:
            connection.sendall(request)
            answer = b"".join(iter(lambda: connection.recv(65536), b""))
        head, _, body = answer.partition(b"\r\n\r\n")
        status, *lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
        return Raw(int(status.split()[1]), headers, body)

    def send(self, method: bytes, target: bytes, *lines: bytes, body: bytes = b"") -> Raw:
        """Make a request that no client would send as it is; without lines, with the credentials of an account."""
        head = lines or (b"Authorization: Bearer " + RICH.encode(),)
        start = [method + b" " + target + b" HTTP/1.1", b"Host: mock", b"Connection: close"]
        return self.raw(b"\r\n".join([*start, *head, b"", body]))


@dataclass(frozen=True)
class Raw:
    """An answer, taken apart without a client's help."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        assert self.headers["content-type"] == "application/json"
        return json.loads(self.body)


class Documented:
    """Says whether an answer is one that the contract documents."""

    def __init__(self, contract: Contract) -> None:
        self._schemas = {
            (operation.id, status): jsonschema_rs.Draft4Validator(
                json_schema(response.need("content", JSON, "schema")), validate_formats=True
            )
            for operation in contract.operations.values()
            for status, response in operation.responses.items()
            if status != "500"
        }

    def __call__(self, operation: str, response: httpx.Response, *statuses: int) -> Any:
        """The body of an answer that has one of the statuses, and the documented shape."""
        assert response.status_code in statuses, response.text
        assert response.headers["content-type"] == JSON
        body = json.loads(response.content.decode())
        faults = list(self._schemas[operation, str(response.status_code)].iter_errors(body))
        assert not faults
        return body


# ------------------------------------------------------- a mock in this process


@dataclass
class Mock(Api):
    """A mock in this process, behind a real server on a real socket."""

    url: str
    client: httpx.Client = field(repr=False)
    contract: Contract = field(repr=False)
    service: Service = field(repr=False)
    store: Store = field(repr=False)
    clock: Clock = field(repr=False)


@contextmanager
def serving(
    contract: Contract,
    *,
    chance: Chance | None = None,
    database: str = MEMORY,
    public_url: str | None = None,
    max_body_bytes: int = LIMIT,
) -> Iterator[Mock]:
    """Run a mock with the project's accounts and a clock that stands still; tasks take 5 seconds."""
    clock = Clock()
    store = Store(database)
    store.add_accounts(load_accounts(fixtures() / "accounts.yaml", contract, None))
    service = Service(contract, store, Planner(contract.lifecycle, chance or Chance(5, 0, 0)), SCENARIOS, clock)
    app = build_app(contract, service, store, public_url=public_url, max_body_bytes=max_body_bytes)
    log = RequestLog(app, logging.getLogger("requests").info)
    listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
    config = uvicorn.Config(log, http=Protocol, log_config=None, access_log=False, lifespan="off", ws="none")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    url = "http://{}:{}".format(*listener.getsockname())
    try:
        with httpx.Client(base_url=url, timeout=PATIENCE) as client:
            client.get("/")  # from now on the server has all that it needs to be told to end
            yield Mock(url, client, contract, service, store, clock)
    finally:
        server.should_exit = True
        thread.join()
        store.close()


# ------------------------------------------------------------------ the command

GREETING: Final = re.compile(r"(?ms)(?P<text>.*^Listening on (?P<url>http://\S+).*^  curl [^\n]*\n)\n")
COMMAND: Final = [sys.executable, "-c", "from mock_server.start import main; main()"]


def environment(**more: str) -> dict[str, str]:
    """The environment of this process, without settings of a mock, and with the project's packages."""
    # Without bytecode, which some environments forbid, each process would take seconds to start.
    dropped = ("MOCK_SERVER_", "PYTHONDONTWRITEBYTECODE")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(dropped)}
    return {**kept, "PYTHONPATH": os.pathsep.join(filter(None, sys.path)), **more}


@dataclass
class Process(Api):
    """The command `mock-server`, running.

    Attributes:
        greeting: what it printed before it listened.
    """

    folder: Path
    options: tuple[str, ...] = ()
    settings: Mapping[str, str] = field(default_factory=dict)
    greeting: str = ""
    url: str = ""

    def __enter__(self) -> Self:
        env = environment(**self.settings)
        options = ("--port", "0", *self.options)
        self._command = forked.start("mock_server.start", *options, folder=self.folder, cwd=self.folder, env=env)
        give_up = time.monotonic() + PATIENCE
        while (greeting := GREETING.match(self._printed())) is None:
            if self._command.status() is not None or time.monotonic() > give_up:
                self._command.send_signal(signal.SIGKILL)
                raise AssertionError(self._command.text())
            time.sleep(0.005)
        self.greeting, self.url = greeting["text"], greeting["url"]
        self.client = httpx.Client(base_url=self.url, timeout=PATIENCE)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.client.close()
        if self._command.status() is None:
            self.end(signal.SIGTERM)

    def log(self) -> str:
        """All that it has written to standard error."""
        return self._command.errors.read_text("utf-8")

    @property
    def pid(self) -> int:
        return self._command.pid

    def send_signal(self, number: signal.Signals) -> None:
        self._command.send_signal(number)

    def end(self, number: signal.Signals) -> tuple[int, str]:
        """Send a signal and wait for the end; see `wait`."""
        self.send_signal(number)
        return self.wait()

    def wait(self) -> tuple[int, str]:
        """Wait for the end: gives the exit status and what was printed after the greeting."""
        status = self._command.wait(PATIENCE)
        return status, self._printed()[len(self.greeting) + 1 :]

    def _printed(self) -> str:
        """All that it has printed, as far as it is there yet."""
        return self._command.printed.read_text("utf-8") if self._command.printed.exists() else ""


def run(*options: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """Run a `mock-server` that is expected to end by itself."""
    return subprocess.run(
        [*COMMAND, *options],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
        env=environment(**settings),
    )


# ---------------------------------------------------------------------- the log


class Log:
    """The lines that a mock writes, in order."""

    def __init__(self) -> None:
        self._records: queue.SimpleQueue[logging.LogRecord] = queue.SimpleQueue()
        self.handler = QueueHandler(self._records)
        self.text = ""

    def next(self) -> dict[str, Any]:
        line = self._records.get(timeout=PATIENCE).getMessage()
        self.text += line + "\n"
        assert "\n" not in line
        fields: dict[str, Any] = json.loads(line)
        return fields

    def is_empty(self) -> bool:
        return self._records.empty()
