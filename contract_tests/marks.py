"""The mark of a contract test."""

from __future__ import annotations

from collections.abc import Callable
from typing import ParamSpec

import pytest

from contract.clause import Kind

P = ParamSpec("P")

MARK = "contract_test"
LAST = "last"


def contract_test(
    *kinds: Kind, cost: int | Callable[..., int] = 0, last: bool = False
) -> Callable[[Callable[P, None]], Callable[P, None]]:
    """Mark a test.

    Args:
        kinds: the kinds of clauses it is about, beside those of the case it may get.
        cost: the most credits it spends; or a function of the contract and the test's parameters that gives them.
        last: whether it looks back on what all others have done.
    """
    mark: Callable[[Callable[P, None]], Callable[P, None]]
    mark = pytest.mark.contract_test(kinds=kinds, cost=cost, last=last)
    return mark
