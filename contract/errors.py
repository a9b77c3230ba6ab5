"""What can be wrong with a contract document.

ContractError        one fault of the document: where it is, what is wrong, what was expected
caught               that fault as a value, where a check would raise it
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import ParamSpec


class ContractError(Exception):
    """One fault of a contract document.

    Attributes:
        file: the document, as the user named it.
        pointer: the place as a JSON pointer; empty for the document as a whole.
        line: the place as a line, counted from 1.
        problem: what is wrong.
        expected: what would be right; may be empty where `problem` says it already.
    """

    def __init__(self, *, file: str, pointer: str, line: int, problem: str, expected: str) -> None:
        self.file = file
        self.pointer = pointer
        self.line = line
        self.problem = problem
        self.expected = expected
        super().__init__(str(self))

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}: "
        if self.pointer:
            place += f"{self.pointer}: "
        return place + self.problem + (f"; expected {self.expected}" if self.expected else "")


P = ParamSpec("P")


def caught(check: Callable[P, object], *args: P.args, **kwargs: P.kwargs) -> Iterator[ContractError]:
    """The fault that a check raises, if it does."""
    try:
        check(*args, **kwargs)
    except ContractError as error:
        yield error
