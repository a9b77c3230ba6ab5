"""What the control API does to the state, beyond what playing the contract needs.

Clocks may be set back. That undoes nothing: what has ended by then is sealed and its refunds are settled, what is at
work keeps the time it has left, since its end moves with the clock. When a task was accepted stays as it was.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from contract.pricing import MOST_CREDITS
from mock_server.accounts import Account
from mock_server.clock import REAL, Clock
from mock_server.ledger import Entry, EntryKind
from mock_server.store import tables
from mock_server.store.database import clock_of, text_of
from mock_server.store.engine import Row, Transaction
from mock_server.store.store import SCENARIO, Machine, Store
from mock_server.task import HELD, Task

Change = Callable[[Clock, int], Clock | None]
"""Makes another clock of the present one and the machine's time; None is the machine's time, or the clock of all."""

_HOLDERS: Final = f"SELECT name, opening, balance, clock, own_clock, {SCENARIO} FROM accounts"


class TooManyCreditsError(ValueError):
    """A top-up would leave more credits than an account can have."""


@dataclass(frozen=True)
class Holder:
    """An account as its keeper sees it.

    Attributes:
        opening: the credits that it began with.
        balance: the credits that it has now.
        credentials: the secret of each security scheme.
        clock: the one that it goes by; `own` says whether nobody else does.
        scenario: the name of the one that is on for it; None is the one of the start.
    """

    name: str
    opening: int
    balance: int
    credentials: Mapping[str, str]
    clock: Clock
    own: bool
    scenario: str | None


@dataclass(frozen=True)
class Ledger:
    """The newest entries of an account that count by now, oldest first, and the balance that they lead to."""

    opening: int
    balance: int
    entries: Sequence[Entry]


class Admin:
    """The state of a mock, for whoever controls it. Every method is one transaction.

    Those that are about one account raise `KeyError` if there is no such account.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    # ---------------------------------------------------------------- accounts

    def create(self, account: Account) -> bool:
        """Make an account; says whether the name was free."""
        with self._store.transaction() as transaction:
            made = self._store.insert_account(transaction, account, self._store.common_clock(transaction))
            if made:
                rows = [{"scheme": s, "secret": key, "account": account.name} for s, key in account.credentials.items()]
                transaction.run_all(tables.CREDENTIALS.insertion, rows)
        return made

    def holders(self, machine: Machine, *, after: str = "", limit: int = 1000) -> list[Holder]:
        """Accounts by name: those after one."""
        with self._store.query() as transaction:
            found = transaction.rows(
                f"{_HOLDERS} WHERE name > :after ORDER BY name LIMIT :limit", after=after, limit=limit
            )
            return [self._holder(transaction, row, machine) for row in found]

    def holder(self, account: str, machine: Machine) -> Holder:
        """An account."""
        with self._store.query() as transaction:
            found = transaction.rows(f"{_HOLDERS} WHERE name = :account", account=account)
            if not found:
                raise KeyError(account)
            return self._holder(transaction, found[0], machine)

    def top_up(self, account: str, machine: Machine, make: Callable[[int], Entry]) -> None:
        """Add credits to an account.

        Args:
            make: makes the entry, given the moment.

        Raises:
            TooManyCreditsError: if the account would have more than one can have.
        """
        to_come = "SELECT SUM(amount) FROM entries WHERE account = :account AND settled = FALSE"
        with self._store.transaction() as transaction:
            entry = make(self._store.lock(transaction, account).at(machine()))
            balance: int = transaction.value("SELECT balance FROM accounts WHERE name = :account", account=account)
            if balance + int(transaction.value(to_come, account=account) or 0) + entry.amount > MOST_CREDITS:
                raise TooManyCreditsError(balance)
            update = "UPDATE accounts SET balance = balance + :amount WHERE name = :account"
            transaction.run(update, account=account, amount=entry.amount)
            transaction.run(tables.ENTRIES.insertion, **tables.entry_row(entry))

    def delete(self, account: str) -> None:
        """Delete an account with all that is its own."""
        with self._store.transaction() as transaction:
            self._empty(transaction, account)
            transaction.run("DELETE FROM credentials WHERE account = :account", account=account)
            transaction.run("DELETE FROM accounts WHERE name = :account", account=account)

    def restart(self, account: str) -> None:
        """Put an account back to its beginning, and to the clock and the scenario of all."""
        update = f"""
            UPDATE accounts
            SET balance = opening, carried = 0, carried_refunds = 0, submissions = 0,
                clock = (SELECT value FROM settings WHERE name = '{tables.CLOCK}'), own_clock = FALSE, scenario = NULL
            WHERE name = :account"""
        with self._store.transaction() as transaction:
            self._empty(transaction, account)
            transaction.run(update, account=account)

    def reset(self, accounts: Sequence[Account]) -> None:
        """Forget everything, and begin anew with these accounts."""
        with self._store.transaction() as transaction:
            self._clear(transaction)
            self._set(transaction, tables.CLOCK, text_of(REAL))
            self._store.insert_accounts(transaction, accounts)

    def ledger(self, account: str, machine: Machine, limit: int) -> Ledger:
        """The newest entries of an account that count by now."""
        newest = f"""
            SELECT {tables.ENTRIES.listed} FROM entries
            WHERE account = :account AND (settled OR counts_from <= :now)
            ORDER BY counts_from DESC, number DESC LIMIT :limit"""
        with self._store.query() as transaction:
            found = transaction.rows("SELECT opening, balance, clock FROM accounts WHERE name = :name", name=account)
            if not found:
                raise KeyError(account)
            ((opening, balance, clock),) = found
            now = clock_of(clock).at(machine())
            entries = [tables.entry_of(row) for row in transaction.rows(newest, account=account, now=now, limit=limit)]
            return Ledger(opening, balance + self._store.due(transaction, account, now), entries[::-1])

    # ------------------------------------------------------------------- tasks

    def tasks(self, account: str | None, *, after: str | None, limit: int) -> list[tuple[Task, Clock]]:
        """Tasks, newest first, each with the clock it goes by."""
        wanted = []
        if account is not None:
            wanted.append("tasks.account = :account")
        if after is not None:
            wanted.append("tasks.number < (SELECT number FROM tasks WHERE id = :after)")
        query = f"""
            SELECT {tables.TASKS.listed}, accounts.clock FROM tasks JOIN accounts ON accounts.name = tasks.account
            {"WHERE " if wanted else ""}{" AND ".join(wanted)}
            ORDER BY tasks.number DESC LIMIT :limit"""
        with self._store.query() as transaction:
            rows = transaction.rows(query, account=account, after=after, limit=limit)
        return [(tables.task_of(row), clock_of(row[-1])) for row in rows]

    def replan(self, task: Task, machine: Machine, plan: Callable[[int], tuple[Task, Sequence[Entry]]]) -> Task | None:
        """Give a task another plan.

        Args:
            plan: makes the task with the plan, and all its entries, given the moment.

        Returns:
            the task as it is now, or None if it had ended already.
        """
        update = """
            UPDATE tasks SET outcome = :outcome, ends_at = :ends_at, error = :error, sealed = :sealed
            WHERE id = :id AND NOT sealed AND ends_at > :now
            RETURNING id"""
        with self._store.transaction() as transaction:
            now = self._store.lock(transaction, task.account).at(machine())
            planned, entries = plan(now)
            values = {**tables.plan_row(planned.plan), "sealed": planned.sealed}
            if not transaction.rows(update, id=task.id, now=now, **values):
                return None
            refund = "DELETE FROM entries WHERE task = :task AND kind = :kind"
            transaction.run(refund, task=task.id, kind=EntryKind.REFUND.value)
            for entry in entries:
                if entry.kind is EntryKind.REFUND:
                    transaction.run(tables.ENTRIES.insertion, **tables.entry_row(entry))
        return planned

    # ----------------------------------------------------- clocks and scenarios

    def clock(self) -> Clock:
        """The clock of all accounts that have none of their own."""
        with self._store.query() as transaction:
            return clock_of(str(_setting(transaction, tables.CLOCK)))

    def turn(self, account: str | None, change: Change, machine: Machine) -> Clock:
        """Change a clock, an account's own or that of all others; gives the one that is gone by from now on."""
        whose = "own_clock = FALSE" if account is None else "name = :account"
        with self._store.transaction() as transaction:
            if account is None:
                before = self._store.lock_all(transaction)
                now = machine()
                after, own = change(before, now) or REAL, False
                self._set(transaction, tables.CLOCK, text_of(after))
            else:
                common = self._store.common_clock(transaction)
                before = self._store.lock(transaction, account)
                now = machine()
                turned = change(before, now)
                after, own = turned or common, turned is not None
            if after.at(now) < before.at(now):
                self._set_back(transaction, whose, account, before.at(now), before.at(now) - after.at(now))
            update = f"UPDATE accounts SET clock = :clock, own_clock = :own WHERE {whose}"
            transaction.run(update, account=account, clock=text_of(after), own=own)
        return after

    def scenario(self) -> str | None:
        """The scenario of all accounts that have none of their own; None is the one of the start."""
        with self._store.query() as transaction:
            return _setting(transaction, tables.SCENARIO)

    def switch(self, account: str | None, scenario: str | None) -> None:
        """Switch the scenario of one account, or of all others."""
        with self._store.transaction() as transaction:
            if account is None:
                self._set(transaction, tables.SCENARIO, scenario)
                return
            self._store.lock(transaction, account)
            update = "UPDATE accounts SET scenario = :scenario WHERE name = :account"
            transaction.run(update, account=account, scenario=scenario)

    # --------------------------------------------------------- save and restore

    def dump(self) -> dict[str, list[dict[str, Any]]]:
        """Every row of every table, as it was at one moment."""
        with self._store.query() as transaction:
            return {
                table.name: [table.mapping(row) for row in transaction.rows(table.selection)] for table in tables.STATE
            }

    def load(self, rows: Mapping[str, Sequence[Mapping[str, Any]]]) -> None:
        """Put saved rows in the place of all there are: every one, or none.

        Raises:
            StoreError: if the database does not take them.
        """
        with self._store.usable(), self._store.transaction() as transaction:
            self._clear(transaction)
            for table in tables.STATE:
                if table is not tables.SETTINGS:
                    transaction.run_all(table.insertion, rows[table.name])
            for setting in rows[tables.SETTINGS.name]:
                self._set(transaction, setting["name"], setting["value"])

    # ------------------------------------------------------------------- inside

    def _holder(self, transaction: Transaction, row: Row, machine: Machine) -> Holder:
        name, opening, balance, clock, own, scenario = row
        keys = "SELECT scheme, secret FROM credentials WHERE account = :account"
        return Holder(
            name=name,
            opening=opening,
            balance=balance + self._store.due(transaction, name, clock_of(clock).at(machine())),
            credentials=dict(transaction.rows(keys, account=name)),
            clock=clock_of(clock),
            own=bool(own),
            scenario=scenario,
        )

    def _set_back(self, transaction: Transaction, whose: str, account: str | None, now: int, by: int) -> None:
        """Seal what has ended by now, and move the rest back with the clock, both in microseconds."""
        values = {"account": account, "now": now, "by": by, "held": HELD // 2}
        names = f"(SELECT name FROM accounts WHERE {whose})"
        due = f"entries.account IN {names} AND settled = FALSE AND counts_from <= :now"
        at_work = f"account IN {names} AND NOT sealed"
        for statement in (
            f"""
            UPDATE accounts SET balance = balance + CAST(COALESCE(
                (SELECT SUM(amount) FROM entries WHERE {due} AND entries.account = accounts.name), 0) AS BIGINT)
            WHERE {whose}""",
            f"UPDATE entries SET settled = TRUE WHERE {due}",
            f"UPDATE tasks SET sealed = TRUE WHERE account IN {names} AND ends_at <= :now",
            f"""
            UPDATE entries SET counts_from = counts_from - :by
            WHERE task IN (SELECT id FROM tasks WHERE {at_work}) AND settled = FALSE""",
            # what has moved credits already has done so by now, whatever the clock said then
            f"""
            UPDATE entries SET counts_from = :now - :by
            WHERE account IN {names} AND settled AND counts_from > :now - :by""",
            f"UPDATE tasks SET ends_at = ends_at - :by WHERE {at_work} AND ends_at <= :held",
        ):
            transaction.run(statement, **values)

    def _set(self, transaction: Transaction, name: str, value: str | None) -> None:
        if value is None:
            transaction.run("DELETE FROM settings WHERE name = :name", name=name)
            return
        upsert = f"{tables.SETTINGS.insertion} ON CONFLICT (name) DO UPDATE SET value = excluded.value"
        transaction.run(upsert, name=name, value=value)

    def _empty(self, transaction: Transaction, account: str) -> None:
        """Delete an account's ledger and tasks."""
        self._store.lock(transaction, account)
        transaction.run("DELETE FROM entries WHERE account = :account", account=account)
        transaction.run("DELETE FROM tasks WHERE account = :account", account=account)

    def _clear(self, transaction: Transaction) -> None:
        """Delete everything but the clock of all, which whoever locks all has to find."""
        self._store.lock_all(transaction)
        for table in reversed(tables.STATE):
            if table is not tables.SETTINGS:
                transaction.run(f"DELETE FROM {table.name}")
        self._set(transaction, tables.SCENARIO, None)


def _setting(transaction: Transaction, name: str) -> str | None:
    value: str | None = transaction.value("SELECT value FROM settings WHERE name = :name", name=name)
    return value
