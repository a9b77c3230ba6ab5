"""Examples of requests in three languages, written from the contract.

Each is a whole program. It takes the address of the API, a key and, to read a task, its ID from the environment.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from contract.model import Carries, Contract, Operation, Reading, RequestProfile, Submission
from contract_tests.samples import typical

URL, KEY, TASK = "API_URL", "API_KEY", "TASK_ID"


class Language(StrEnum):
    """What examples are written in."""

    CURL = "curl"
    PYTHON = "Python"
    TYPESCRIPT = "TypeScript"


@dataclass(frozen=True)
class Example:
    """The same in every language.

    Attributes:
        name: unique.
        title: for the reader.
        operation: the ID of the operation that it is about.
        reads: whether it needs a task's ID.
        scheme: the security scheme whose secret it presents; None if it presents none.
    """

    name: str
    title: str
    operation: str
    reads: bool
    programs: Mapping[Language, str]
    scheme: str | None


def examples(contract: Contract) -> Iterator[Example]:
    """Every example: each operation, each profile of a submission, each way from a submission to its result."""
    for operation in contract.operations.values():
        match operation.task:
            case Submission() as submission:
                for index, profile in enumerate(submission.profiles.values()):
                    body = request_of(operation, submission, profile)
                    yield _call(contract, operation, f"{operation.id}-{index}", profile.name, body)
                yield _whole(contract, operation, submission)
            case Reading():
                yield _call(contract, operation, operation.id, "", None)
            case None:
                if operation.method.upper() == "GET" and "{" not in operation.path:
                    yield _call(contract, operation, operation.id, "", None)


def request_of(operation: Operation, submission: Submission, profile: RequestProfile) -> dict[str, Any]:
    """The first documented example of a profile; where there is none, a plain request with the required fields."""
    media = "application/json"
    for example in operation.node.children("requestBody", "content", media, "examples"):
        body = example.need("value").value
        if body.get(submission.selector) == profile.name:
            return dict(body)
    return {field: typical(profile.properties[field]) for field in profile.required}


def _call(contract: Contract, operation: Operation, name: str, title: str, body: Any) -> Example:
    reading = operation.task if isinstance(operation.task, Reading) else None
    method = operation.method.upper()
    path = operation.path
    scheme, auth = presented(contract, operation)
    programs = {
        Language.CURL: _curl(method, _path(path, reading, f"${TASK}"), body, auth),
        Language.PYTHON: _python(method, path, body, reading, auth),
        Language.TYPESCRIPT: _typescript(method, path, body, reading, auth),
    }
    return Example(name, title, operation.id, reading is not None, programs, scheme)


def presented(contract: Contract, operation: Operation) -> tuple[str | None, tuple[str, str] | None]:
    """The first scheme of an operation by which a header presents a secret, with that header; none, if it is open.

    Raises:
        ContractError: if there are only others, which no example can show.
    """
    for name in operation.security:
        header = contract.security_schemes[name].header
        if header is not None:
            return name, header
    if operation.security:
        raise operation.node.error("no header presents what it asks for", "a security scheme by a header, or none")
    return None, None


def _path(path: str, reading: Reading | None, id: str) -> str:
    return path.replace(f"{{{reading.parameter}}}", id) if reading else path


def _json(body: Any) -> str:
    return json.dumps(body, indent=2, ensure_ascii=False)


def _curl(method: str, path: str, body: Any, auth: tuple[str, str] | None) -> str:
    parts = [f'curl --silent --show-error --fail-with-body --request {method} "${URL}{path}"']
    parts += [f'--header "{auth[0]}: {auth[1]}${KEY}"'] if auth else []
    if body is not None:
        quoted = _json(body).replace("'", "'\\''")
        parts += ['--header "Content-Type: application/json"', f"--data '{quoted}'"]
    return " \\\n  ".join(parts)


def _python(method: str, path: str, body: Any, reading: Reading | None, auth: tuple[str, str] | None) -> str:
    lines = ["import os", "", "import httpx", ""]
    options = []
    if auth:
        lines.append(f'headers = {{"{auth[0]}": f"{auth[1]}{{os.environ[{KEY!r}]}}"}}')
        options.append("headers=headers")
    if body is not None:
        lines.append(f"body = {_literal(body)}")
        options.append("json=body")
    place = _path(path, reading, f"{{os.environ[{TASK!r}]}}")
    lines.append(f'url = f"{{os.environ[{URL!r}]}}{place}"')
    lines.append(f"response = httpx.request({', '.join([repr(method), 'url', *options])})")
    return "\n".join([*lines, "response.raise_for_status()", "print(response.text)"])


def _literal(body: Any, depth: int = 1) -> str:
    """A JSON value as Python writes it."""
    pad = "    " * depth
    if isinstance(body, dict) and body:
        inner = "".join(f"{pad}{key!r}: {_literal(item, depth + 1)},\n" for key, item in body.items())
        return f"{{\n{inner}{pad[4:]}}}"
    return repr(body)


def _typescript(method: str, path: str, body: Any, reading: Reading | None, auth: tuple[str, str] | None) -> str:
    place = _path(path, reading, f"${{process.env.{TASK}}}")
    lines = [f"const response = await fetch(`${{process.env.{URL}}}{place}`, {{", f'  method: "{method}",']
    headers = [f'"{auth[0]}": `{auth[1]}${{process.env.{KEY}}}`'] if auth else []
    headers += ['"Content-Type": "application/json"'] if body is not None else []
    if headers:
        lines.append(f"  headers: {{ {', '.join(headers)} }},")
    if body is not None:
        lines.append(f"  body: JSON.stringify({_json(body).replace(chr(10), chr(10) + '  ')}),")
    lines += ["});", "if (!response.ok) throw new Error(`${response.status}: ${await response.text()}`);"]
    return "\n".join([*lines, "console.log(await response.text());"])


def _whole(contract: Contract, operation: Operation, submission: Submission) -> Example:
    """Submit, poll, show the result."""
    reader = contract.operations[submission.reads]
    reading = reader.task
    if not isinstance(reading, Reading):
        raise operation.node.error(f"{submission.reads} reads no task")
    scheme, auth = presented(contract, operation)
    header, before = auth or ("X-Example", "")  # nobody looks at it where nobody asks for one
    life = reading.lifecycle
    body = request_of(operation, submission, next(iter(submission.profiles.values())))
    pending = [state.status for state in life.states.values() if not state.terminal]
    facts = {
        "id": life.fields.id,
        "status": life.fields.status,
        "pending": json.dumps(pending),
        "done": json.dumps(life.ending(Carries.RESULT).status),
        "result": submission.result.field,
        "message": life.fields.error_message,
        "poll": f"{life.timing.poll:g}",
        "wait": f"{life.timing.poll * 1000:g}",
        "deadline": f"{life.timing.deadline:g}",
        "method": operation.method.upper(),
        "submit": operation.path,
        "url": URL,
        "key": KEY,
        "header": header,
        "before": before,
    }
    programs = {
        Language.CURL: _fill(_CURL, facts, read=_path(reader.path, reading, "$id"), body=_json(body)),
        Language.PYTHON: _fill(_PYTHON, facts, read=_path(reader.path, reading, "{id}"), body=_literal(body)),
        Language.TYPESCRIPT: _fill(_TYPESCRIPT, facts, read=_path(reader.path, reading, "${id}"), body=_json(body)),
    }
    title = "From the submission to the result"
    return Example(f"{operation.id}-whole", title, operation.id, reads=False, programs=programs, scheme=scheme)


def _fill(text: str, facts: Mapping[str, str], **more: str) -> str:
    if text is _CURL:
        more["body"] = more["body"].replace("'", "'\\''")
    for name, fact in {**facts, **more}.items():
        text = text.replace(f"<{name}>", fact)
    return text.strip()


_CURL = """
set -eu
auth="<header>: <before>$<key>"
id=$(curl --silent --show-error --fail-with-body --request <method> "$<url><submit>" \\
  --header "$auth" --header "Content-Type: application/json" \\
  --data '<body>' | jq --raw-output '."<id>"')

