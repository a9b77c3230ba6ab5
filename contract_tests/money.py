"""Checks of balances that several tests make."""

from __future__ import annotations

from collections.abc import Sequence

from contract.clause import Kind
from contract.model import Operation, When
from contract_tests.bench import Bench
from contract_tests.hooks import Account
from contract_tests.verdicts import NotExercised
from contract_tests.wire import Exchange


def expect_balance(bench: Bench, account: Account, credits: int, clause: str, steps: Sequence[str]) -> bool:
    """Hold the balance of an account, if there is a hook that shows it, against what it must be.

    Args:
        clause: the clause that is broken if it is something else.
        steps: how the account got there.

    Raises:
        NotExercised: if there is more than there must be, and a task that failed by itself may have brought it.
    """
    balance = bench.balance(account)
    if balance is None:
        return True
    if balance != credits:
        if bench.explained(account, balance - credits):
            raise NotExercised("a task failed by itself, and its refund came between")
        bench.wrong(clause, f"a balance of {credits} credits", f"{balance} credits", steps)
        return False
    bench.held(clause)
    return True


def expect_short(  # noqa: PLR0913 - what was sent, what had to come, and what it is about
    bench: Bench, operation: Operation, exchange: Exchange, price: int, clause: str, *, balance: int = 0
) -> bool:
    """Check that a submission was refused for want of credits, and told its price.

    Args:
        clause: the clause that is broken if it was not.
        balance: the credits that the account had.
    """
    error = operation.errors[When.INSUFFICIENT]
    had = f"the account has {balance:,} credits"
    want = f"{error.status}, for want of credits: {had}"
    if not bench.expect(clause, exchange.status == error.status, want, exchange):
        return False
    bench.held(bench.id(Kind.ERROR, operation.id, value=error.when.value))
    if error.price is None:
        return True
    answer = exchange.json()
    stated = answer.get(error.price) if isinstance(answer, dict) else None
    want = f"`{error.price}` {price}, the price: {had}"
    return bench.expect(bench.id(Kind.STATED_PRICE, operation.id), stated == price, want, exchange)
