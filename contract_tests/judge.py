"""Does an answer keep the contract? openapi-core has the first word, the clauses say which rule it is about.

openapi-core validates every documented answer as a whole. Its word is only yes or no where a schema has several
branches, so the shape that the answer means to have is then looked at by itself, to name the clauses that are broken.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from openapi_core import OpenAPI
from openapi_core.datatypes import RequestParameters
from openapi_core.exceptions import OpenAPIError

from contract.clause import Clause, Kind
from contract.document import Node
from contract.model import Contract, Operation, When
from contract_tests.schemas import Schemas
from contract_tests.verdicts import Finding, NotExercised, Record
from contract_tests.wire import JSON, Answer, Exchange, NoAnswer, Request

SERVER_ERROR = 500
_MOST_REMEMBERED = 4096


@dataclass
class _CoreRequest:
    """A request as openapi-core wants to see it."""

    host_url: str
    path: str
    method: str
    parameters: RequestParameters
    content_type: str
    body: bytes | None


@dataclass(frozen=True)
class _CoreResponse:
    """A response as openapi-core wants to see it."""

    status_code: int
    content_type: str
    headers: Mapping[str, str]
    data: bytes


class Judge:
    """Holds answers against one contract."""

    def __init__(self, contract: Contract, clauses: Mapping[str, Clause], curl: Callable[[Request], str]) -> None:
        """Prepare to judge.

        Args:
            curl: gives the command line that sends a request again, without credentials.
        """
        self._contract = contract
        self._clauses = clauses
        self.curl = curl
        self._core = OpenAPI.from_dict(contract.document.data)
        self._schemas = Schemas(clauses)
        servers = contract.document.root.get("servers", "0", "url")
        self._server = str(servers.value) if servers else "http://localhost"
        self._accepted: dict[tuple[str, int, bytes], bool] = {}
        self._bodies: dict[tuple[str, str, str | None], set[str]] = {}
        for clause in clauses.values():
            if clause.kind is Kind.BODY and clause.operation and clause.status:
                self._bodies.setdefault((clause.operation, clause.status, clause.shape), set()).add(clause.id)

    def finding(self, clause: str, expected: str, exchange: Exchange) -> Finding:
        """A breach that one exchange shows."""
        return Finding(clause, expected, exchange.came(), self.curl(exchange.request))

    def judge(self, exchange: Exchange, record: Record) -> None:
        """Hold an answer to a documented operation against all that the contract says of any such answer.

        Raises:
            NotExercised: if a gateway, and not the target, has answered.
        """
        if exchange.request.operation is None:
            return
        operation = self._contract.operations[exchange.request.operation]
        answer = exchange.answer
        findings: list[Finding] = []
        if isinstance(answer, NoAnswer):
            findings.append(self.finding(f"{operation.id}.statuses", "a complete answer", exchange))
        elif answer.status in (429, 503) and "retry-after" in answer.headers:
            raise NotExercised("a gateway turned requests away, and went on doing so")
        elif answer.status >= SERVER_ERROR or str(answer.status) not in operation.responses:
            findings.append(self._undocumented_status(operation, exchange))
        else:
            record.held.add(f"{operation.id}.statuses")
            findings += self._body(operation, answer, exchange, record)
        for error in operation.errors.values():
            if error.when is When.UNEXPECTED and not findings:
                record.held.add(f"{operation.id}.{error.status}")
        record.findings += findings

    def _undocumented_status(self, operation: Operation, exchange: Exchange) -> Finding:
        for error in operation.errors.values():
            if error.when is When.UNEXPECTED and error.status == exchange.status:
                return self.finding(f"{operation.id}.{error.status}", "no unexpected error", exchange)
        documented = ", ".join(operation.responses)
        return self.finding(f"{operation.id}.statuses", f"one of the statuses {documented}", exchange)

    def _body(self, operation: Operation, answer: Answer, exchange: Exchange, record: Record) -> Iterator[Finding]:
        status = str(answer.status)
        if answer.content_type != JSON:
            yield self.finding(f"{operation.id}.{status}.content-type", f"the content type {JSON}", exchange)
            return
        record.held.add(f"{operation.id}.{status}.content-type")
        body = answer.json()
        shape, schema = self._shape(operation, status, body)
        if schema is None:
            yield self.finding("lifecycle.transitions", "a snapshot in one of the declared states", exchange)
            return
        broken = set()
        prefix = ".".join(part for part in (operation.id, status, shape) if part)
        for clause, message in self._schemas.errors(prefix, schema, body, f"{operation.id}.statuses"):
            if clause not in broken:
                broken.add(clause)
                yield self.finding(clause, f"{self._clauses[clause].sentence} ({message})", exchange)
        if not broken and not self._core_accepts(operation, answer):
            broken.add(f"{operation.id}.statuses")
            yield self.finding(f"{operation.id}.statuses", f"a body that fits the schema of a {status}", exchange)
        if not broken:
            record.held |= self._bodies.get((operation.id, status, shape), set())

    def _shape(self, operation: Operation, status: str, body: Any) -> tuple[str | None, Node | None]:
        """The schema that a body means to keep: of several shapes, the one with its status, if there is one."""
        schema = operation.responses[status].need("content", JSON, "schema")
        if schema.get("x-lifecycle") is None:
            return None, schema
        lifecycle = self._contract.lifecycle
        if not isinstance(body, dict) or lifecycle.fields.status not in body:
            return lifecycle.shapes[0].name, lifecycle.shapes[0].node
        known = [s for s in lifecycle.shapes if str(body[lifecycle.fields.status]) in map(str, s.statuses)]
        of_type = [s for s in known if s.types is None or body.get(lifecycle.fields.type) in s.types]
        for shape in (*of_type, *known):
            return shape.name, shape.node
        return None, None

    def _core_accepts(self, operation: Operation, answer: Answer) -> bool:
        """What openapi-core says; it says the same of the same body, and errors are often the same to the letter."""
        known = (operation.id, answer.status, answer.body)
        if known not in self._accepted:
            if len(self._accepted) >= _MOST_REMEMBERED:
                self._accepted.clear()
            self._accepted[known] = self._ask_core(operation, answer)
        return self._accepted[known]

    def _ask_core(self, operation: Operation, answer: Answer) -> bool:
        parts = urlsplit(self._server)
        path = operation.path
        for name in (step[1:-1] for step in operation.path.split("/") if step.startswith("{")):
            path = path.replace("{" + name + "}", "x")
        request = _CoreRequest(
            host_url=f"{parts.scheme}://{parts.netloc}",
            path=parts.path.rstrip("/") + path,
            method=operation.method.lower(),
            parameters=RequestParameters(),
            content_type=JSON,
            body=None,
        )
        response = _CoreResponse(answer.status, JSON, answer.headers, answer.body)
        try:
            self._core.validate_response(request, response)
        except OpenAPIError:
            return False
        return True
