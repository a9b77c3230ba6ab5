"""The tables, and how a task and an entry become a row and back."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final

import sqlalchemy as sa

from mock_server.ledger import Entry, EntryKind
from mock_server.task import Plan, Task

metadata: Final = sa.MetaData()

VERSION: Final = 4
"""Of the tables below: a database that was made by another one is left alone. Raise it with every change of them."""


def _number() -> sa.Column[int]:
    """The order in which rows came: a clock that stands still gives many the same time."""
    return sa.Column("number", sa.BigInteger().with_variant(sa.Integer, "sqlite"), sa.Identity(), primary_key=True)


accounts: Final = sa.Table(
    "accounts",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("opening", sa.BigInteger, nullable=False),
    sa.Column("carried", sa.BigInteger, nullable=False, server_default="0"),  # the sum of entries no longer kept
    sa.Column("carried_refunds", sa.BigInteger, nullable=False, server_default="0"),  # of that, what was paid back
    sa.Column("balance", sa.BigInteger, sa.CheckConstraint("balance >= 0"), nullable=False),
    sa.Column("submissions", sa.BigInteger, nullable=False),
    sa.Column("clock", sa.Text, nullable=False),  # JSON; where it is not its own, a copy of the clock of all
    sa.Column("own_clock", sa.Boolean, nullable=False),
    sa.Column("scenario", sa.Text),  # null follows the scenario of all
    sqlite_with_rowid=False,
)
credentials: Final = sa.Table(
    "credentials",
    metadata,
    sa.Column("scheme", sa.Text, primary_key=True),
    sa.Column("secret", sa.Text, primary_key=True),
    sa.Column("account", sa.Text, sa.ForeignKey("accounts.name"), nullable=False, index=True),
    sqlite_with_rowid=False,
)
tasks: Final = sa.Table(
    "tasks",
    metadata,
    _number(),
    sa.Column("id", sa.Text, nullable=False, unique=True),
    sa.Column("account", sa.Text, sa.ForeignKey("accounts.name"), nullable=False),
    sa.Column("operation", sa.Text, nullable=False),
    sa.Column("request", sa.Text, nullable=False),
    sa.Column("credits", sa.BigInteger, nullable=False),
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.Column("base_url", sa.Text, nullable=False),
    sa.Column("outcome", sa.Text, nullable=False),
    sa.Column("ends_at", sa.BigInteger, nullable=False),
    sa.Column("error", sa.Text, nullable=False),  # JSON, since a client's own words may hold what Postgres cannot (NUL)
    sa.Column("sealed", sa.Boolean, nullable=False),
    sa.Index("tasks_of_account", "account", "number"),
)
entries: Final = sa.Table(
    "entries",
    metadata,
    _number(),
    sa.Column("id", sa.Text, nullable=False),
    sa.Column("task", sa.Text, sa.ForeignKey("tasks.id")),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("account", sa.Text, sa.ForeignKey("accounts.name"), nullable=False),
    sa.Column("amount", sa.BigInteger, nullable=False),
    sa.Column("counts_from", sa.BigInteger, nullable=False),
    sa.Column("settled", sa.Boolean, nullable=False),
    sa.UniqueConstraint("task", "kind"),  # a task is paid once, and paid back once
    sa.Index("entries_of_account", "account", "counts_from"),
)
_to_come = ~entries.c.settled
sa.Index(
    "entries_unsettled",  # all that a balance needs besides; most entries, the debits, are never in it
    entries.c.account,
    entries.c.settled,
    entries.c.counts_from,
    entries.c.amount,
    sqlite_where=_to_come,
    postgresql_where=_to_come,
)
settings: Final = sa.Table(
    "settings",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("value", sa.Text, nullable=False),
    sqlite_with_rowid=False,
)

exchanges: Final = sa.Table(
    "exchanges",
    metadata,
    _number(),
    sa.Column("account", sa.Text),
    sa.Column("record", sa.Text, nullable=False),  # JSON
)
counts: Final = sa.Table(
    "counts",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("value", sa.Float, nullable=False),
    sqlite_with_rowid=False,
)

STATE: Final = (settings, accounts, credentials, tasks, entries)
"""What a saved state holds, in an order in which rows can be inserted; the rest is about how the mock was used."""

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
    _, id_, account, operation, request, credits, created_at, base_url, outcome, ends_at, error, sealed, *_ = row
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


def entry_of(row: sa.Row[Any]) -> Entry:
    """The entry of a row."""
    return Entry(row.id, row.task, row.account, EntryKind(row.kind), row.amount, row.counts_from)
