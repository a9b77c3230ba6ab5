"""Where accounts, tasks and ledgers are kept: a database, through SQLAlchemy Core.

Credits move in one transaction whose first statement takes the price off the balance if, and only if, it is there.
The column `balance` holds the opening credits and every entry that has been settled; refunds that have come due but
are not settled yet are added when a balance is read, and folded in when a submission would fall short without them.
"""

from __future__ import annotations

import json
import re
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from mock_server.accounts import Account
from mock_server.ledger import Entry, EntryKind
from mock_server.task import Plan, Task

_metadata: Final = sa.MetaData()

_accounts: Final = sa.Table(
    "accounts",
    _metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("opening", sa.BigInteger, nullable=False),
    sa.Column("balance", sa.BigInteger, sa.CheckConstraint("balance >= 0"), nullable=False),
    sa.Column("submissions", sa.BigInteger, nullable=False),
)
_credentials: Final = sa.Table(
    "credentials",
    _metadata,
    sa.Column("scheme", sa.Text, primary_key=True),
    sa.Column("secret", sa.Text, primary_key=True),
    sa.Column("account", sa.Text, sa.ForeignKey("accounts.name"), nullable=False),
)
_tasks: Final = sa.Table(
    "tasks",
    _metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("account", sa.Text, sa.ForeignKey("accounts.name"), nullable=False),
    sa.Column("operation", sa.Text, nullable=False),
    sa.Column("request", sa.Text, nullable=False),
    sa.Column("credits", sa.BigInteger, nullable=False),
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.Column("base_url", sa.Text, nullable=False),
    sa.Column("outcome", sa.Text, nullable=False),
    sa.Column("ends_at", sa.BigInteger, nullable=False),
    sa.Column("error", sa.Text, nullable=False),  # JSON, since a client's own words may hold what Postgres cannot (NUL)
)
_entries: Final = sa.Table(
    "entries",
    _metadata,
    sa.Column("task", sa.Text, sa.ForeignKey("tasks.id"), primary_key=True),
    sa.Column("kind", sa.Text, primary_key=True),
    sa.Column("account", sa.Text, sa.ForeignKey("accounts.name"), nullable=False),
    sa.Column("amount", sa.BigInteger, nullable=False),
    sa.Column("counts_from", sa.BigInteger, nullable=False),
    sa.Column("settled", sa.Boolean, nullable=False),
    sa.Index(
        "entries_unsettled",
        "account",
        sqlite_where=sa.text("NOT settled"),
        postgresql_where=sa.text("NOT settled"),
    ),
)

_IN_MEMORY: Final = (None, "", ":memory:")
_BUSY_SECONDS: Final = 10


class StoreError(Exception):
    """The database cannot be used; the message says which and why."""


class Store:
    """The state of a mock. Every method is one transaction, and safe to call from any thread."""

    def __init__(self, url: str) -> None:
        """Open a database, and make its tables if they are not there.

        Raises:
            StoreError: if the URL is malformed, or the database cannot be opened, or holds something else.
        """
        with _usable(url):
            self._url = sa.make_url(url)
            self._engine = _engine(self._url)
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
        return self._sqlite and self._url.database in _IN_MEMORY

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
        with _usable(str(self._url)), self._transaction() as connection:
            connection.execute(sa.delete(_credentials).where(_credentials.c.account.in_(names)))
            for account in accounts:
                values = {
                    "name": account.name,
                    "opening": account.credits,
                    "balance": account.credits,
                    "submissions": 0,
                }
                connection.execute(self._insert_new(_accounts), values)
                for scheme, secret in account.credentials.items():
                    key = {"scheme": scheme, "secret": secret, "account": account.name}
                    connection.execute(self._insert_new(_credentials), key)

    def account_of(self, scheme: str, secret: str) -> str | None:
        """The name of the account that the credentials open, or None."""
        if "\0" in secret:  # which Postgres cannot even compare
            return None
        query = sa.select(_credentials.c.account).where(
            _credentials.c.scheme == scheme, _credentials.c.secret == secret
        )
        with self._query() as connection:
            name: str | None = connection.execute(query).scalar()
        return name

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
        with self._transaction() as connection:
            ordinal = self._take(connection, account, price)
            if ordinal is None and self._settle(connection, account, now):
                ordinal = self._take(connection, account, price)
            if ordinal is None:
                return None
            task, entries = make(ordinal)
            connection.execute(sa.insert(_tasks), _task_row(task))
            connection.execute(sa.insert(_entries), [_entry_row(entry) for entry in entries])
        return task

    def task(self, task_id: str) -> Task | None:
        """The task with this ID, or None."""
        with self._query() as connection:
            row = connection.execute(sa.select(_tasks).where(_tasks.c.id == task_id)).one_or_none()
        return _task(row) if row else None

    def balance(self, account: str, now: int) -> int:
        """The credits of an account.

        Raises:
            KeyError: if there is no such account.
        """
        due = sa.select(sa.func.coalesce(sa.func.sum(_entries.c.amount), 0)).where(
            _entries.c.account == account, ~_entries.c.settled, _entries.c.counts_from <= now
        )
        query = sa.select(_accounts.c.balance + due.scalar_subquery()).where(_accounts.c.name == account)
        with self._query() as connection:
            credits: int | None = connection.execute(query).scalar()
        if credits is None:
            raise KeyError(account)
        return credits

    def entries(self, account: str) -> list[Entry]:
        """The ledger of an account, with the refunds that are still to come."""
        query = (
            sa.select(_entries)
            .where(_entries.c.account == account)
            .order_by(_entries.c.counts_from, _entries.c.task, _entries.c.kind)
        )
        with self._query() as connection:
            rows = connection.execute(query).all()
        return [Entry(row.task, row.account, EntryKind(row.kind), row.amount, row.counts_from) for row in rows]

    def _make_tables(self) -> None:
        with self._transaction() as connection:
            _metadata.create_all(connection)
            for table in _metadata.sorted_tables:
                connection.execute(sa.select(table).limit(0))  # a table of this name may be somebody else's

    def _take(self, connection: sa.Connection, account: str, price: int) -> int | None:
        """Take credits if they are there; gives the number of the submission."""
        update = (
            sa.update(_accounts)
            .where(_accounts.c.name == account, _accounts.c.balance >= price)
            .values(balance=_accounts.c.balance - price, submissions=_accounts.c.submissions + 1)
            .returning(_accounts.c.submissions)
        )
        ordinal: int | None = connection.execute(update).scalar()
        return ordinal

    def _settle(self, connection: sa.Connection, account: str, now: int) -> bool:
        """Fold the refunds that have come due into the balance; says whether there were any."""
        lock = sa.select(_accounts.c.name).where(_accounts.c.name == account).with_for_update()
        connection.execute(lock)
        due = (
            sa.update(_entries)
            .where(_entries.c.account == account, ~_entries.c.settled, _entries.c.counts_from <= now)
            .values(settled=True)
            .returning(_entries.c.amount)
        )
        amount: int = sum(connection.execute(due).scalars())
        if amount:
            connection.execute(
                sa.update(_accounts).where(_accounts.c.name == account).values(balance=_accounts.c.balance + amount)
            )
        return amount > 0

    def _insert_new(self, table: sa.Table) -> sa.Insert:
        if self._engine.dialect.name == "postgresql":
            return postgresql.insert(table).on_conflict_do_nothing()
        return sqlite.insert(table).on_conflict_do_nothing()

    @contextmanager
    def _transaction(self) -> Iterator[sa.Connection]:
        with self._writing, self._engine.begin() as connection:
            yield connection

    @contextmanager
    def _query(self) -> Iterator[sa.Connection]:
        with self._reading, self._engine.connect() as connection:
            yield connection.execution_options(reading=True)


