"""Traffic such as clients make, with a target that answers it, and the proxy between them."""

from __future__ import annotations

import json
import re
import time
from typing import Any
from urllib.parse import urlsplit

from contract.model import Contract, Submission
from contract_tests.cases import Cases
from contract_tests.target import Target as Connection
from contract_tests.traffic.messages import Message
from contract_tests.traffic.sightings import Sightings
from contract_tests.traffic.watch import Watch
from contract_tests.verdicts import Finding
from contract_tests.wire import NoAnswer, Request
from tests.contract_tests.harness import KEY, SUBMIT, TASKS, new_account
from tests.contract_tests.traffic.wires import standing
from tests.targets.server import POOR, Target

TASK_SECONDS = 0.1
DEADLINE = 0.4
JSON_TYPE = {"Content-Type": "application/json"}
BODY = {"model": "gpt-image-2", "prompt": "a paper boat"}
FAILURE = {**BODY, "providerInput": {"simulate": "failure"}}

STRANGERS: tuple[dict[str, str], ...] = (
    {},
    {"Authorization": "Bearer"},
    {"Authorization": f"Basic {KEY}"},
    {"Authorization": "Basic c2tfdGVzdF9yaWNoOng="},
    {"Authorization": KEY},
    {"Authorization": "Bearer sk_nobody_knows"},
)
BODIES = (
    *(b"", b"[]", b'"text"', b"7", b"{", b'{"model": "gpt-image-2"', b"[" * 100_000 + b"]" * 100_000),
    json.dumps(BODY).encode() + b" garbage",
    json.dumps(json.dumps(BODY)).encode(),
    json.dumps({"input": BODY}).encode(),
    json.dumps({**BODY, "prompt": "nul \0 and \U0001f600"}).encode(),
    b'{"model": "gpt-image-2", "prompt": "\\ud800"}',
    b'{"model": "gpt-image-2", "prompt": "\xff"}',
    b'{"model": "gpt-image-2", "prompt": "x", "seed": 1e400}',
    b'{"model": "gpt-image-2", "prompt": "x", "seed": 99999999999999999999999999}',
)


def broken_in_passing(fault: str | None, contract: Contract, submission: Submission, cases: Cases) -> set[str]:
    """The clauses that a target with a fault is seen to break."""
    lines: list[str] = []
    with Target(fault, TASK_SECONDS) as target:
        watch = Watch(contract, "openapi.yaml", target.url, lines.append, strict=True, deadline=DEADLINE)
        sightings = Sightings(contract, watch.redactor)

        def look(request: Message, answer: Message | NoAnswer, answered: float) -> Finding | None:
            return watch.take(sightings.of(request, answer, answered))

        with standing(urlsplit(target.url).port or 0, look) as proxy:
            url = f"http://127.0.0.1:{proxy.port}"
            connection = Connection(url, timeout=10.0, rate=None, watch=lambda _: None)
            try:
                _talk(connection, target.url, cases, submission)
            finally:
                connection.close()
    assert watch.requests > 300, "the script said too little to be of use"
    assert all(line.startswith("BROKEN ") for line in lines)
    return {finding.clause for finding in watch.outline().findings}


def _talk(connection: Connection, url: str, cases: Cases, submission: Submission) -> None:
    bearer = {"Authorization": f"Bearer {KEY}"}

    def post(body: Any, headers: dict[str, str] = bearer, kind: dict[str, str] = JSON_TYPE) -> Any:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        answer = connection.send(Request("POST", SUBMIT, {**headers, **kind}, raw)).json()
        return answer.get("taskId") if isinstance(answer, dict) else None

    def read(task: Any, headers: dict[str, str] = bearer) -> None:
        connection.send(Request("GET", f"{TASKS}{task}", headers))

    for case in (*cases.valid, *cases.invalid):
        post(case.encoded())
    for profile in submission.profiles.values():
        for case in cases.prices(profile):
            post(case.encoded())
    for body in BODIES:
        post(body)
    tasks = [post(body) for body in (BODY, BODY, FAILURE)]
    tasks += [post({**BODY, "model": "google/nano-banana", "prompt": "  e\u0301 outer  "})]
    for task in tasks:
        read(task)
    time.sleep(TASK_SECONDS + 0.05)
    for _ in range(3):
        for task in tasks:
            read(task)
            time.sleep(0.002)
    post({**BODY, "prompt": "after the others have ended"})
    post(BODY, {"Authorization": f"Bearer {POOR}"})
    poor = {"Authorization": f"Bearer {new_account(url, 1)}"}
    post({**BODY, "model": "nano-banana-pro"}, poor)
    post({**BODY, "outputFormat": 7}, poor)
    post({"prompt": ""}, poor)
    for stranger in STRANGERS:
        for asked in (BODY, {"prompt": ""}, b"{"):
            post(asked, stranger)
        read(tasks[0], stranger)
        read("tsk_nobody", stranger)
    post(BODY, {"Cookie": f"session={KEY}"})
    post(b"prompt=x", bearer, {"Content-Type": "text/plain"})
    read("tsk_nobody")
    read("tsk_nobody", {**bearer, "Accept": "text/html"})
    read("x" * 300)
    read("a%01b")
    connection.send(Request("GET", "/nowhere", bearer))
    connection.send(Request("PUT", SUBMIT, bearer))
    connection.send(Request("DELETE", f"{TASKS}{tasks[0]}", bearer))
    time.sleep(DEADLINE)
    for task in tasks:
        read(task)


def named(clauses: set[str], pattern: str) -> bool:
    """Whether a clause is found that a pattern of the expectations names."""
    return any(re.search(pattern, clause) for clause in clauses)
