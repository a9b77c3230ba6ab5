"""The clauses of a contract: every rule that can be checked, one by one, derived from the document.

A clause is never written by hand. Each keyword of a schema, each documented answer, each price and each rule of the
lifecycle becomes one, with an ID that stays the same as long as the rule stands in the same part of the API. The
documentation lists them, the contract tests say of each whether it held, a diff compares two lists.
"""

from __future__ import annotations

from contract.answer_clauses import answer_clauses, reading_clauses
from contract.clause import Clause
from contract.lifecycle_clauses import convention_clauses, lifecycle_clauses
from contract.model import Contract, Reading, Submission
from contract.request_clauses import submission_clauses


def derive_clauses(contract: Contract) -> tuple[Clause, ...]:
    """Every clause of a contract, in the order of the document.

    Raises:
        ContractError: if a rule has no provenance.
    """
    clauses: list[Clause] = []
    for operation in contract.operations.values():
        if isinstance(operation.task, Submission):
            clauses += submission_clauses(contract, operation, operation.task)
        if isinstance(operation.task, Reading):
            clauses += reading_clauses(operation)
        clauses += answer_clauses(operation)
    clauses += lifecycle_clauses(contract)
    clauses += convention_clauses(contract)
    return tuple(clauses)