@contextmanager
def _usable(url: str) -> Iterator[None]:
    """Whatever goes wrong on the way to a database, a driver's own exceptions included, is a `StoreError`."""
    try:
        yield
    except (sa.exc.SQLAlchemyError, ImportError, ValueError) as error:
        raise StoreError(f"the database {_shown(url)} cannot be used: {_reason(error)}") from error


def _engine(url: sa.URL) -> sa.Engine:
    options: dict[str, Any] = {"hide_parameters": True}  # errors are logged, and credentials are parameters
    if url.get_backend_name() != "sqlite":
        return sa.create_engine(url, pool_pre_ping=True, **options)
    if url.database in _IN_MEMORY:
        options |= {"poolclass": sa.StaticPool, "connect_args": {"check_same_thread": False}}
    else:
        options |= {"connect_args": {"timeout": _BUSY_SECONDS}}
    engine = sa.create_engine(url, **options)
    sa.event.listen(engine, "connect", _prepare_sqlite)
    sa.event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None  # the driver must not begin transactions of its own
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA synchronous = NORMAL")  # survives any death of the process
    _use_write_ahead_log(connection)


def _use_write_ahead_log(connection: sqlite3.Connection) -> None:
    """Let readers go on while somebody writes.

    A new file has to be switched over once. For that SQLite refuses to wait, so several processes that begin with the
    same new file would shut each other out.
    """
    give_up = time.monotonic() + _BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > give_up:
                raise
            time.sleep(0.01)
        else:
            return


def _begin_sqlite(connection: sa.Connection) -> None:
    # A transaction that will write takes the write lock at once: two that read first and then both want to write
    # would shut each other out.
    reading = connection.get_execution_options().get("reading", False)
    connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")


def _task_row(task: Task) -> dict[str, Any]:
    return {
        "id": task.id,
        "account": task.account,
        "operation": task.operation,
        "request": json.dumps(task.request),
        "credits": task.credits,
        "created_at": task.created_at,
        "base_url": task.base_url,
        "outcome": task.plan.outcome,
        "ends_at": task.plan.ends_at,
        "error": json.dumps([task.plan.error_code, task.plan.error_message]),
    }


def _task(row: sa.Row[Any]) -> Task:
    return Task(
        id=row.id,
        account=row.account,
        operation=row.operation,
        request=json.loads(row.request),
        credits=row.credits,
        created_at=row.created_at,
        base_url=row.base_url,
        plan=Plan(row.outcome, row.ends_at, *json.loads(row.error)),
    )


def _entry_row(entry: Entry) -> dict[str, Any]:
    return {
        "task": entry.task,
        "kind": entry.kind.value,
        "account": entry.account,
        "amount": entry.amount,
        "counts_from": entry.counts_from,
        # a debit has been taken off the balance in the same transaction
        "settled": entry.kind is EntryKind.DEBIT,
    }


def _shown(url: str) -> str:
    """The URL without its password, if it can be told apart at all."""
    try:
        return sa.make_url(url).render_as_string(hide_password=True)
    except (sa.exc.ArgumentError, ValueError):
        return repr(re.sub(":[^:/@]*@", ":***@", url))


def _reason(error: Exception) -> str:
    original = getattr(error, "orig", None) or error
    return " ".join(str(original).split())
