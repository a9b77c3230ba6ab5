"""Is the document OpenAPI 3.0, and are its extensions well formed?

The shape of OpenAPI itself comes from the meta-schema that openapi-spec-validator ships; only its data file is read,
since importing that package costs more than the mock's whole start. The shape of the extensions is
`contract/extensions.yaml`.
"""

from __future__ import annotations

import difflib
import functools
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import jsonschema_rs

from contract.document import MAX_DEPTH, Document, Node, Role, escape, load_document
from contract.errors import ContractError, caught
from contract.schema import json_schema

MAX_MEANT: Final = 50_000
"""How many nodes a document may have once every `$ref` is put in place."""

MAX_LEVELS: Final = 3 * MAX_DEPTH
"""How deep a document may nest once every `$ref` is put in place: of three nodes, one is a schema."""


@dataclass(frozen=True)
class Extension:
    """One `x-` key: where it may stand, and the validator of its value."""

    at: re.Pattern[str]
    purpose: str
    schema: _Schema


@dataclass(frozen=True)
class _Schema:
    """A JSON Schema (draft 4), as it is written and compiled."""

    source: Any
    validator: jsonschema_rs.Draft4Validator

    @classmethod
    def compile(cls, source: Any) -> _Schema:
        return cls(source, jsonschema_rs.Draft4Validator(source))


@functools.cache
def extensions() -> Mapping[str, Extension]:
    """The extensions that a contract may use, by key."""
    data = load_document(Path(__file__).with_name("extensions.yaml")).data
    return {
        key: Extension(
            at=re.compile(spec["at"]),
            purpose=spec["purpose"],
            schema=_Schema.compile(spec["schema"]),
        )
        for key, spec in data.items()
    }


@functools.cache
def _openapi_schema() -> _Schema:
    spec = find_spec("openapi_spec_validator")
    if spec is None or spec.origin is None:  # pragma: no cover - a declared dependency
        msg = "the package openapi-spec-validator is not installed"
        raise ModuleNotFoundError(msg)
    path = Path(spec.origin).parent / "resources" / "schemas" / "v3.0" / "schema.json"
    return _Schema.compile(json.loads(path.read_text("utf-8")))


def check_structure(document: Document) -> None:
    """Check a document's shape.

    Raises:
        ContractError: for the first fault: not OpenAPI 3.0, a `$ref` that leads nowhere, an unknown or malformed `x-`
            key or one in a place where it means nothing.
    """
    for fault in structure_faults(document):
        raise fault


def structure_faults(document: Document) -> Iterator[ContractError]:
    """Every fault of a document's shape, the most telling first; a document that is not OpenAPI 3.0 has no others."""
    version = document.data.get("openapi") if isinstance(document.data, dict) else None
    if not isinstance(version, str) or not version.startswith("3.0."):
        yield document.error("/openapi", f"the OpenAPI version is {version!r}", "3.0.x")
        return
    nodes, sound = list(walk(document.root)), True
    for fault in _faults_of_form(document, nodes):
        yield fault
        sound = False
    if sound:  # or a schema might be anything
        for node in filter(_has_default, nodes):
            yield from caught(check_example, node, node.child("default"))


def _has_default(node: Node) -> bool:
    return isinstance(node.value, dict) and "default" in node.value and node.child("default").role is Role.DATA


def _faults_of_form(document: Document, nodes: Sequence[Node]) -> Iterator[ContractError]:
    yield from _faults_of_value(document.root, _openapi_schema())
    for node in nodes:
        try:
            yield from _faults_of_node(node)
        except ContractError as error:  # a reference that leads nowhere
            yield error
    yield from caught(_measure, document.root, {}, 0)


def _measure(node: Node, known: dict[str, tuple[int, int]], level: int) -> tuple[int, int]:
    """How many nodes a place has with every reference put in place, and how deep they nest.

    Whoever reads the contract puts them in place, and references that repeat references are soon above any memory.

    Raises:
        ContractError: for the first place, from below, that is too large or too deep.
    """
    node = node.resolved()
    if node.pointer not in known:
        known[node.pointer] = (0, 0)  # what contains itself is refused where it is used
        branches = list(node.branches())
        size = len(node.value) if isinstance(node.value, dict | list) else 0
        nodes, depth = 1 + size - len(branches), min(size, 1)  # what is no branch is a node, and ends here
        for branch in branches:
            if level > MAX_LEVELS:
                raise _too_deep(node)
            found = _measure(branch, known, level + 1)
            nodes, depth = nodes + found[0], max(depth, found[1] + 1)
        if depth > MAX_LEVELS:
            raise _too_deep(node)
        if nodes > MAX_MEANT:
            problem = f"more than {MAX_MEANT:,} nodes, once every $ref is put in place"
            raise node.error(problem, "references that do not multiply")
        known[node.pointer] = (nodes, depth)
    return known[node.pointer]


def _too_deep(node: Node) -> ContractError:
    return node.error(f"nested more than {MAX_LEVELS} deep, once every $ref is put in place", "a shorter chain")


