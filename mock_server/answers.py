"""Every error the mock can answer, as the contract documents it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from contract.model import Contract, Fallback, When
from mock_server.invalid import InvalidRequest


@dataclass(frozen=True)
class Answer:
    """A status, a JSON body, and headers beside the content type."""

    status: int
    body: Mapping[str, Any]
    headers: Mapping[str, str] = field(default_factory=dict)


class Errors:
    """Makes the documented errors of each operation.

    A body is the contract's own example of it, with the price and the messages of the request at hand filled in.
    """

    def __init__(self, contract: Contract) -> None:
        self._operations = contract.operations
        self._conventions = contract.conventions

    def unauthenticated(self, operation: str) -> Answer:
        """No credentials, or none that anybody has."""
        return self._answer(operation, When.UNAUTHENTICATED)

    def plain(self, operation: str, when: When) -> Answer:
        """A documented error as its example has it."""
        return self._answer(operation, when)

    def invalid(self, operation: str, error: InvalidRequest) -> Answer:
        """A request that breaks a rule; for an operation that documents no such answer, there is no such thing."""
        errors = self._operations[operation].errors
        if When.INVALID not in errors:
            return self.unknown_task(operation)
        field = errors[When.INVALID].details
        details = {
            "formErrors": list(error.form),
            "fieldErrors": {name: list(messages) for name, messages in error.fields.items()},
        }
        return self._answer(operation, When.INVALID, {field: details} if field else {})

    def insufficient(self, operation: str, price: int) -> Answer:
        """A balance under the price."""
        field = self._operations[operation].errors[When.INSUFFICIENT].price
        return self._answer(operation, When.INSUFFICIENT, {field: price} if field else {})

    def unknown_task(self, operation: str) -> Answer:
        """A task that does not exist, or not for this caller."""
        return self._answer(operation, When.UNKNOWN_TASK)

    def unexpected(self, operation: str | None) -> Answer:
        """A fault of the mock itself."""
        if operation is None:
            operation = next(iter(self._operations))
        return self._answer(operation, When.UNEXPECTED)

    def unknown_path(self) -> Answer:
        """Nothing is documented at this path."""
        return _fallback(self._conventions.unknown_path)

    def unknown_method(self, headers: Mapping[str, str]) -> Answer:
        """Nothing is documented for this method; the headers say for which there is."""
        return _fallback(self._conventions.unknown_method, headers)

    def _answer(self, operation: str, when: When, filled: Mapping[str, Any] | None = None) -> Answer:
        error = self._operations[operation].errors[when]
        return Answer(error.status, {**error.example, **(filled or {})})


def _fallback(fallback: Fallback, headers: Mapping[str, str] | None = None) -> Answer:
    return Answer(fallback.status, fallback.body, headers or {})
