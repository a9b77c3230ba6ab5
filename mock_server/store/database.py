"""A database as the store uses it: its tables, its transactions, and whose turn it is."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext, suppress
from functools import lru_cache
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa

from mock_server.clock import REAL, Clock
from mock_server.store import tables
from mock_server.store.engine import (
    IN_MEMORY,
    NotAtOnceError,
    begin_writing,
    check_file,
    is_busy,
    make_engine,
    usable,
)
from mock_server.store.prepared import Cursor, Prepared

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql, sqlite

_MAKING_TABLES: Final = 7_306_413
"""Names the lock under which PostgreSQL's tables are made; any number that nobody else uses."""


@contextmanager
def _releasing(lock: threading.Lock) -> Iterator[None]:
    try:
        yield
    finally:
        lock.release()


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
    """

    def __init__(self, url: str) -> None:
        """Open a database, and make its tables if they are not there.

        Raises:
            StoreError: if the URL is malformed, or the database cannot be opened, or holds something else.
        """
        with usable(url):
            self._url = sa.make_url(url)
            self._sqlite = self._url.get_backend_name() == "sqlite"
            self.in_memory = self._sqlite and self._url.database in IN_MEMORY
            self._engine = make_engine(self._url)
            # SQLite writes one transaction at a time. It would let others ask again and again, the unlucky for many
            # seconds; threads that queue are served at once. An in-memory database has but one connection to share.
            self._writing = threading.Lock() if self._sqlite else nullcontext()
            self._reading = self._writing if self.in_memory else nullcontext()
            self._local = threading.local()
            self._shared = self._engine.raw_connection() if self.in_memory else None
            self._at_once_connection: sa.PoolProxiedConnection | None = None
            self._common: Cursor | None = None
            try:
                self._make_tables()
                if self._sqlite:
                    with self.query() as connection:  # in which nobody has to wait for it
                        check_file(connection)
            except Exception:
                self.close()
                raise

    @property
    def dialect(self) -> sa.Dialect:
        """The words of the database."""
        return self._engine.dialect

    @property
    def url(self) -> str:
        """Where the database is, with its password."""
        return self._url.render_as_string(hide_password=False)

    @property
    def may_be_quick(self) -> bool:
        """Whether it is worth while to try `at_once` first: where there is no way to a server."""
        return self._sqlite

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
        for connection in (self._shared, self._at_once_connection):
            if connection is not None:
                connection.close()
        self._engine.dispose()

    def insert_new(self, table: sa.Table) -> sqlite.Insert | postgresql.Insert:
        """An insertion that can say what becomes of a row that is there already."""
        # the words of one database only: to import those of the others takes a start as long as all the files do
        words = import_module(f"sqlalchemy.dialects.{self.dialect.name}")
        insert: sqlite.Insert | postgresql.Insert = words.insert(table)
        return insert

    @contextmanager
    def together(self) -> Iterator[None]:
        """Let all that is done at once in the block be written in one transaction.

        What fails in it must have written nothing, or leave the block, so that all of it is undone.
        """
        with self._driver(writing=True) as cursor:
            self._common = cursor
            try:
                yield
            finally:
                self._common = None

    @contextmanager
    def transaction(self) -> Iterator[sa.Connection]:
        """A transaction that will write."""
        if self._at_once:
            raise NotAtOnceError  # such as this is not done often enough to be worth it
        with self._writing, self._engine.begin() as connection:
            yield connection

    @contextmanager
    def query(self) -> Iterator[sa.Connection]:
        """A transaction that only reads."""
        if self._at_once:
            raise NotAtOnceError
        with self._reading, self._engine.connect() as connection:
            # on PostgreSQL every statement would see another moment otherwise
            options = {"reading": True} if self._sqlite else {"isolation_level": "REPEATABLE READ"}
            yield connection.execution_options(**options)

    def _rows(self, statement: Prepared, **values: Any) -> Sequence[Any]:
        """The rows of a prepared query."""
        with self._driver(writing=False) as cursor:
            return statement.run(cursor, **values)

    @contextmanager
    def _driver(self, *, writing: bool) -> Iterator[Cursor]:
        """A transaction for prepared statements."""
        at_once = self._at_once
        if at_once and self._common is not None:
            yield self._common
            return
        with self._turn(writing=writing, wait=not at_once), self._connection(at_once=at_once) as connection:
            try:
                cursor = connection.cursor()
                if writing and self._sqlite:
                    begin_writing(cursor.execute, wait=not at_once)
                yield cursor
                connection.commit()
            except BaseException as error:
                with suppress(Exception):  # the connection may be lost, and what it had begun with it
                    connection.rollback()
                if at_once and is_busy(error):
                    raise NotAtOnceError from error
                raise

    def _connection(self, *, at_once: bool) -> AbstractContextManager[Any]:
        """A connection of the driver, which goes back to where it belongs when the block ends."""
        if self._shared is not None:
            return nullcontext(self._shared.driver_connection)
        if at_once:
            return nullcontext(self._connection_at_once().driver_connection)
        return closing(self._engine.raw_connection())

    @property
    def _at_once(self) -> bool:
        return getattr(self._local, "at_once", False)

    def _turn(self, *, writing: bool, wait: bool) -> AbstractContextManager[object]:
        """The turn of this thread among those of this process."""
        lock = self._writing if writing else self._reading
        if wait or isinstance(lock, nullcontext):
            return lock
        if not lock.acquire(blocking=False):
            raise NotAtOnceError
        return _releasing(lock)

    def _connection_at_once(self) -> sa.PoolProxiedConnection:
        """The connection of the one thread that waits for nobody."""
        if self._at_once_connection is None:
            self._at_once_thread = threading.get_ident()
            self._at_once_connection = self._engine.raw_connection()
            self._at_once_connection.cursor().execute("PRAGMA busy_timeout = 0")
        assert self._at_once_thread == threading.get_ident(), "several threads do things at once"  # noqa: S101 - a bug
        return self._at_once_connection

    def _make_tables(self) -> None:
        """Make the tables of a new database.

        Raises:
            ValueError: if there are tables already that another version made, or somebody else.
        """
        with self.transaction() as connection:
            if not self._sqlite:  # where several may begin together
                connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_MAKING_TABLES)))
            found = set(sa.inspect(connection).get_table_names()) & set(tables.metadata.tables)
            if found:
                self._check_version(connection, found)
                return
            tables.metadata.create_all(connection)
            values = {tables.CLOCK: text_of(REAL), tables.VERSION_NAME: str(tables.VERSION)}
            rows = [{"name": name, "value": value} for name, value in values.items()]
            connection.execute(sa.insert(tables.settings), rows)

    def _check_version(self, connection: sa.Connection, found: set[str]) -> None:
        if tables.settings.name not in found:
            raise ValueError(f"it holds a table of something else: {min(found)}")
        named = sa.select(tables.settings.c.value).where(tables.settings.c.name == tables.VERSION_NAME)
        version: str | None = connection.execute(named).scalar()
        if version != str(tables.VERSION):
            raise ValueError(
                f"another version of the mock made it, with tables of version {version or 1} and not {tables.VERSION}; "
                "begin with a new database, and import into it what that version exports as its state"
            )
