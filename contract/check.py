"""The whole check of a contract: all that `load_contract` demands, and what costs too much for a server's start."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from openapi_spec_validator import OpenAPIV30SpecValidator

from contract.clause import Clause
from contract.clauses import derive_clauses
from contract.document import Document, Node, Role, covers, load_document
from contract.errors import ContractError
from contract.model import Contract, Operation
from contract.provenance import KEY, Provenance, check_provenance
from contract.reader import parameter_nodes, read_contract
from contract.schema import json_schema
from contract.structure import check_example, walk


def check_contract(path: Path) -> tuple[Contract, tuple[Clause, ...]]:
    """Check a contract with everything there is.

    Raises:
        ContractError: for the first fault.
    """
    return check_document(load_document(path))


def check_document(document: Document) -> tuple[Contract, tuple[Clause, ...]]:
    """Check a contract from its parsed document; see `check_contract`."""
    contract = read_contract(document)
    for operation in contract.operations.values():
        check_path(operation)
    for node in marked(contract):
        check_provenance(node)
    for schema in schemas(contract):
        json_schema(schema)
    for schema, example in examples(document):
        check_example(schema, example)
    for fault in openapi_faults(document):
        raise fault
    clauses = derive_clauses(contract)
    for fault in question_faults(contract, clauses):
        raise fault
    return contract, clauses


def marked(contract: Contract) -> Iterator[Node]:
    """Everything that says where its rules come from."""
    return (node for node in _nodes(contract) if KEY in node.steps())


def schemas(contract: Contract) -> Iterator[Node]:
    """The schema of every body, header and parameter."""
    return (node.need("schema") for node in _nodes(contract) if "schema" in node.steps())


def _nodes(contract: Contract) -> Iterator[Node]:
    yield from walk(contract.document.root)
    yield from (contract.lifecycle.node, contract.conventions.node)


def check_path(operation: Operation) -> None:
    """Every parameter of the path is declared."""
    parameters = parameter_nodes(operation.node)
    declared = [node.need("name").value for node in parameters if node.need("in").value == "path"]
    for name in re.findall(r"{([^}]*)}", operation.path):
        if name not in declared:
            raise operation.node.error(f"the path parameter {name!r} is not declared", "a parameter with in: path")


def openapi_faults(document: Document) -> Iterator[ContractError]:
    """What is left of OpenAPI, such as parameters given twice."""
    places: dict[int, str] = {}
    for error in OpenAPIV30SpecValidator(_for_openapi(document.root, places)).iter_errors():
        # Its path is of little use: it begins at whatever part the validator was looking at.
        found = next((places[id(part)] for part in (error.instance, error.schema) if id(part) in places), "")
        yield document.error(found, error.message, "valid OpenAPI 3.0")


def _for_openapi(node: Node, places: dict[int, str]) -> Any:
    """The value without a key `$ref` in data, which the validator would follow.

    Args:
        places: takes in where each mapping and each list of the value stands, by its `id`.
    """
    made = node.value
    if isinstance(made, dict):
        names = {"$ref": "$ ref"} if node.role is Role.DATA else {}
        made = {names.get(key, key): _for_openapi(node.child(key), places) for key in node.steps()}
    elif isinstance(made, list):
        made = [_for_openapi(node.child(key), places) for key in node.steps()]
    else:
        return made
    places[id(made)] = node.pointer
    return made


def examples(document: Document) -> Iterator[tuple[Node, Node]]:
    """Every example of a body, a parameter or a schema, with the schema that it has to fit."""
    for node in walk(document.root):
        value = node.value
        if not isinstance(value, dict):
            continue
        schema = node.get("schema")
        if schema is None:
            if "example" in value and ("type" in value or "oneOf" in value):
                yield node, node.child("example")
            continue
        if "example" in value:
            yield schema, node.child("example")
        for item in node.children("examples"):
            yield schema, item.need("value")


def question_faults(contract: Contract, clauses: tuple[Clause, ...]) -> Iterator[ContractError]:
    """Every assumed rule is an open question, and every question about an assumption is about an assumed rule."""
    assumed = {c.pointer for c in clauses if c.provenance is Provenance.ASSUMED}
    asked = {place: question for question in contract.questions for place in question.places}
    for clause in clauses:
        if clause.pointer in assumed and not any(covers(rule, clause.pointer) for rule in asked):
            yield contract.document.error(
                clause.pointer,
                "this rule is assumed, but no open question asks about it",
                "it, or a node above, among the rules of an item of x-open-questions",
            )
    for rule, question in asked.items():
        covered = any(covers(rule, pointer) for pointer in assumed)
        if question.kind == "assumed" and not covered and rule not in _unchecked(contract):
            yield question.node.need("rules").error(
                f"no assumed rule stands at #{rule}", "the place of a rule marked as assumed"
            )


def _unchecked(contract: Contract) -> set[str]:
    """Assumptions that are choices of a name, which no clause can check by itself."""
    return {f"{scheme.node.pointer}/name" for scheme in contract.security_schemes.values()}
