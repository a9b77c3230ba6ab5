"""A database as the store uses it: its tables, its transactions, and what is done at once."""

from __future__ import annotations

import json
import re
import sys
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import lru_cache

from mock_server.clock import REAL, Clock
from mock_server.store import tables
from mock_server.store.engine import Engine, Kind, NotAtOnceError, StoreError, Transaction

_SQLITE = "sqlite://"
_POSTGRES = re.compile(r"postgres(?:ql)?(?:\+psycopg)?://")
_PASSWORD = re.compile(r"(?<=://)([^:@/?]*):.*@|(?<=password=)[^&]*")


@lru_cache(maxsize=1024)
def clock_of(text: str) -> Clock:
    """The clock that is kept as text."""
    return Clock.from_json(json.loads(text))


def text_of(clock: Clock) -> str:
    """The text that a clock is kept as."""
    return json.dumps(clock.to_json())


class Database:
    """A database with the tables of a mock. Safe to use from any thread.

    Attributes:
        in_memory: whether the state is gone when the process ends.
        may_be_quick: whether it is worth while to try `at_once` first: where there is no way to a server.
    """

    def __init__(self, url: str, *, joins: bool = False) -> None:
        """Open a database, and make its tables if they are not there.

        Args:
            joins: whether somebody else has made them, and their absence is an error.

        Raises:
            StoreError: if the URL is malformed, or the database cannot be opened, or holds something else.
        """
        self._url = url
        self._errors: tuple[type[Exception], ...] = (ImportError, OSError, ValueError)
        self._local = threading.local()
        self._common: Transaction | None = None
        with self.usable():
            self._engine = _engine_of(url)
        self._errors += self._engine.errors
        self.in_memory = self._engine.in_memory
        self.may_be_quick = self._engine.is_near
        try:
            with self.usable():
                self._engine.open()
                self._make_tables(joins=joins)
        except BaseException:
            self.close()
            raise

    @contextmanager
    def usable(self) -> Iterator[None]:
        """Whatever goes wrong on the way to the database, its driver's own exceptions included, is a `StoreError`."""
        try:
            yield
        except self._errors as error:
            raise self._unusable(error) from error

    @contextmanager
    def at_once(self) -> Iterator[None]:
        """Do what is in the block without waiting for anybody: where that would be needed, there is a `NotAtOnceError`.

        Nothing has been done then, and it can be tried again outside. One thread may use this, such as that of an event
        loop: it spares a request the way through another thread.
        """
        self._local.at_once = True
        try:
            yield
        finally:
            self._local.at_once = False

    def close(self) -> None:
        """Close every connection."""
        self._engine.close()

    def _unusable(self, error: Exception) -> StoreError:
        reason = " ".join(str(error).split())
        return StoreError(f"the database {_without_password(self._url)} cannot be used: {reason}")

    @contextmanager
    def together(self) -> Iterator[None]:
        """Let all that is done at once in the block be written in one transaction.

        What fails in it must have written nothing, or leave the block, so that all of it is undone.
        """
        with self._quickly(Kind.WRITING) as transaction:
            self._common = transaction
            try:
                yield
            finally:
                self._common = None

    def transaction(self) -> AbstractContextManager[Transaction]:
        """A transaction that will write.

        Raises:
            StoreError: if the database cannot be used now, also while it lasts; that holds for all of these.
        """
        if self._at_once:
            raise NotAtOnceError  # such as this is not done often enough to be worth it
        return self._begin(Kind.WRITING)

    def query(self) -> AbstractContextManager[Transaction]:
        """A transaction that only reads, and sees one moment."""
        if self._at_once:
            raise NotAtOnceError
        return self._begin(Kind.READING)

    def _quickly(self, kind: Kind) -> AbstractContextManager[Transaction]:
        """A transaction for what is done for every request, at once where that is wanted."""
        at_once = self._at_once
        if at_once and self._common is not None:
            return nullcontext(self._common)
        return self._begin(kind, at_once=at_once)

    @contextmanager
    def _begin(self, kind: Kind, *, at_once: bool = False) -> Iterator[Transaction]:
        try:
            with self._engine.begin(kind, at_once=at_once) as transaction:
                yield transaction
        except self._engine.outage as error:
            raise self._unusable(error) from error

    @property
    def _at_once(self) -> bool:
        return getattr(self._local, "at_once", False)

    def _make_tables(self, *, joins: bool) -> None:
        """Make the tables of a new database.

        Raises:
            ValueError: if there are tables already that another version made, or somebody else; or none, where some
                have been made.
        """
        with self.transaction() as transaction:
            self._engine.lock_schema(transaction)
            found = self._engine.table_names(transaction) & {table.name for table in tables.ALL}
            if found:
                _check_version(transaction, found)
                return
            if joins:
                raise ValueError("its tables are gone, which were there when the mock was started; start it again")
            for statement in tables.statements(number=self._engine.number, keyed=self._engine.keyed):
                transaction.run(statement)
            values = {tables.CLOCK: text_of(REAL), tables.VERSION_NAME: str(tables.VERSION)}
            transaction.run_all(tables.SETTINGS.insertion, ({"name": name, "value": values[name]} for name in values))


def _check_version(transaction: Transaction, found: set[str]) -> None:
    if tables.SETTINGS.name not in found:
        raise ValueError(f"it holds a table of something else: {min(found)}")
    version: str | None = transaction.value("SELECT value FROM settings WHERE name = :name", name=tables.VERSION_NAME)
    if version != str(tables.VERSION):
        raise ValueError(
            f"another version of the mock made it, with tables of version {version or 1} and not {tables.VERSION}; "
            "begin with a new database, and import into it what that version exports as its state"
        )


def _engine_of(url: str) -> Engine:
    """The database with this URL, which need not be there yet.

    Raises:
        ValueError: for a URL that is malformed.
        ImportError: if its driver is not installed.
    """
    if url.startswith(_SQLITE):
        from mock_server.store.sqlite import SQLite  # noqa: PLC0415 - whoever uses the other one need not wait for it

        host, slash, path = url.removeprefix(_SQLITE).partition("/")
        if host:
            raise ValueError(
                f"{host!r} stands where a host would: it is sqlite:///file.db, or sqlite:////folder/file.db"
            )
        return SQLite(path if slash else "")
    named = _POSTGRES.match(url)
    if not named:
        raise ValueError("it is neither sqlite:///file.db nor postgresql+psycopg://user:password@host/name")
    try:
        from mock_server.store.postgres import Postgres  # noqa: PLC0415 - as above
    except ImportError as error:
        command = f"{sys.executable} -m pip install 'psycopg[binary]'"
        raise ImportError(f"PostgreSQL needs psycopg: {command}") from error
    return Postgres(url[named.end() :])


def _without_password(url: str) -> str:
    """A URL as it may be shown, whatever is wrong with it."""
    shown = _PASSWORD.sub(lambda found: "***" if found[1] is None else f"{found[1]}:***@", url)
    return shown if shown.isprintable() and shown else repr(shown)
