"""Which clauses does a JSON value break? Every error of its schema leads to the clause that is about it."""

from __future__ import annotations

from collections.abc import Container, Iterator
from typing import Any

import jsonschema_rs

from contract.document import Node
from contract.schema import json_schema
from contract_tests.wire import LONGEST_KEPT


class Schemas:
    """The compiled schemas of one contract."""

    def __init__(self, clauses: Container[str]) -> None:
        self._clauses = clauses
        self._validators: dict[str, jsonschema_rs.Draft4Validator] = {}

    def errors(self, prefix: str, schema: Node, value: Any, otherwise: str) -> Iterator[tuple[str, str]]:
        """The clauses that a value breaks, each with a message.

        Args:
            prefix: what the IDs of the schema's clauses begin with.
            otherwise: the clause that is broken where the schema has none for it.
        """
        if schema.pointer not in self._validators:
            compiled = jsonschema_rs.Draft4Validator(json_schema(schema), validate_formats=True)
            self._validators[schema.pointer] = compiled
        validator = self._validators[schema.pointer]
        try:
            errors = list(validator.iter_errors(value))
        except ValueError as unreadable:  # a name that is not valid Unicode, for one
            yield self._nearest(prefix, [], "type", otherwise), f"it cannot be read: {unreadable}"[:LONGEST_KEPT]
            return
        for error in errors:
            path = [str(step) if isinstance(step, str) else "*" for step in error.instance_path]
            if error.kind.name == "required":
                path.append(error.kind.as_dict()["property"])
            yield self._nearest(prefix, path, error.kind.name, otherwise), error.message[:LONGEST_KEPT]

    def _nearest(self, prefix: str, path: list[str], keyword: str, otherwise: str) -> str:
        """The clause of a keyword at a path; where a map has free keys, they are all one."""
        candidates = [path, *([*path[:index], "*", *path[index + 1 :]] for index in range(len(path)))]
        for candidate in candidates:
            clause = ".".join([prefix, *candidate, keyword])
            if clause in self._clauses:
                return clause
        while path:
            path = path[:-1]
            clause = ".".join([prefix, *path, "type"])
            if clause in self._clauses:
                return clause
        return otherwise
