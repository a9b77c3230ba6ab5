"""What playing the contract needs of the database.

Credits move in one transaction whose first statement takes the price off the balance if, and only if, it is there.
The column `balance` holds the opening credits and every entry that has been settled; refunds that have come due but
are not settled yet are added when a balance is read, and folded in when a submission would fall short without them.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from functools import lru_cache

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from mock_server.accounts import Account
from mock_server.clock import REAL, Clock
from mock_server.ledger import Entry
from mock_server.store import tables
from mock_server.store.engine import IN_MEMORY, make_engine, usable
from mock_server.task import Task


@dataclass(frozen=True)
class Caller:
    """An account that has shown its credentials, and how the mock plays for it.

    Attributes:
        account: its name.
        clock: the one that it goes by, its own or that of all.
        scenario: the name of the one that is on for it; None is the one of the start.
    """

    account: str
    clock: Clock
    scenario: str | None


def setting(name: str) -> sa.ScalarSelect[str]:
    """What is set for all accounts."""
    return sa.select(tables.settings.c.value).where(tables.settings.c.name == name).scalar_subquery()


@lru_cache(maxsize=1024)
def clock_of(text: str | None) -> Clock:
    """The clock that is kept as text."""
    return REAL if text is None else Clock.from_json(json.loads(text))


# What holds for an account: its own, or that of all.
CLOCK = sa.func.coalesce(tables.accounts.c.clock, setting(tables.CLOCK))
SCENARIO = sa.func.coalesce(tables.accounts.c.scenario, setting(tables.SCENARIO))


class Store:
    """The state of a mock. Every method is one transaction, and safe to call from any thread."""

    def __init__(self, url: str) -> None:
        """Open a database, and make its tables if they are not there.

        Raises:
            StoreError: if the URL is malformed, or the database cannot be opened, or holds something else.
        """
        with usable(url):
            self._url = sa.make_url(url)
            self._engine = make_engine(self._url)
            # SQLite writes one transaction at a time. It would let others ask again and again, the unlucky for many
            # seconds; threads that queue are served at once. An in-memory database has but one connection to share.
            self._writing = threading.Lock() if self._sqlite else nullcontext()
            self._reading = self._writing if self.in_memory else nullcontext()
            try:
                self._make_tables()
            except Exception:
                self.close()
                raise

    @property
    def in_memory(self) -> bool:
        """Whether the state is gone when the process ends."""
        return self._sqlite and self._url.database in IN_MEMORY

    @property
    def _sqlite(self) -> bool:
        return self._url.get_backend_name() == "sqlite"

    def close(self) -> None:
        """Close every connection."""
        self._engine.dispose()

    def add_accounts(self, accounts: Sequence[Account]) -> None:
        """Make accounts that are not there yet; those that are keep their balance and tasks.

        Credentials are no state: these, and no others, open the accounts from now on.

        Raises:
            StoreError: if the database cannot be written to.
        """
        names = [account.name for account in accounts]
        with usable(str(self._url)), self.transaction() as connection:
            connection.execute(sa.delete(tables.credentials).where(tables.credentials.c.account.in_(names)))
            for account in accounts:
                values = {
                    "name": account.name,
                    "opening": account.credits,
                    "balance": account.credits,
                    "submissions": 0,
                }
                connection.execute(self.insert_new(tables.accounts), values)
                for scheme, secret in account.credentials.items():
                    key = {"scheme": scheme, "secret": secret, "account": account.name}
                    connection.execute(self.insert_new(tables.credentials), key)

    def caller(self, scheme: str, secret: str) -> Caller | None:
        """Whose credentials these are, or None if they open no account."""
        if "\0" in secret:  # which Postgres cannot even compare
            return None
        query = (
            sa.select(tables.accounts.c.name, CLOCK, SCENARIO)
            .join(tables.credentials, tables.credentials.c.account == tables.accounts.c.name)
            .where(tables.credentials.c.scheme == scheme, tables.credentials.c.secret == secret)
        )
        with self.query() as connection:
            row = connection.execute(query).one_or_none()
        return Caller(row[0], clock_of(row[1]), row[2]) if row else None

    def submit(
        self,
        account: str,
        price: int,
        now: int,
        make: Callable[[int], tuple[Task, Sequence[Entry]]],
    ) -> Task | None:
        """Take the price off an account and keep the task that it pays for: both, or neither.

        Args:
            price: in credits.
            now: the time, in microseconds since 1970: refunds that count by then can be spent.
            make: makes the task and its ledger entries, given which of the account's submissions this is, from 1.

        Returns:
            the task, or None if the balance is under the price.
        """
        with self.transaction() as connection:
            ordinal = self._take(connection, account, price)
            if ordinal is None and self.settle(connection, account, now):
                ordinal = self._take(connection, account, price)
            if ordinal is None:
                return None
            task, entries = make(ordinal)
            connection.execute(sa.insert(tables.tasks), tables.task_row(task))
            connection.execute(sa.insert(tables.entries), [tables.entry_row(entry) for entry in entries])
        return task

    def task(self, task_id: str) -> Task | None:
        """The task with this ID, or None."""
        with self.query() as connection:
            row = connection.execute(sa.select(tables.tasks).where(tables.tasks.c.id == task_id)).one_or_none()
        return tables.task_of(row) if row else None

    def clock(self, account: str) -> Clock:
        """The clock that an account goes by.

        Raises:
            KeyError: if there is no such account.
        """
        with self.query() as connection:
            row = connection.execute(sa.select(CLOCK).where(tables.accounts.c.name == account)).one_or_none()
        if row is None:
            raise KeyError(account)
        return clock_of(row[0])

    def balance(self, account: str, now: int) -> int:
        """The credits of an account.

        Raises:
            KeyError: if there is no such account.
        """
        due = sa.select(sa.func.coalesce(sa.func.sum(tables.entries.c.amount), 0)).where(
            tables.entries.c.account == account, ~tables.entries.c.settled, tables.entries.c.counts_from <= now
        )
        query = sa.select(tables.accounts.c.balance + due.scalar_subquery()).where(tables.accounts.c.name == account)
        with self.query() as connection:
            credits: int | None = connection.execute(query).scalar()
        if credits is None:
            raise KeyError(account)
        return credits

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

    def _make_tables(self) -> None:
        with self.transaction() as connection:
            tables.metadata.create_all(connection)
            for table in tables.metadata.sorted_tables:
                connection.execute(sa.select(table).limit(0))  # a table of this name may be somebody else's

    def _take(self, connection: sa.Connection, account: str, price: int) -> int | None:
        """Take credits if they are there; gives the number of the submission."""
        update = (
            sa.update(tables.accounts)
            .where(tables.accounts.c.name == account, tables.accounts.c.balance >= price)
            .values(balance=tables.accounts.c.balance - price, submissions=tables.accounts.c.submissions + 1)
            .returning(tables.accounts.c.submissions)
        )
        ordinal: int | None = connection.execute(update).scalar()
        return ordinal

    def settle(self, connection: sa.Connection, account: str, now: int) -> bool:
        """Fold the refunds that have come due into the balance; says whether there were any."""
        lock = sa.select(tables.accounts.c.name).where(tables.accounts.c.name == account).with_for_update()
        connection.execute(lock)
        due = (
            sa.update(tables.entries)
            .where(tables.entries.c.account == account, ~tables.entries.c.settled, tables.entries.c.counts_from <= now)
            .values(settled=True)
            .returning(tables.entries.c.amount)
        )
        amount: int = sum(connection.execute(due).scalars())
        if amount:
            connection.execute(
                sa.update(tables.accounts)
                .where(tables.accounts.c.name == account)
                .values(balance=tables.accounts.c.balance + amount)
            )
        return amount > 0

    def insert_new(self, table: sa.Table) -> sa.Insert:
        """An insertion that leaves a row alone that is there already."""
        if self._engine.dialect.name == "postgresql":
            return postgresql.insert(table).on_conflict_do_nothing()
        return sqlite.insert(table).on_conflict_do_nothing()

    @contextmanager
    def transaction(self) -> Iterator[sa.Connection]:
        """A transaction that will write."""
        with self._writing, self._engine.begin() as connection:
            yield connection

    @contextmanager
    def query(self) -> Iterator[sa.Connection]:
        """A transaction that only reads."""
        with self._reading, self._engine.connect() as connection:
            yield connection.execution_options(reading=True)
