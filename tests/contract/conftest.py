"""The clauses of the project's own contract, and documents that differ from it in one thing."""

from collections.abc import Callable
from pathlib import Path

import pytest

from contract.check import check_contract
from contract.clause import Clause
from contract.errors import ContractError
from contract.resources import default_contract


@pytest.fixture(scope="session")
def clauses() -> dict[str, Clause]:
    """The clauses of the project's own contract by ID."""
    _, clauses = check_contract(default_contract())
    return {clause.id: clause for clause in clauses}


@pytest.fixture(scope="session")
def text() -> str:
    """The text of openapi.yaml."""
    return default_contract().read_text("utf-8")


@pytest.fixture
def edited(text: str, tmp_path: Path) -> Callable[..., Path]:
    """Writes openapi.yaml with some snippets replaced, each of which occurs exactly once."""

    def edit(*edits: tuple[str, str]) -> Path:
        changed = text
        for old, new in edits:
            assert changed.count(old) == 1, f"occurs {changed.count(old)} times: {old}"
            changed = changed.replace(old, new)
        path = tmp_path / "edited.yaml"
        path.write_text(changed, "utf-8")
        return path

    return edit


@pytest.fixture
def refused(edited: Callable[..., Path]) -> Callable[..., ContractError]:
    """Edits openapi.yaml, and expects one clear message.

    `at` is the pointer of the fault, `line` a part of the line on which it must be reported, `says` and `expected`
    are the message.
    """

    def refuse(*edits: tuple[str, str], at: str, line: str, says: str, expected: str = "") -> ContractError:
        path = edited(*edits)
        with pytest.raises(ContractError) as caught:
            check_contract(path)
        error = caught.value
        assert (error.pointer, error.problem, error.expected) == (at, says, expected)
        assert line in path.read_text("utf-8").splitlines()[error.line - 1]
        place = f"{path}:{error.line}: " + (f"{at}: " if at else "")
        assert str(error) == place + says + (f"; expected {expected}" if expected else "")
        assert "\n" not in str(error)
        return error

    return refuse
