"""Generated requests: Schemathesis makes them up from the contract, Hypothesis shrinks those that show something.

Shrinking sends requests again, and those that are accepted cost credits. A verdict is therefore kept for each request:
the same bytes are never sent twice, and once the money is spent the smallest request so far stands.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from typing import Any, TypeVar

import jsonschema_rs
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from schemathesis.generation import GenerationMode

from contract.clause import Kind
from contract.document import Document
from contract.model import Operation, RequestProfile, Submission, When
from contract.schema import json_schema
from contract_tests.bench import Bench
from contract_tests.case import encode
from contract_tests.settings import Settings
from contract_tests.verdicts import NotExercised

T = TypeVar("T")


@functools.cache
def _schema(document: Document) -> Any:
    return schemathesis.openapi.from_dict(document.data)


class Fuzzer:
    """Makes and weighs request bodies for one submitting operation."""

    def __init__(self, bench: Bench, operation: Operation) -> None:
        if not isinstance(operation.task, Submission):
            raise NotExercised(f"{operation.id} submits no task")
        self._bench = bench
        self._operation = operation
        self._submission = operation.task
        schemas = {p.name: json_schema(p.node) for p in self._submission.profiles.values()}
        self._strict = {n: jsonschema_rs.Draft4Validator(s, validate_formats=True) for n, s in schemas.items()}
        self._loose = {n: jsonschema_rs.Draft4Validator(s, validate_formats=False) for n, s in schemas.items()}

    def bodies(self, mode: GenerationMode) -> st.SearchStrategy[bytes]:
        """Bodies made by Schemathesis, valid or invalid ones."""
        operation = _schema(self._bench.contract.document)[self._operation.path][self._operation.method]
        strategy: st.SearchStrategy[bytes] = operation.as_strategy(generation_mode=mode).map(_body)
        return strategy

    def parsed(self, body: bytes) -> Any:
        """The body as JSON; None if it is none."""
        try:
            return json.loads(body, parse_constant=_no_constant)
        except (ValueError, RecursionError):
            return None

    def profile(self, body: bytes) -> RequestProfile | None:
        """The profile that a body names."""
        parsed = self.parsed(body)
        name = parsed.get(self._submission.selector) if isinstance(parsed, dict) else None
        return self._submission.profiles.get(name) if isinstance(name, str) else None

    def verdict(self, body: bytes) -> bool | None:
        """Whether the contract allows a body; None where it does not say so clearly enough.

        That is the case for what only lenient parsers read, for text of nothing but white space, for NUL, and for
        strings that only a format rules out.
        """
        try:
            text = body.decode()
            json.loads(text)
        except UnicodeDecodeError:
            return False
        except (ValueError, RecursionError):
            return False
        parsed = self.parsed(body)
        if parsed is None and text.strip() != "null":
            return None
        profile = self.profile(body)
        if profile is None:
            return False
        if self._strict[profile.name].is_valid(parsed):
            unclear = "\\u0000" in text or "\x00" in text
            echoes = self._bench.contract.lifecycle.echoes
            unclear |= any(isinstance(parsed[name], str) and not parsed[name].strip() for name in echoes)
            return None if unclear else True
        return None if self._loose[profile.name].is_valid(parsed) else False

    def price_of(self, body: bytes) -> int:
        """The price of a valid body."""
        profile = self.profile(body)
        return profile.price.of(self.parsed(body)) if profile else 0

    def acceptance_clause(self, body: bytes) -> str:
        """The clause that is broken when a valid body is refused."""
        profile = self.profile(body)
        name = profile.name if profile else None
        parsed = self.parsed(body)
        modes = self._submission.modes
        if modes and name:
            return f"{self._operation.id}.{name}.{modes.of(parsed)}"
        return self._bench.id(Kind.PRICE, self._operation.id, profile=name)

    def refusal_clause(self, body: bytes) -> str:
        """The clause that is broken when an invalid body is not refused: that of the first rule it breaks."""
        error = next(e for e in self._operation.errors.values() if e.when is When.INVALID)
        profile = self.profile(body)
        if profile is None:
            kind = Kind.SELECTOR if isinstance(self.parsed(body), dict) else Kind.ERROR
            return self._bench.id(
                kind, self._operation.id, **({} if kind is Kind.SELECTOR else {"value": error.when.value})
            )
        fault = next(iter(self._loose[profile.name].iter_errors(self.parsed(body))))
        path = [str(step) if isinstance(step, str) else "*" for step in fault.instance_path]
        if fault.kind.name == "required":
            path.append(fault.kind.as_dict()["property"])
        clause = ".".join([self._operation.id, profile.name, *path, fault.kind.name])
        return clause if clause in self._bench.clauses else f"{self._operation.id}.{error.status}"

    def price_clause(self, body: bytes) -> str:
        """The clause of the price of a valid body."""
        return self._bench.cases(self._operation).price_clause(self.parsed(body))


def explore(bodies: st.SearchStrategy[bytes], check: Callable[[bytes], T | None], settings: Settings) -> T | None:
    """Look for a body that shows a breach, and make it as small as can be.

    Args:
        check: gives the breach that a body has shown, or None.

    Returns:
        the breach that the smallest such body has shown, or None.
    """
    verdicts: dict[bytes, T | None] = {}

    @seed(settings.seed)
    @hypothesis_settings(
        max_examples=settings.fuzz,
        database=None,
        deadline=None,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
        report_multiple_bugs=False,
        print_blob=False,
    )
    @given(body=bodies)
    def attempt(body: bytes) -> None:
        if body not in verdicts:
            verdicts[body] = check(body)
        if verdicts[body] is not None:
            raise _BreachError

    try:
        attempt()
    except _BreachError:
        broken = [body for body, breach in verdicts.items() if breach is not None]
        return verdicts[min(broken, key=lambda body: (len(body), body))]
    return None


class _BreachError(Exception):
    """A body has shown a breach; Hypothesis makes it smaller."""


def _body(case: Any) -> bytes:
    """The bytes that Schemathesis would send."""
    sent = case.as_transport_kwargs(base_url="http://localhost")
    if "json" in sent:
        return encode(sent["json"])
    data = sent.get("data") or b""
    return data if isinstance(data, bytes) else str(data).encode()


def _no_constant(name: str) -> Any:
    raise ValueError(name)
