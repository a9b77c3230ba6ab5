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

import sqlalchemy as sa

from mock_server.accounts import Account
from mock_server.clock import Clock
from mock_server.ledger import Entry, EntryKind
from mock_server.store import tables
from mock_server.store.database import Database, clock_of
from mock_server.store.engine import usable
from mock_server.store.prepared import Prepared, PreparedInsert
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


_COMMON_SCENARIO = sa.select(tables.settings.c.value).where(tables.settings.c.name == tables.SCENARIO)
SCENARIO = sa.func.coalesce(tables.accounts.c.scenario, _COMMON_SCENARIO.scalar_subquery())
"""The scenario that is on for an account: its own, or that of all."""


class Store(Database):
    """The state of a mock. Every method is one transaction, and safe to call from any thread.

    Attributes:
        is_untidy: whether it is time to `tidy`.
    """

    def __init__(self, url: str, keep: int | None = None) -> None:
        """Open a database, and make its tables if they are not there.

        Args:
            keep: about how many tasks are kept; of those that have ended the oldest go first. None keeps all, but in
                memory `KEPT_IN_MEMORY`.

        Raises:
            StoreError: if the URL is malformed, or the database cannot be opened, or holds something else.
        """
        super().__init__(url)
        self._keep = KEPT_IN_MEMORY if keep is None and self.in_memory else keep
        self._submissions = count(1)
        self.is_untidy = False
        self._prepare()

    def add_accounts(self, accounts: Sequence[Account]) -> None:
        """Make accounts that are not there yet; those that are keep their balance and tasks.

        Credentials are no state: these, and no others, open the accounts from now on.

        Raises:
            StoreError: if the database cannot be written to.
        """
        with usable(self.url), self.transaction() as connection:
            self.insert_accounts(connection, accounts)

    def caller(self, scheme: str, secret: str) -> Caller | None:
        """Whose credentials these are, or None if they open no account."""
        if "\0" in secret:  # which Postgres cannot even compare
            return None
        found = self._rows(self._find_caller, scheme=scheme, secret=secret)
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
            with self.transaction() as connection:
                self.settle(connection, account, self.lock(connection, account).at(machine()))
            task = self._accept(account, price, machine, make)
        return task

    def task(self, task_id: str) -> tuple[Task, Clock] | None:
        """The task with this ID and the clock that it goes by, or None."""
        found = self._rows(self._find_task, id=task_id)
        return (tables.task_of(found[0]), clock_of(found[0][-1])) if found else None

    def balance(self, account: str, machine: Machine) -> int:
        """The credits of an account.

        Raises:
            KeyError: if there is no such account.
        """
        query = sa.select(tables.accounts.c.balance, tables.accounts.c.clock).where(tables.accounts.c.name == account)
        with self.query() as connection:
            row = connection.execute(query).one_or_none()
            if row is None:
                raise KeyError(account)
            return int(row[0]) + self.due(connection, account, clock_of(row[1]).at(machine()))

    def entries(self, account: str) -> list[Entry]:
        """The ledger of an account, with the refunds that are still to come."""
        query = (
            sa.select(tables.entries)
            .where(tables.entries.c.account == account)
            .order_by(tables.entries.c.counts_from, tables.entries.c.number)
        )
        with self.query() as connection:
            rows = connection.execute(query).all()
        return [tables.entry_of(row) for row in rows]

    def lock(self, connection: sa.Connection, account: str) -> Clock:
        """Keep everybody else from changing an account until the transaction ends; gives its clock.

        Raises:
            KeyError: if there is no such account.
        """
        query = sa.select(tables.accounts.c.clock).where(tables.accounts.c.name == account).with_for_update()
        text: str | None = connection.execute(query).scalar()
        if text is None:
            raise KeyError(account)
        return clock_of(text)

    def lock_all(self, connection: sa.Connection) -> Clock:
        """Keep everybody else from changing anything until the transaction ends; gives the clock of all."""
        common = sa.select(tables.settings.c.value).where(tables.settings.c.name == tables.CLOCK).with_for_update()
        text: str = connection.execute(common).scalar_one()
        # in one order, so that two who lock all do not wait for each other
        connection.execute(sa.select(tables.accounts.c.name).order_by(tables.accounts.c.name).with_for_update())
        return clock_of(text)

    def due(self, connection: sa.Connection, account: str, now: int) -> int:
        """The refunds of an account that count by now and are not settled yet, in credits."""
        entries = tables.entries.c
        query = sa.select(sa.func.sum(entries.amount)).where(
            entries.account == account, ~entries.settled, entries.counts_from <= now
        )
        return int(connection.execute(query).scalar() or 0)  # PostgreSQL sums to a decimal

    def insert_accounts(self, connection: sa.Connection, accounts: Sequence[Account]) -> None:
        """Make accounts that are not there yet, and give all of them their credentials."""
        # first the clock of all, then accounts, then credentials: those who lock in one order never wait for each other
        for account in accounts:
            self.insert_account(connection, account)
        names = [account.name for account in accounts]
        there = sa.select(tables.accounts.c.name).where(tables.accounts.c.name.in_(names))
        connection.execute(there.order_by(tables.accounts.c.name).with_for_update())
        connection.execute(sa.delete(tables.credentials).where(tables.credentials.c.account.in_(names)))
        for account in accounts:
            for scheme, secret in account.credentials.items():
                key = {"scheme": scheme, "secret": secret, "account": account.name}
                insert = self.insert_new(tables.credentials)
                # what opened another account before, opens this one now
                moved = insert.on_conflict_do_update(
                    index_elements=["scheme", "secret"], set_={"account": account.name}
                )
                connection.execute(moved, key)

    def insert_account(self, connection: sa.Connection, account: Account) -> bool:
        """Make an account without credentials, at the clock of all; says whether its name was free."""
        common = sa.select(tables.settings.c.value).where(tables.settings.c.name == tables.CLOCK).with_for_update()
        values = {
            "name": account.name,
            "opening": account.credits,
            "balance": account.credits,
            "submissions": 0,
            "clock": connection.execute(common).scalar_one(),
            "own_clock": False,
        }
        insert = self.insert_new(tables.accounts).on_conflict_do_nothing().returning(tables.accounts.c.name)
        return connection.execute(insert, values).scalar() is not None

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
        tasks, accounts = tables.tasks.c, tables.accounts.c
        last = sa.select(tasks.number).order_by(tasks.number.desc()).offset(keep).limit(1).scalar_subquery()
        until: dict[str, int] = {}
        with self.query() as connection:
            going = sa.select(accounts.clock).distinct().join(tables.tasks, accounts.name == tasks.account)
            for clock in connection.execute(going.where(tasks.number <= last)).scalars():
                ended = tasks.sealed | (tasks.ends_at <= clock_of(clock).at(machine()))
                oldest = (
                    sa.select(tasks.account, tasks.number)
                    .join(tables.accounts, accounts.name == tasks.account)
                    .where(tasks.number <= last, accounts.clock == clock, ended)
                    .order_by(tasks.number)
                    .limit(2 * _PRUNING_INTERVAL)
                )
                until |= {row.account: row.number for row in connection.execute(oldest)}
        for account, number in until.items():
            with suppress(KeyError), self.transaction() as connection:  # an account may be gone by now
                self._forget(connection, account, number, self.lock(connection, account).at(machine()))

    def _forget(self, connection: sa.Connection, account: str, number: int, now: int) -> None:
        """Forget the tasks of an account up to a number that have ended, and carry what their entries come to."""
        self.settle(connection, account, now)
        tasks, accounts, entries = tables.tasks.c, tables.accounts.c, tables.entries.c
        old = (tasks.account == account, tasks.number <= number, tasks.sealed | (tasks.ends_at <= now))
        theirs = sa.delete(tables.entries).where(entries.task.in_(sa.select(tasks.id).where(*old)))
        sums = dict.fromkeys(EntryKind, 0)
        for kind, amount in connection.execute(theirs.returning(entries.kind, entries.amount)):
            sums[EntryKind(kind)] += amount
        connection.execute(sa.delete(tables.tasks).where(*old))
        carried = {
            "carried": accounts.carried + sum(sums.values()),
            "carried_refunds": accounts.carried_refunds + sums[EntryKind.REFUND],
        }
        connection.execute(sa.update(tables.accounts).where(accounts.name == account).values(**carried))

    def count(self, connection: sa.Connection, name: Sequence[str], more: float) -> None:
        """Add to what is counted under a name."""
        insert = self.insert_new(tables.counts)
        sums = {"value": tables.counts.c.value + insert.excluded.value}
        upsert = insert.on_conflict_do_update(index_elements=["name"], set_=sums)
        connection.execute(upsert, {"name": json.dumps(list(name)), "value": float(more)})

    def _prepare(self) -> None:
        """Write the statements of what is done for every request."""
        accounts, credentials, tasks = tables.accounts.c, tables.credentials.c, tables.tasks.c
        find_caller = (
            sa.select(accounts.name, SCENARIO)
            .join(tables.credentials, credentials.account == accounts.name)
            .where(credentials.scheme == sa.bindparam("scheme"), credentials.secret == sa.bindparam("secret"))
        )
        find_task = (
            sa.select(tables.tasks, accounts.clock)
            .join(tables.accounts, accounts.name == tasks.account)
            .where(tasks.id == sa.bindparam("id"))
        )
        price = sa.bindparam("price", type_=sa.BigInteger)
        take = (
            sa.update(tables.accounts)
            .where(accounts.name == sa.bindparam("account"), accounts.balance >= price)
            .values(balance=accounts.balance - price, submissions=accounts.submissions + 1)
            .returning(accounts.submissions, accounts.clock)
        )
        dialect = self.dialect
        self._find_caller, self._find_task = Prepared(find_caller, dialect), Prepared(find_task, dialect)
        self._take = Prepared(take, dialect)
        self._insert_task = PreparedInsert(tables.tasks, dialect)
        self._insert_entry = PreparedInsert(tables.entries, dialect)

    def _accept(self, account: str, price: int, machine: Machine, make: Make) -> Task | None:
        """Take the price if it is there, and keep the task."""
        with self._driver(writing=True) as cursor:
            taken = self._take.run(cursor, account=account, price=price)
            if not taken:
                return None
            ((ordinal, clock),) = taken
            task, entries = make(ordinal, clock_of(clock).at(machine()))
            self._insert_task.add(cursor, tables.task_row(task))
            for entry in entries:
                self._insert_entry.add(cursor, tables.entry_row(entry))
        return task

    def settle(self, connection: sa.Connection, account: str, now: int) -> None:
        """Fold the refunds that have come due into the balance of an account that is locked."""
        entries = tables.entries.c
        due = (
            sa.update(tables.entries)
            .where(entries.account == account, ~entries.settled, entries.counts_from <= now)
            .values(settled=True)
            .returning(entries.amount)
        )
        amount = sum(connection.execute(due).scalars())
        if amount:
            update = sa.update(tables.accounts).where(tables.accounts.c.name == account)
            connection.execute(update.values(balance=tables.accounts.c.balance + amount))
