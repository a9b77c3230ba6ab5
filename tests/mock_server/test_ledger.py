"""A task's entries are fixed when it is accepted, and at every moment they sum to the balance."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.model import Contract
from mock_server.ledger import Entry, EntryKind, balance, entries_of
from mock_server.task import Plan, Task

MOMENTS = st.integers(0, 2**60)
Entries = Callable[[Task], tuple[Entry, ...]]


@pytest.fixture(scope="module")
def entries(contract: Contract) -> Entries:
    return lambda task: entries_of(task, contract.lifecycle)


def task(number: int = 0, *, credits: int = 3, created_at: int = 0, plan: Plan) -> Task:
    request: dict[str, Any] = {}
    return Task(f"task-{number}", "rich", "generateImage", request, credits, created_at, "http://mock", plan)


@st.composite
def tasks(draw: st.DrawFn) -> Task:
    created_at = draw(MOMENTS)
    plan = Plan(draw(st.sampled_from(["completed", "failed"])), created_at + draw(st.integers(0, 2**50)))
    return task(draw(st.integers()), credits=draw(st.integers(1, 10**6)), created_at=created_at, plan=plan)


def test_a_task_that_completes_is_debited_once_and_for_all(entries: Entries) -> None:
    done = task(created_at=5, plan=Plan("completed", 9))
    assert entries(done) == (Entry("task-0.debit", "task-0", "rich", EntryKind.DEBIT, -3, 5),)


def test_a_task_that_fails_gets_its_price_back_when_it_fails(entries: Entries) -> None:
    debit, refund = entries(task(created_at=5, plan=Plan("failed", 9, "X", "x")))
    assert debit == Entry("task-0.debit", "task-0", "rich", EntryKind.DEBIT, -3, 5)
    assert refund == Entry("task-0.refund", "task-0", "rich", EntryKind.REFUND, 3, 9)


@pytest.mark.parametrize(("now", "expected"), [(4, 10), (5, 7), (8, 7), (9, 10), (10**18, 10)])
def test_an_entry_counts_from_its_moment_on(entries: Entries, now: int, expected: int) -> None:
    made = entries(task(created_at=5, plan=Plan("failed", 9)))
    assert balance(10, made, now) == expected


@given(made=st.lists(tasks()), opening=st.integers(0, 10**9), now=MOMENTS)
def test_the_balance_is_the_opening_less_what_tasks_cost_by_now(
    entries: Entries, made: list[Task], opening: int, now: int
) -> None:
    ledger = [entry for one in made for entry in entries(one)]
    paid = sum(one.credits for one in made if one.created_at <= now)
    returned = sum(one.credits for one in made if one.plan.outcome == "failed" and one.plan.ends_at <= now)
    assert balance(opening, ledger, now) == opening - paid + returned


@given(made=tasks())
def test_whatever_is_refunded_was_debited_before_and_only_once(entries: Entries, made: Task) -> None:
    ledger = entries(made)
    assert [entry.kind for entry in ledger][:1] == [EntryKind.DEBIT]
    assert len({entry.kind for entry in ledger}) == len(ledger)
    assert sum(entry.amount for entry in ledger) in (0, -made.credits)
    assert (sum(entry.amount for entry in ledger) == 0) == (made.plan.outcome == "failed")
    assert all(balance(0, ledger, now) <= 0 for now in (made.created_at, made.plan.ends_at, 2**62))
