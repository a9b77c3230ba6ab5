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
    """Why credits moved. An account has at most one entry of each kind for a task."""

    DEBIT = "debit"
    REFUND = "refund"


@dataclass(frozen=True)
class Entry:
    """One line of an account's ledger.

    Attributes:
        task: the task's ID.
        amount: in credits; negative for a debit.
        counts_from: from when on it counts, in microseconds since 1970.
    """

    task: str
    account: str
    kind: EntryKind
    amount: int
    counts_from: int


def entries_of(task: Task, lifecycle: Lifecycle) -> tuple[Entry, ...]:
    """The entries that a task makes in its account's ledger."""
    debit = Entry(task.id, task.account, EntryKind.DEBIT, -task.credits, task.created_at)
    if not lifecycle.states[task.plan.outcome].refund:
        return (debit,)
    refund = Entry(task.id, task.account, EntryKind.REFUND, task.credits, task.plan.ends_at)
    return (debit, refund)


def balance(opening: int, entries: Iterable[Entry], now: int) -> int:
    """The credits of an account at a moment."""
    return opening + sum(entry.amount for entry in entries if entry.counts_from <= now)
