"""The tables, and how a task and an entry become a row and back."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

from mock_server.ledger import Entry, EntryKind
from mock_server.task import Plan, Task

VERSION: Final = 5
"""Of the tables below: a database that was made by another one is left alone. Raise it with every change of them."""

_NUMBER: Final = "number"
"""The order in which rows came: a clock that stands still gives many the same time."""


@dataclass(frozen=True)
class Table:
    """A table.

    Attributes:
        columns: each with its type and what holds for it, in words that both databases know.
        is_numbered: whether its rows have a number besides; otherwise they are found by their key alone.
        constraints: what holds for several columns.
        indexes: what each one is on.
    """

    name: str
    columns: Mapping[str, str]
    is_numbered: bool = False
    constraints: Sequence[str] = ()
    indexes: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def listed(self) -> str:
        """The names of all columns, as in a query for them."""
        return ", ".join(f"{self.name}.{name}" for name in self.columns)

    @cached_property
    def insertion(self) -> str:
        """The statement that inserts a row with all its columns."""
        names = ", ".join(self.columns)
        return f"INSERT INTO {self.name} ({names}) VALUES ({', '.join(f':{name}' for name in self.columns)})"

    @cached_property
    def selection(self) -> str:
        """The query for all rows with all their columns, in the order in which they came, or in that of their keys."""
        order = _NUMBER if self.is_numbered else "1, 2"
        return f"SELECT {self.listed} FROM {self.name} ORDER BY {order}"

    def mapping(self, row: Sequence[Any]) -> dict[str, Any]:
        """A selected row by the names of its columns; SQLite has numbers for what is true or false."""
        return {
            name: bool(value) if type_.startswith("BOOLEAN") else value
            for (name, type_), value in zip(self.columns.items(), row, strict=True)
        }

    def statements(self, *, number: str, keyed: str) -> Iterator[str]:
        """What makes the table, and its indexes."""
        columns = [f"{_NUMBER} {number}"] if self.is_numbered else []
        columns += [f"{name} {type_}" for name, type_ in self.columns.items()]
        lines = ",\n    ".join([*columns, *self.constraints])
        yield f"CREATE TABLE {self.name} (\n    {lines}\n){'' if self.is_numbered else keyed}"
        for name, place in self.indexes.items():
            yield f"CREATE INDEX {name} ON {self.name} {place}"


ACCOUNTS: Final = Table(
    "accounts",
    {
        "name": "TEXT NOT NULL PRIMARY KEY",
        "opening": "BIGINT NOT NULL",
        "carried": "BIGINT NOT NULL DEFAULT 0",  # the sum of entries no longer kept
        "carried_refunds": "BIGINT NOT NULL DEFAULT 0",  # of that, what was paid back
        "balance": "BIGINT NOT NULL CHECK (balance >= 0)",
        "submissions": "BIGINT NOT NULL",
        "clock": "TEXT NOT NULL",  # JSON; where it is not its own, a copy of the clock of all
        "own_clock": "BOOLEAN NOT NULL",
        "scenario": "TEXT",  # null follows the scenario of all
    },
)
CREDENTIALS: Final = Table(
    "credentials",
    {
        "scheme": "TEXT NOT NULL",
        "secret": "TEXT NOT NULL",
        "account": "TEXT NOT NULL REFERENCES accounts (name)",
    },
    constraints=("PRIMARY KEY (scheme, secret)",),
    indexes={"credentials_of_account": "(account)"},
)
TASKS: Final = Table(
    "tasks",
    {
        "id": "TEXT NOT NULL UNIQUE",
        "account": "TEXT NOT NULL REFERENCES accounts (name)",
        "operation": "TEXT NOT NULL",
        "request": "TEXT NOT NULL",
        "credits": "BIGINT NOT NULL",
        "created_at": "BIGINT NOT NULL",
        "base_url": "TEXT NOT NULL",
        "outcome": "TEXT NOT NULL",
        "ends_at": "BIGINT NOT NULL",
        "error": "TEXT NOT NULL",  # JSON, since a client's own words may hold what Postgres cannot (NUL)
        "sealed": "BOOLEAN NOT NULL",
    },
    is_numbered=True,
    indexes={"tasks_of_account": f"(account, {_NUMBER})"},
)
ENTRIES: Final = Table(
    "entries",
    {
        "id": "TEXT NOT NULL",
        "task": "TEXT REFERENCES tasks (id)",
        "kind": "TEXT NOT NULL",
        "account": "TEXT NOT NULL REFERENCES accounts (name)",
        "amount": "BIGINT NOT NULL",
        "counts_from": "BIGINT NOT NULL",
        "settled": "BOOLEAN NOT NULL",
    },
    is_numbered=True,
    constraints=("UNIQUE (task, kind)",),  # a task is paid once, and paid back once
    indexes={
        "entries_of_account": "(account, counts_from)",
        # all that a balance needs besides; most entries, the debits, are never in it
        "entries_unsettled": "(account, settled, counts_from, amount) WHERE settled = FALSE",
    },
)
SETTINGS: Final = Table("settings", {"name": "TEXT NOT NULL PRIMARY KEY", "value": "TEXT NOT NULL"})

EXCHANGES: Final = Table("exchanges", {"account": "TEXT", "record": "TEXT NOT NULL"}, is_numbered=True)  # of JSON
COUNTS: Final = Table("counts", {"name": "TEXT NOT NULL PRIMARY KEY", "value": "DOUBLE PRECISION NOT NULL"})

STATE: Final = (SETTINGS, ACCOUNTS, CREDENTIALS, TASKS, ENTRIES)
"""What a saved state holds, in an order in which rows can be inserted; the rest is about how the mock was used."""
ALL: Final = (*STATE, EXCHANGES, COUNTS)

_NO_ERROR: Final = json.dumps([None, None])

CLOCK: Final = "clock"
SCENARIO: Final = "scenario"
VERSION_NAME: Final = "version"


def task_row(task: Task) -> dict[str, Any]:
    """A task as a row."""
    return {
        "id": task.id,
        "account": task.account,
        "operation": task.operation,
        "request": json.dumps(task.request),
        "credits": task.credits,
        "created_at": task.created_at,
        "base_url": task.base_url,
        "sealed": task.sealed,
        **plan_row(task.plan),
    }


def plan_row(plan: Plan) -> dict[str, Any]:
    """What a row says of a task's plan."""
    return {
        "outcome": plan.outcome,
        "ends_at": plan.ends_at,
        "error": _NO_ERROR if plan.error_code is None else json.dumps([plan.error_code, plan.error_message]),
    }