def _faults_of_node(node: Node) -> Iterator[ContractError]:
    if node.refers:
        if not isinstance(node.resolved().value, dict):
            yield node.child("$ref").error("$ref leads to no object", "a reference to what belongs here")
        return
    for key in node.steps():
        if not key.startswith("x-"):
            continue
        place = node.child(key)
        known = extensions()
        if key not in known:
            near = difflib.get_close_matches(key, known, n=1)
            hint = f"{near[0]}?" if near else "one of " + ", ".join(known)
            yield place.error(f"unknown extension {key!r}", hint)
        elif not known[key].at.fullmatch(node.pointer):
            yield place.error(f"{key} means nothing here", f"it where it says {known[key].purpose}")
        else:
            yield from _faults_of_value(place, known[key].schema)


def check_example(schema: Node, example: Node) -> None:
    """Check one example or default.

    Raises:
        ContractError: if it does not fit its schema.
    """
    try:
        validator = jsonschema_rs.Draft4Validator(json_schema(schema), validate_formats=True)
    except jsonschema_rs.ValidationError as fault:
        raise schema.error(f"this is no schema: {shorten(fault.message)}", "a schema") from None
    for error in validator.iter_errors(example.value):
        told = most_telling(error)
        pointer = example.pointer + "".join(f"/{escape(str(step))}" for step in told.instance_path)
        problem = f"it does not fit its schema: {shorten(told.message)}"
        raise example.document.error(pointer, problem, f"what #{schema.pointer} says")


def walk(node: Node) -> Iterator[Node]:
    """Every node that holds keywords of OpenAPI, from the top down."""
    if node.role is Role.KEYWORDS:
        yield node
    for branch in node.branches():
        if branch.role is not Role.DATA:
            yield from walk(branch)


def _faults_of_value(node: Node, schema: _Schema) -> Iterator[ContractError]:
    errors = map(most_telling, schema.validator.iter_errors(node.value))
    for error in sorted(errors, key=_is_unknown_key, reverse=True):
        pointer = node.pointer + "".join(f"/{escape(str(step))}" for step in error.instance_path)
        if _is_unknown_key(error):
            unknown = error.kind.as_dict()["unexpected"][0]
            problem = f"unknown key {unknown!r}"
            yield node.document.error(f"{pointer}/{escape(unknown)}", problem, _allowed_keys(schema.source, error))
        else:
            yield node.document.error(pointer, shorten(error.message), _expected(error.kind.name, error.kind.value))


def most_telling(error: jsonschema_rs.ValidationError) -> jsonschema_rs.ValidationError:
    """Out of a broken `oneOf` or `anyOf`, the fault in the alternative that the author most likely meant.

    That is the one that no `enum` of a single value rules out, and where validation came furthest; "$ref is missing"
    never is, since every node could be a reference.
    """
    while error.kind.name in {"oneOf", "anyOf"} and hasattr(error.kind, "context"):
        branches = [branch for branch in error.kind.context if branch and not _wants_reference(branch)]
        if not branches:
            return error
        best = max(branches, key=lambda branch: (not _is_ruled_out(branch), _depth(branch), -len(branch)))
        error = max(best, key=lambda item: (len(item.instance_path), _is_unknown_key(item)))
    return error


def _wants_reference(branch: Sequence[jsonschema_rs.ValidationError]) -> bool:
    return any(item.kind.name == "required" and "$ref" in item.message for item in branch)


def _is_unknown_key(error: jsonschema_rs.ValidationError) -> bool:
    """Whether a key is unknown: told before anything else, since a key that is missing may be that key misspelt."""
    return error.kind.name == "additionalProperties"


def _is_ruled_out(branch: Sequence[jsonschema_rs.ValidationError]) -> bool:
    """Whether the alternative is meant for another value, such as another model; a truth value tells none apart."""
    enums = [item.kind.value for item in branch if item.kind.name == "enum"]
    return any(len(values) == 1 and not isinstance(values[0], bool) for values in enums)


def _depth(branch: Sequence[jsonschema_rs.ValidationError]) -> int:
    return max(len(item.instance_path) for item in branch)


def _allowed_keys(schema: Any, error: jsonschema_rs.ValidationError) -> str:
    for step in error.schema_path[:-1]:
        schema = schema[step]
    keys = ", ".join(sorted(key for key in schema.get("properties", {}) if key != "$ref"))
    return f"one of {keys}" if keys else "only the keys that OpenAPI names"


def _expected(keyword: str, value: Any) -> str:
    match keyword:
        case "type":
            return "the type " + " or ".join(value if isinstance(value, list) else [value])
        case "enum":
            return "one of " + ", ".join(json.dumps(item) for item in value)
        case "required":
            return f"the key {json.dumps(value)}"
        case _:
            return f"{keyword} {json.dumps(value)}" if isinstance(value, str | int | float) else ""


def shorten(message: str, limit: int = 160) -> str:
    """A validator's message, which may repeat all of a long value, on one line."""
    return message if len(message) <= limit else message[: limit // 2] + " ... " + message[-limit // 2 :]
