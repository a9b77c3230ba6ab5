"""All that is wrong with a contract at once: its form, what its parts say of each other, and this API's style.

`contract check` stops at the first fault, since what comes after it may only follow from it. A linter tells everything
that can be told apart, each with the rule that it breaks and what to do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final

from contract.check import check_path, examples, marked, openapi_faults, question_faults, schemas
from contract.clauses import derive_clauses
from contract.document import Document, load_document
from contract.errors import ContractError, caught
from contract.lint_style import STYLE
from contract.model import Contract
from contract.pricing import read_price
from contract.provenance import KEY, Provenance, check_provenance, provenance
from contract.reader import JSON, operation_nodes, read_contract
from contract.schema import json_schema
from contract.structure import check_example, structure_faults


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong.

    Attributes:
        rule: the name of the rule that it breaks.
        line: where, counted from 1.
        pointer: where, as a JSON pointer; empty for the document as a whole.
        problem: what is wrong.
        remedy: what would be right; may be empty where `problem` says it already.
    """

    rule: str
    file: str
    line: int
    pointer: str
    problem: str
    remedy: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}: {self.rule}: "
        return place + self.problem + (f"; expected {self.remedy}" if self.remedy else "")

    def annotation(self) -> str:
        """The finding as a command of GitHub's workflows, which shows it beside the line."""
        place = f"file={_escaped(self.file, ':,')},line={self.line},title={_escaped(self.rule, ':,')}"
        return f"::error {place}::" + _escaped(self.problem + (f"; expected {self.remedy}" if self.remedy else ""))

    def to_json(self) -> dict[str, Any]:
        """The finding as plain JSON."""
        return asdict(self)


def _escaped(text: str, more: str = "") -> str:
    """A text for a command of GitHub's workflows."""
    for character in f"%\r\n{more}":
        text = text.replace(character, f"%{ord(character):02X}")
    return text


Faults = Iterator[ContractError]


def lint(path: Path) -> tuple[Finding, ...]:
    """Everything that is wrong with a contract, in the order of its lines."""
    try:
        document = load_document(path)
    except ContractError as error:
        return (_finding("document", error),)
    found = [_finding("form", fault) for fault in structure_faults(document)]
    if found:  # what the parts mean can be told once they are what they should be
        return _in_order(found)
    found += [_finding(rule, fault) for rule, look in {**_PARTS, **STYLE}.items() for fault in look(document)]
    try:
        contract = read_contract(document)
    except ContractError as error:
        return _in_order([*found, _finding("meaning", error)])
    found += [_finding(rule, fault) for rule, look in _WHOLE.items() for fault in look(contract)]
    unsourced = [_finding("source", fault) for fault in _sources(contract)]
    if not unsourced:  # or it is not known which rules are assumed
        found += [_finding("question", fault) for fault in question_faults(contract, derive_clauses(contract))]
    return _in_order([*found, *unsourced])


def _finding(rule: str, error: ContractError) -> Finding:
    return Finding(rule, error.file, error.line, error.pointer, error.problem, error.expected)


def _in_order(found: list[Finding]) -> tuple[Finding, ...]:
    """Each once: what two rules find is told by the first."""
    once = {(finding.pointer, finding.problem): finding for finding in reversed(found)}
    return tuple(sorted(once.values(), key=lambda finding: (finding.line, finding.rule, finding.problem)))


# -------------------------------------------------------- one part by itself


def _examples(document: Document) -> Faults:
    for schema, example in examples(document):
        yield from caught(check_example, schema, example)


def _prices(document: Document) -> Faults:
    for _, _, operation in operation_nodes(document):
        if operation.get("x-task", "submits") is not None:
            for branch in operation.children("requestBody", "content", JSON, "schema", "oneOf"):
                yield from caught(read_price, branch)


_PARTS: Final[dict[str, Callable[[Document], Faults]]] = {
    "openapi": openapi_faults,
    "example": _examples,
    "price": _prices,
}


# ------------------------------------------------------- the parts together


def _parameters(contract: Contract) -> Faults:
    for operation in contract.operations.values():
        yield from caught(check_path, operation)


def _marks(contract: Contract) -> Faults:
    for node in marked(contract):
        yield from caught(check_provenance, node)


def _schemas(contract: Contract) -> Faults:
    for node in schemas(contract):
        yield from caught(json_schema, node)


_WHOLE: Final[dict[str, Callable[[Contract], Faults]]] = {
    "parameter": _parameters,
    "source": _marks,
    "schema": _schemas,
}


def _sources(contract: Contract) -> Faults:
    """Every rule has a source: all clauses are derived as if there were one, then each is asked for its own."""
    document = contract.document
    for clause in derive_clauses(_sourced(contract)):
        yield from caught(provenance, document, clause.pointer)


def _sourced(contract: Contract) -> Contract:
    document = contract.document
    return read_contract(replace(document, data={KEY: Provenance.ASSUMED.value, **document.data}))
