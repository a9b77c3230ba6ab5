"""What playing the contract needs of the database.

Credits move in one transaction whose first statement takes the price off the balance if, and only if, it is there.
The column `balance` holds the opening credits and every entry that has been settled; refunds that have come due but
are not settled yet are added when a balance is read, and folded in when a submission would fall short without them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from typing import Final

from mock_server.accounts import Account
from mock_server.clock import Clock
from mock_server.ledger import Entry, EntryKind
from mock_server.store import tables
from mock_server.store.database import Database, clock_of, text_of
from mock_server.store.engine import Kind, Transaction
from mock_server.task import Task

_PRUNING_INTERVAL: Final = 128
"""Submissions after which it is looked for tasks that are too many; twice as many can go at a time."""

KEPT_IN_MEMORY: Final = 25_000
"""Tasks: they take some 25 MiB."""

Machine = Callable[[], int]
"""Gives the machine's time, in microseconds since 1970."""

Make = Callable[[int, int], tuple[Task, Sequence[Entry]]]
"""Makes a task and its ledger entries, given which of its account's submissions this is, from 1, and the moment."""


@dataclass(frozen=True)
class Caller:
    """An account that has shown its credentials.

    Attributes:
        account: its name.
        scenario: the name of the one that is on for it; None is the one of the start.
    """

    account: str
    scenario: str | None


SCENARIO: Final = f"COALESCE(accounts.scenario, (SELECT value FROM settings WHERE name = '{tables.SCENARIO}'))"
"""The scenario that is on for an account: its own, or that of all."""
ENDED: Final = "(tasks.sealed OR tasks.ends_at <= :now)"

# what is done for every request
_FIND_CALLER: Final = f"""
    SELECT accounts.name, {SCENARIO}
    FROM accounts JOIN credentials ON credentials.account = accounts.name
    WHERE credentials.scheme = :scheme AND credentials.secret = :secret"""
_FIND_TASK: Final = f"""
    SELECT {tables.TASKS.listed}, accounts.clock
    FROM tasks JOIN accounts ON accounts.name = tasks.account
    WHERE tasks.id = :id"""
_TAKE: Final = """
    UPDATE accounts SET balance = balance - :price, submissions = submissions + 1
    WHERE name = :account AND balance >= :price
    RETURNING submissions, clock"""