def task_of(row: Sequence[Any]) -> Task:
    """The task of a row, which begins with the columns of the table."""
    id_, account, operation, request, credits, created_at, base_url, outcome, ends_at, error, sealed, *_ = row
    return Task(
        id=id_,
        account=account,
        operation=operation,
        request=json.loads(request),
        credits=credits,
        created_at=created_at,
        base_url=base_url,
        plan=Plan(outcome, ends_at, *json.loads(error)),
        sealed=bool(sealed),
    )


def entry_row(entry: Entry) -> dict[str, Any]:
    """An entry as a row; what takes effect at once has moved the balance in the same transaction."""
    return {
        "id": entry.id,
        "task": entry.task,
        "kind": entry.kind.value,
        "account": entry.account,
        "amount": entry.amount,
        "counts_from": entry.counts_from,
        "settled": entry.kind is not EntryKind.REFUND,
    }


def entry_of(row: Sequence[Any]) -> Entry:
    """The entry of a row, which begins with the columns of the table."""
    id_, task, kind, account, amount, counts_from, *_ = row
    return Entry(id_, task, account, EntryKind(kind), amount, counts_from)


def statements(*, number: str, keyed: str) -> Iterator[str]:
    """What makes all tables.

    Args:
        number: the type of a column that numbers the rows as they come.
        keyed: what ends a table that is found by its key alone.
    """
    for table in ALL:
        yield from table.statements(number=number, keyed=keyed)
