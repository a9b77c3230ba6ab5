"""Fixtures of the tests of the contract tests."""

from collections.abc import Iterator, Mapping

import pytest

from contract.clause import Clause
from contract.clauses import derive_clauses
from contract.model import Contract, Operation, Submission
from contract_tests.cases import Cases
from contract_tests.judge import Judge
from contract_tests.marks import MARK
from tests.contract_tests.harness import Counted


def pytest_configure(config: pytest.Config) -> None:
    """The checks are imported here without the plugin of a run, which declares their mark."""
    config.addinivalue_line("markers", f"{MARK}: a contract test")


@pytest.fixture(scope="session")
def clauses(contract: Contract) -> Mapping[str, Clause]:
    """The clauses of the project's own contract, by ID."""
    return {clause.id: clause for clause in derive_clauses(contract)}


@pytest.fixture(scope="session")
def submitting(contract: Contract) -> tuple[Operation, Submission]:
    """The operation that submits images."""
    return next(contract.submissions())


@pytest.fixture(scope="session")
def cases(contract: Contract, clauses: Mapping[str, Clause], submitting: tuple[Operation, Submission]) -> Cases:
    return Cases(contract, *submitting, clauses)


@pytest.fixture(scope="session")
def judge(contract: Contract, clauses: Mapping[str, Clause]) -> Judge:
    return Judge(contract, clauses, lambda request: f"curl {request.method} {request.path}")


@pytest.fixture
def target() -> Iterator[Counted]:
    """The correct target, whose tasks are quick."""
    with Counted() as target:
        yield target