class Store(Database):
    """The state of a mock. Every method is one transaction, and safe to call from any thread.

    Attributes:
        is_untidy: whether it is time to `tidy`.
    """

    def __init__(self, url: str, keep: int | None = None, *, joins: bool = False) -> None:
        """Open a database, and make its tables if they are not there.

        Args:
            keep: about how many tasks are kept; of those that have ended the oldest go first. None keeps all, but in
                memory `KEPT_IN_MEMORY`.
            joins: whether it is one of several on a database that has its tables already.

        Raises:
            StoreError: if the URL is malformed, or the database cannot be opened, or holds something else.
        """
        super().__init__(url, joins=joins)
        self._keep = KEPT_IN_MEMORY if keep is None and self.in_memory else keep
        self._submissions = count(1)
        self.is_untidy = False

    def add_accounts(self, accounts: Sequence[Account]) -> None:
        """Make accounts that are not there yet; those that are keep their balance and tasks.

        Credentials are no state: these, and no others, open the accounts from now on.

        Raises:
            StoreError: if the database cannot be written to.
        """
        with self.usable(), self.transaction() as transaction:
            self.insert_accounts(transaction, accounts)

    def caller(self, scheme: str, secret: str) -> Caller | None:
        """Whose credentials these are, or None if they open no account."""
        if "\0" in secret:  # which Postgres cannot even compare
            return None
        with self._quickly(Kind.STATEMENT) as transaction:
            found = transaction.rows(_FIND_CALLER, scheme=scheme, secret=secret)
        return Caller(*found[0]) if found else None

    def submit(self, account: str, price: int, machine: Machine, make: Make) -> Task | None:
        """Take the price off an account and keep the task that it pays for: both, or neither.

        The clock is looked at when the account is locked, so nobody turns it meanwhile.

        Args:
            price: in credits.
            machine: gives the machine's time; refunds that count by then can be spent.

        Returns:
            the task, or None if the balance is under the price.

        Raises:
            KeyError: if there is no such account.
        """
        if self._keep is not None:
            self.is_untidy |= next(self._submissions) % _PRUNING_INTERVAL == 0
        task = self._accept(account, price, machine, make)
        if task is None:  # with the refunds that have come due since, there may be enough
            with self.transaction() as transaction:
                self.settle(transaction, account, self.lock(transaction, account).at(machine()))
            task = self._accept(account, price, machine, make)
        return task

    def task(self, task_id: str) -> tuple[Task, Clock] | None:
        """The task with this ID and the clock that it goes by, or None."""
        with self._quickly(Kind.STATEMENT) as transaction:
            found = transaction.rows(_FIND_TASK, id=task_id)
        return (tables.task_of(found[0]), clock_of(found[0][-1])) if found else None

    def balance(self, account: str, machine: Machine) -> int:
        """The credits of an account.

        Raises:
            KeyError: if there is no such account.
        """
        with self.query() as transaction:
            found = transaction.rows("SELECT balance, clock FROM accounts WHERE name = :name", name=account)
            if not found:
                raise KeyError(account)
            ((balance, clock),) = found
            return int(balance) + self.due(transaction, account, clock_of(clock).at(machine()))

    def entries(self, account: str) -> list[Entry]:
        """The ledger of an account, with the refunds that are still to come."""
        query = f"SELECT {tables.ENTRIES.listed} FROM entries WHERE account = :account ORDER BY counts_from, number"
        with self.query() as transaction:
            return [tables.entry_of(row) for row in transaction.rows(query, account=account)]

    def lock(self, transaction: Transaction, account: str) -> Clock:
        """Keep everybody else from changing an account until the transaction ends; gives its clock.

        Raises:
            KeyError: if there is no such account.
        """
        text = transaction.value("SELECT clock FROM accounts WHERE name = :name FOR UPDATE", name=account)
        if text is None:
            raise KeyError(account)
        return clock_of(text)

    def common_clock(self, transaction: Transaction) -> Clock:
        """The clock of all, which nobody else changes until the transaction ends."""
        query = "SELECT value FROM settings WHERE name = :name FOR UPDATE"
        return clock_of(transaction.value(query, name=tables.CLOCK))

    def lock_all(self, transaction: Transaction) -> Clock:
        """Keep everybody else from changing anything until the transaction ends; gives the clock of all."""
        clock = self.common_clock(transaction)
        # in one order, so that two who lock all do not wait for each other
        transaction.rows("SELECT name FROM accounts ORDER BY name FOR UPDATE")
        return clock

    def due(self, transaction: Transaction, account: str, now: int) -> int:
        """The refunds of an account that count by now and are not settled yet, in credits."""
        query = "SELECT SUM(amount) FROM entries WHERE account = :account AND settled = FALSE AND counts_from <= :now"
        return int(transaction.value(query, account=account, now=now) or 0)  # PostgreSQL sums to a decimal

    def insert_accounts(self, transaction: Transaction, accounts: Sequence[Account]) -> None:
        """Make accounts that are not there yet, and give all of them their credentials."""
        # first the clock of all, then accounts, then credentials: those who lock in one order never wait for each other
        in_order = sorted(accounts, key=lambda account: account.name)
        clock = self.common_clock(transaction)
        for account in in_order:
            self.insert_account(transaction, account, clock)
        for account in in_order:
            transaction.rows("SELECT name FROM accounts WHERE name = :name FOR UPDATE", name=account.name)
        gone = "DELETE FROM credentials WHERE account = :name"
        transaction.run_all(gone, ({"name": account.name} for account in in_order))
        # what opened another account before, opens this one now
        key = f"{tables.CREDENTIALS.insertion} ON CONFLICT (scheme, secret) DO UPDATE SET account = excluded.account"
        for account in accounts:
            for scheme, secret in account.credentials.items():
                transaction.run(key, scheme=scheme, secret=secret, account=account.name)

    def insert_account(self, transaction: Transaction, account: Account, clock: Clock) -> bool:
        """Make an account without credentials; says whether its name was free."""
        insertion = """
            INSERT INTO accounts (name, opening, balance, submissions, clock, own_clock)
            VALUES (:name, :credits, :credits, 0, :clock, FALSE)
            ON CONFLICT DO NOTHING RETURNING name"""
        values = {"name": account.name, "credits": account.credits, "clock": text_of(clock)}
        return bool(transaction.rows(insertion, **values))

    def tidy(self, machine: Machine) -> None:
        """Forget the tasks that are too many, as far as it is time to look for them."""
        if self.is_untidy and self._keep is not None:
            self.is_untidy = False
            try:
                self.prune(machine, self._keep)
            except BaseException:
                self.is_untidy = True
                raise

    def prune(self, machine: Machine, keep: int) -> None:
        """Forget the oldest tasks that have ended, some of those that are too many, with their entries.

        What their entries come to is carried in the account, so no balance changes.
        """
        last = "(SELECT number FROM tasks ORDER BY number DESC LIMIT 1 OFFSET :keep)"
        clocks = f"""
            SELECT DISTINCT accounts.clock FROM accounts JOIN tasks ON accounts.name = tasks.account
            WHERE tasks.number <= {last}"""
        oldest = f"""
            SELECT tasks.account, tasks.number FROM tasks JOIN accounts ON accounts.name = tasks.account
            WHERE tasks.number <= {last} AND accounts.clock = :clock AND {ENDED}
            ORDER BY tasks.number LIMIT :most"""
        until: dict[str, int] = {}
        with self.query() as transaction:
            for (clock,) in transaction.rows(clocks, keep=keep):
                now = clock_of(clock).at(machine())
                until |= dict(transaction.rows(oldest, keep=keep, clock=clock, now=now, most=2 * _PRUNING_INTERVAL))
        for account, number in until.items():
            with suppress(KeyError), self.transaction() as transaction:  # an account may be gone by now
                self._forget(transaction, account, number, self.lock(transaction, account).at(machine()))

    def _forget(self, transaction: Transaction, account: str, number: int, now: int) -> None:
        """Forget the tasks of an account up to a number that have ended, and carry what their entries come to."""
        self.settle(transaction, account, now)
        which = {"account": account, "number": number, "now": now}
        old = f"account = :account AND number <= :number AND {ENDED}"
        entries = f"DELETE FROM entries WHERE task IN (SELECT id FROM tasks WHERE {old}) RETURNING kind, amount"
        sums = dict.fromkeys(EntryKind, 0)
        for kind, amount in transaction.rows(entries, **which):
            sums[EntryKind(kind)] += amount
        transaction.run(f"DELETE FROM tasks WHERE {old}", **which)
        carry = """
            UPDATE accounts SET carried = carried + :all, carried_refunds = carried_refunds + :refunds
            WHERE name = :account"""
        transaction.run(carry, account=account, all=sum(sums.values()), refunds=sums[EntryKind.REFUND])

    def count(self, transaction: Transaction, name: Sequence[str], more: float) -> None:
        """Add to what is counted under a name."""
        upsert = f"{tables.COUNTS.insertion} ON CONFLICT (name) DO UPDATE SET value = counts.value + excluded.value"
        transaction.run(upsert, name=json.dumps(list(name)), value=float(more))

    def _accept(self, account: str, price: int, machine: Machine, make: Make) -> Task | None:
        """Take the price if it is there, and keep the task."""
        with self._quickly(Kind.WRITING) as transaction:
            taken = transaction.rows(_TAKE, account=account, price=price)
            if not taken:
                return None
            ((ordinal, clock),) = taken
            task, entries = make(ordinal, clock_of(clock).at(machine()))
            transaction.run(tables.TASKS.insertion, **tables.task_row(task))
            for entry in entries:
                transaction.run(tables.ENTRIES.insertion, **tables.entry_row(entry))
        return task

    def settle(self, transaction: Transaction, account: str, now: int) -> None:
        """Fold the refunds that have come due into the balance of an account that is locked."""
        due = """
            UPDATE entries SET settled = TRUE
            WHERE account = :account AND settled = FALSE AND counts_from <= :now
            RETURNING amount"""
        amount = sum(amount for (amount,) in transaction.rows(due, account=account, now=now))
        if amount:
            update = "UPDATE accounts SET balance = balance + :amount WHERE name = :account"
            transaction.run(update, account=account, amount=amount)
