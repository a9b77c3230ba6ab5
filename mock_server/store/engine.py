"""The connection to a database: SQLite in memory or in a file, or PostgreSQL."""

from __future__ import annotations

import re
import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

import sqlalchemy as sa

IN_MEMORY: Final = (None, "", ":memory:")
_BUSY_SECONDS: Final = 10

_LOOK_SECONDS: Final = 0.0001
"""How long a writer sleeps until it looks again whether it is its turn. SQLite itself would sleep for up to 100 ms, and
all the time somebody quicker would have the turn."""
_AT_ONCE_SECONDS: Final = 0.002
"""Who waits for nobody still waits for so long, in which many a transaction ends."""

_SERVER: Final[Mapping[str, Any]] = {
    "pool_pre_ping": True,  # what the server has closed is opened again
    "pool_size": 10,
    "max_overflow": 0,
    "pool_timeout": _BUSY_SECONDS,
    "connect_args": {
        "connect_timeout": 5,
        "keepalives_idle": 5,
        "tcp_user_timeout": _BUSY_SECONDS * 1000,
        "options": f"-c statement_timeout={_BUSY_SECONDS}s -c idle_in_transaction_session_timeout=30s",
    },
}
"""How a server is spoken to: on so many connections at most, and nobody waits for it for long. In seconds and, as libpq
wants it, milliseconds."""

_LARGEST_CHECKED: Final = 256 * 1024 * 1024
"""Bytes of a file that is looked through at the start; to look through a larger one would take seconds."""


class NotAtOnceError(Exception):
    """It cannot be done without waiting for somebody else, or is not worth a way to do it so."""


class StoreError(Exception):
    """The database cannot be used; the message says which and why."""


@contextmanager
def usable(url: str) -> Iterator[None]:
    """Whatever goes wrong on the way to a database, a driver's own exceptions included, is a `StoreError`."""
    try:
        yield
    except (sa.exc.SQLAlchemyError, ImportError, ValueError) as error:
        raise StoreError(f"the database {_shown(url)} cannot be used: {_reason(error)}") from error


def make_engine(url: sa.URL) -> sa.Engine:
    """An engine that begins transactions as the store needs them."""
    options: dict[str, Any] = {"hide_parameters": True}  # errors are logged, and credentials are parameters
    if url.get_backend_name() != "sqlite":
        return sa.create_engine(url, **_SERVER, **options)
    if ":memory:" in (url.database or "")[1:] or "mode=memory" in str(url):
        raise ValueError("a database in memory is sqlite://, and is this process's own")
    if url.database in IN_MEMORY:
        options |= {"poolclass": sa.StaticPool, "connect_args": {"check_same_thread": False}}
    else:
        options |= {"connect_args": {"timeout": _BUSY_SECONDS, "check_same_thread": False}}
    engine = sa.create_engine(url, **options)
    sa.event.listen(engine, "connect", _prepare_sqlite)
    sa.event.listen(engine, "begin", _begin_sqlite)
    return engine


def begin_writing(execute: Callable[[str], object], *, wait: bool = True) -> None:
    """Begin a transaction of SQLite that will write.

    It takes the write lock at once: two that read first and then both want to write would shut each other out.

    Args:
        execute: carries out a statement.
        wait: whether to wait for others to end theirs.
    """
    if wait:
        execute("PRAGMA busy_timeout = 0")
    give_up = time.monotonic() + (_BUSY_SECONDS if wait else _AT_ONCE_SECONDS)
    try:
        while True:
            try:
                execute("BEGIN IMMEDIATE")
            except (sqlite3.OperationalError, sa.exc.OperationalError) as error:
                if not is_busy(error) or time.monotonic() > give_up:
                    raise
                time.sleep(_LOOK_SECONDS)
            else:
                return
    finally:
        if wait:
            execute(f"PRAGMA busy_timeout = {_BUSY_SECONDS * 1000}")


def is_busy(error: BaseException) -> bool:
    """Whether SQLite says that somebody else is at work; its codes have the reason in their upper bits."""
    code: int = getattr(getattr(error, "orig", error), "sqlite_errorcode", 0)
    return code & 0xFF == sqlite3.SQLITE_BUSY


def check_file(connection: sa.Connection) -> None:
    """Look for damage in a SQLite file.

    Raises:
        ValueError: if it is damaged.
    """
    (pages,), (size,) = (connection.exec_driver_sql(f"PRAGMA {name}").one() for name in ("page_count", "page_size"))
    if pages * size <= _LARGEST_CHECKED:
        found = str(connection.exec_driver_sql("PRAGMA quick_check(1)").scalar())
        if found != "ok":
            raise ValueError(f"it is damaged ({' '.join(found.split())}); take a copy of it, and begin with a new one")


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
            if not is_busy(error) or time.monotonic() > give_up:
                raise
            time.sleep(0.01)
        else:
            return


def _begin_sqlite(connection: sa.Connection) -> None:
    if connection.get_execution_options().get("reading", False):
        connection.exec_driver_sql("BEGIN")
    else:
        begin_writing(connection.exec_driver_sql)


def _shown(url: str) -> str:
    """The URL without its password, if it can be told apart at all."""
    try:
        return sa.make_url(url).render_as_string(hide_password=True)
    except (sa.exc.ArgumentError, ValueError):
        return repr(re.sub(":[^:/@]*@", ":***@", url))


def _reason(error: Exception) -> str:
    original = getattr(error, "orig", None) or error
    return " ".join(str(original).split())