give_up=$(($(date +%s) + <deadline>))
while
  task=$(curl --silent --show-error --fail-with-body "$<url><read>" --header "$auth")
  echo "$task" | jq --exit-status '."<status>" | IN(<pending>[])' > /dev/null
do
  [ "$(date +%s)" -lt "$give_up" ] || { echo "not ended after <deadline> seconds" >&2; exit 1; }
  sleep <poll>
done
echo "$task" | jq --exit-status '
  if ."<status>" == <done> then ."<result>" else ."<message>" | halt_error end'
"""

_PYTHON = """
import os
import time

import httpx

body = <body>
headers = {"<header>": f"<before>{os.environ['<key>']}"}
with httpx.Client(base_url=os.environ["<url>"], headers=headers) as api:
    accepted = api.request("<method>", "<submit>", json=body).raise_for_status().json()
    id = accepted["<id>"]
    give_up = time.monotonic() + <deadline>
    while (task := api.get(f"<read>").raise_for_status().json())["<status>"] in <pending>:
        if time.monotonic() > give_up:
            raise TimeoutError("not ended after <deadline> seconds")
        time.sleep(<poll>)
if task["<status>"] != <done>:
    raise RuntimeError(task["<message>"])
print(task["<result>"])
"""

_TYPESCRIPT = """
const headers = {
  "<header>": `<before>${process.env.<key>}`,
  "Content-Type": "application/json",
};

async function ask(path: string, init: RequestInit = {}) {
  const response = await fetch(`${process.env.<url>}${path}`, { ...init, headers });
  if (!response.ok) throw new Error(`${response.status}: ${await response.text()}`);
  return response.json();
}

const body = <body>;
const { <id>: id } = await ask("<submit>", { method: "<method>", body: JSON.stringify(body) });

const giveUp = Date.now() + <deadline> * 1000;
let task = await ask(`<read>`);
while (<pending>.includes(task.<status>)) {
  if (Date.now() > giveUp) throw new Error("not ended after <deadline> seconds");
  await new Promise((done) => setTimeout(done, <wait>));
  task = await ask(`<read>`);
}
if (task.<status> !== <done>) throw new Error(task.<message>);
console.log(task.<result>);
"""
