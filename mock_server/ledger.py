"""The ledger: what each task does to its account's balance.

A task's entries are fixed when it is accepted: the debit counts at once, the refund of a task that will fail counts
from the moment it fails. A balance is the opening credits and all entries that count by now; nobody has to come by and
write the refund when its time has come, so it can neither be late nor happen twice.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from contract.model import Lifecycle
from mock_server.task import Task


class EntryKind(StrEnum):
    """Why credits moved. An account has at most one debit and one refund for a task."""

    DEBIT = "debit"
    REFUND = "refund"
    TOP_UP = "top-up"


@dataclass(frozen=True)
class Entry:
    """One line of an account's ledger.

    Attributes:
        id: unique, and for a task's entry made of the task and the kind: the same one cannot be written twice.
        task: the task's ID; None for a top-up.
        amount: in credits; negative for a debit.
        counts_from: from when on it counts, in microseconds since 1970.
    """

    id: str
    task: str | None
    account: str
    kind: EntryKind
    amount: int
    counts_from: int


def entries_of(task: Task, lifecycle: Lifecycle) -> tuple[Entry, ...]:
    """The entries that a task makes in its account's ledger."""
    debit = _entry(task, EntryKind.DEBIT, -task.credits, task.created_at)
    if not lifecycle.states[task.plan.outcome].refund:
        return (debit,)
    refund = _entry(task, EntryKind.REFUND, task.credits, task.plan.ends_at)
    return (debit, refund)


def _entry(task: Task, kind: EntryKind, amount: int, counts_from: int) -> Entry:
    return Entry(f"{task.id}.{kind}", task.id, task.account, kind, amount, counts_from)


def top_up(id: str, account: str, credits: int, now: int) -> Entry:
    """The entry of credits that were added by hand."""
    return Entry(id, None, account, EntryKind.TOP_UP, credits, now)


def balance(opening: int, entries: Iterable[Entry], now: int) -> int:
    """The credits of an account at a moment."""
    return opening + sum(entry.amount for entry in entries if entry.counts_from <= now)
