"""Does the contract allow a submission? Where it cannot be told, nothing is said."""

from __future__ import annotations

import codecs
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from contract.clause import Clause, Kind
from contract.model import Operation, RequestProfile, Submission, When
from contract.pricing import value_key
from contract.provenance import Provenance
from contract_tests.schemas import Schemas
from contract_tests.wire import JSON, Request

_NEVER_TOO_MUCH = ("required", "type", "minLength", "minItems")


@dataclass(frozen=True)
class Submitted:
    """What the contract says of a submission.

    Attributes:
        body: the request, if it is a JSON object.
        profile: the profile that it means to keep.
        broken: the clauses that it breaks, each with a message.
    """

    body: Mapping[str, Any]
    profile: RequestProfile | None
    broken: tuple[tuple[str, str], ...]

    @property
    def price(self) -> int | None:
        """What it costs, if it is valid."""
        return self.profile.price.of(self.body) if self.profile and not self.broken else None


class Submissions:
    """Reads submissions as the contract does."""

    def __init__(self, clauses: Mapping[str, Clause]) -> None:
        self._clauses = clauses
        self._schemas = Schemas(clauses)

    def read(self, operation: Operation, submission: Submission, request: Request) -> Submitted | None:
        """What the contract says of a submission, or None if it says nothing of one like this."""
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != JSON or "content-encoding" in request.headers or (request.body or b"").startswith(codecs.BOM_UTF8):
            return None
        invalid = f"{operation.id}.{operation.errors[When.INVALID].status}"
        try:
            body = json.loads((request.body or b"").decode(), object_pairs_hook=_once, parse_constant=_no_json)
            json.dumps(body, ensure_ascii=False).encode()
        except (UnicodeDecodeError, UnicodeEncodeError) as error:
            return Submitted({}, None, ((f"conventions.{_TEXT}", f"{error.reason}"),))
        except (json.JSONDecodeError, _NoJSONError) as error:
            return Submitted({}, None, ((invalid, f"no JSON: {error}"),))
        except (_TwiceError, RecursionError, ValueError):  # the last is for numbers that Python finds too long
            return None
        if not isinstance(body, dict):
            return Submitted({}, None, ((invalid, "the body is no JSON object"),))
        return self._held(operation, submission, body, invalid)

    def _held(self, operation: Operation, submission: Submission, body: Mapping[str, Any], invalid: str) -> Submitted:
        chosen = body.get(submission.selector)
        profile = submission.profiles.get(chosen) if isinstance(chosen, str) else None
        if profile is None:
            missing = [
                clause.id
                for clause in self._clauses.values()
                if clause.kind is Kind.REQUIRED and clause.operation == operation.id
                and clause.field == submission.selector
            ]  # fmt: skip
            clause = (
                missing[0] if submission.selector not in body and missing else f"{operation.id}.{submission.selector}"
            )
            return Submitted(body, None, ((clause, f"`{submission.selector}` names no known profile"),))
        prefix = f"{operation.id}.{profile.name}"
        broken = tuple(self._schemas.errors(prefix, profile.node, body, invalid))
        return Submitted(body, profile, broken)

    def price_clause(self, operation: Operation, submitted: Submitted) -> str:
        """The clause that says what a valid submission costs."""
        profile = submitted.profile
        if profile is None:
            raise ValueError("only a valid submission has a price")
        prefix = f"{operation.id}.{profile.name}"
        for field in profile.price.fields:
            if field.name not in submitted.body:
                return f"{prefix}.{field.name}.default"
        values = [submitted.body[field.name] for field in profile.price.fields]
        return f"{prefix}.price" + "".join(f".{value_key(value)}" for value in values)

    def refused(self, operation: Operation, submitted: Submitted, fields: list[str]) -> str:
        """The clause that is broken where a valid submission is refused for these fields.

        Of several that may be meant, it is one that is assumed: then nobody is blamed for more than is known.
        """
        invalid = f"{operation.id}.{operation.errors[When.INVALID].status}"
        profile = submitted.profile
        if profile is None or not fields:
            return invalid
        found = [clause for name in fields for clause in self._about(operation, profile, submitted.body, name)]
        found.sort(key=lambda clause: clause.provenance is not Provenance.ASSUMED)
        return found[0].id if found else invalid

    def _about(
        self, operation: Operation, profile: RequestProfile, body: Mapping[str, Any], name: str
    ) -> Iterator[Clause]:
        value = body.get(name)
        for clause in self._clauses.values():
            if clause.operation != operation.id or clause.profile != profile.name:
                continue
            if name not in profile.properties:
                if clause.kind is Kind.IGNORED:
                    yield clause
            elif (clause.field or "").split(".")[0] == name and self._may_refuse(clause, name, value):
                yield clause

    def _may_refuse(self, clause: Clause, name: str, value: Any) -> bool:
        match clause.kind:
            case Kind.KEYWORD:
                return clause.keyword not in _NEVER_TOO_MUCH and (clause.field == name or bool(value))
            case Kind.UNIT:
                return isinstance(value, str) and not value.isascii()
            case Kind.EMPTY:
                return isinstance(value, list) and not value
            case Kind.MODE:
                return clause.value == "present" and bool(value)
            case _:
                return clause.kind is Kind.PASSTHROUGH


_TEXT = "invalidText"


class _TwiceError(Exception):
    """A name is there twice: which of the two counts, nobody says."""


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _TwiceError
    return found


class _NoJSONError(Exception):
    """What Python reads, and JSON does not have."""


def _no_json(text: str) -> None:
    raise _NoJSONError(f"{text} is no JSON")
