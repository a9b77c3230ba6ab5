"""SQLite, in the memory of this process or in a file that several share.

It writes one transaction at a time. It would let others ask again and again, the unlucky for many seconds: threads of
this process queue for it, and other processes are looked for in short turns.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path
from typing import Final
from urllib.parse import quote

from mock_server.store.engine import BUSY_SECONDS, Kind, NotAtOnceError, Transaction

_IN_MEMORY: Final = ("", ":memory:")

_LOOK_SECONDS: Final = 0.0001
"""How long a writer sleeps until it looks again whether it is its turn. SQLite itself would sleep for up to 100 ms, and
all the time somebody quicker would have the turn."""
_AT_ONCE_SECONDS: Final = 0.002
"""Who waits for nobody still waits for so long, in which many a transaction ends."""

_LOOK_FOR_FILE_SECONDS: Final = 0.1

_LARGEST_CHECKED: Final = 256 * 1024 * 1024
"""Bytes of a file that is looked through at the start; to look through a larger one would take seconds."""


class SQLite:
    """A SQLite database. Safe to use from any thread."""

    is_near = True
    errors: tuple[type[Exception], ...] = (sqlite3.Error,)
    outage: type[Exception] = sqlite3.OperationalError
    number = "INTEGER PRIMARY KEY"
    keyed = " WITHOUT ROWID"

    def __init__(self, path: str) -> None:
        """Name a database.

        Args:
            path: of the file, or a URI of SQLite that begins with `file:`; empty for one in memory.

        Raises:
            ValueError: for a URI of another kind of memory, and options of a file.
        """
        self.in_memory = path in _IN_MEMORY
        name = path.partition("?")[0]
        if not self.in_memory and (":memory:" in path or "mode=memory" in path or name.strip("/") == "file:"):
            raise ValueError("a database in memory is sqlite://, and is this process's own")
        if "?" in path and not path.startswith("file:"):
            raise ValueError("the name of a file has no ?, and a URI of SQLite's has to begin with file:")
        self._path = path
        self._file: tuple[str, int, int] | None = None
        self._looked = 0.0
        self._writing = threading.Lock()
        self._idle: deque[sqlite3.Connection] = deque()
        self._quick: deque[sqlite3.Connection] = deque()  # those that wait for nobody
        self._is_closed = False

    def open(self) -> None:
        """Connect for the first time, and look for damage.

        From now on the file is the one that it is now, wherever a symbolic link may lead later.

        Raises:
            ValueError: if there is some, or no folder for the file.
        """
        folder = Path(self._path).parent
        if not self.in_memory and not self._path.startswith("file:") and not folder.is_dir():
            raise ValueError(f"there is no folder {folder}; make it, or choose another one")
        with self.begin(Kind.READING) as transaction:
            (file,) = (name for _, place, name in transaction.rows("PRAGMA database_list") if place == "main")
            if file:
                self._file = _identity(file)
                _, question, options = self._path.partition("?")
                self._path = f"file:{quote(file)}{question}{options}" if self._path.startswith("file:") else file
            pages, size = (transaction.value(f"PRAGMA {name}") for name in ("page_count", "page_size"))
            if pages * size <= _LARGEST_CHECKED:
                found = str(transaction.value("PRAGMA quick_check(1)"))
                if found != "ok":
                    raise ValueError(
                        f"it is damaged ({' '.join(found.split())}); take a copy of it, and begin with a new one"
                    )

    @contextmanager
    def begin(self, kind: Kind, *, at_once: bool = False) -> Iterator[Transaction]:
        """A transaction, which ends with the block."""
        self._look_for_file()
        give_up = time.monotonic() + (_AT_ONCE_SECONDS if at_once else BUSY_SECONDS)
        with self._turn(kind, 0 if at_once else BUSY_SECONDS), self._lent(give_up, at_once=at_once) as connection:
            cursor = connection.cursor()
            try:
                if kind is Kind.WRITING:
                    _begin_writing(cursor.execute, give_up, is_quick=at_once)
                elif kind is Kind.READING:
                    cursor.execute("BEGIN")
                yield Transaction(cursor, spelt)
                connection.commit()
            except BaseException as error:
                with suppress(sqlite3.Error):  # what had begun may be undone already
                    connection.rollback()
                if at_once and _is_busy(error):
                    raise NotAtOnceError from error
                raise

    def lock_schema(self, _transaction: Transaction) -> None:
        """Nothing is to be done: whoever writes is alone."""

    def table_names(self, transaction: Transaction) -> set[str]:
        """The tables that are there."""
        return {name for (name,) in transaction.rows("SELECT name FROM sqlite_master WHERE type = 'table'")}

    def close(self) -> None:
        """Close every connection; those that are at work, when they are given back."""
        self._is_closed = True
        for kept in (self._idle, self._quick):
            with suppress(IndexError):
                while True:
                    kept.pop().close()

    def _look_for_file(self) -> None:
        """See now and then whether the file is still there: otherwise all would be gone with this process.

        Raises:
            OperationalError: if it is not; then it is looked for again the next time, however soon.
        """
        now = time.monotonic()
        if not self._file or now - self._looked < _LOOK_FOR_FILE_SECONDS:
            return
        if _identity(self._file[0]) != self._file:
            raise sqlite3.OperationalError("its file is gone, or another one is in its place; start the mock again")
        self._looked = now

    @contextmanager
    def _lent(self, give_up: float, *, at_once: bool) -> Iterator[sqlite3.Connection]:
        """A connection, which is kept afterwards if it still works."""
        kept = self._quick if at_once and not self.in_memory else self._idle
        try:
            connection = kept.pop()
        except IndexError:
            connection = self._connect(give_up, at_once=at_once)
        is_spoilt = False
        try:
            yield connection
        except sqlite3.Error as error:
            is_spoilt = not _is_busy(error)  # what a file is when it is opened, such as read-only, it stays
            raise
        finally:
            is_spoilt = is_spoilt or connection.in_transaction  # one that could not be undone must end
            if self._is_closed or (is_spoilt and not self.in_memory):  # with which all would be gone
                connection.close()
            else:
                kept.append(connection)

    def _connect(self, give_up: float, *, at_once: bool) -> sqlite3.Connection:
        path = ":memory:" if self.in_memory else self._path
        connection = sqlite3.connect(
            path,
            timeout=max(0.0, give_up - time.monotonic()),
            isolation_level=None,  # the driver must not begin transactions of its own
            check_same_thread=False,
            uri=path.startswith("file:"),
        )
        try:
            connection.execute("PRAGMA foreign_keys = ON")
            connection.execute("PRAGMA synchronous = NORMAL")  # survives any death of the process
            _use_write_ahead_log(connection, give_up)
            connection.execute(f"PRAGMA busy_timeout = {0 if at_once else BUSY_SECONDS * 1000}")
        except BaseException as error:
            connection.close()
            if at_once and _is_busy(error):
                raise NotAtOnceError from error
            raise
        return connection

    @contextmanager
    def _turn(self, kind: Kind, seconds: float) -> Iterator[None]:
        """The turn of this thread among those of this process, for which it waits for so long."""
        if kind is not Kind.WRITING and not self.in_memory:  # where all share one connection
            yield
        elif self._writing.acquire(timeout=seconds):
            try:
                yield
            finally:
                self._writing.release()
        elif seconds:  # whoever had the turn before has waited for others for as long
            raise sqlite3.OperationalError("database is locked")
        else:
            raise NotAtOnceError


def _identity(path: str) -> tuple[str, int, int] | None:
    """Which file is at a path, as long as it is there; None if none is.

    Raises:
        OperationalError: if nobody can tell.
    """
    try:
        status = Path(path).lstat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise sqlite3.OperationalError(f"its file cannot be looked for: {error.strerror}") from error
    return path, status.st_dev, status.st_ino


@lru_cache(maxsize=1024)
def spelt(statement: str) -> str:
    """A statement in SQLite's words: whoever writes has locked everything from the beginning."""
    return statement.replace(" FOR UPDATE", "")


def _begin_writing(execute: Callable[[str], object], give_up: float, *, is_quick: bool) -> None:
    """Begin a transaction that will write.

    It takes the write lock at once: two that read first and then both want to write would shut each other out.

    Args:
        execute: carries out a statement.
        give_up: when to wait no longer for others to end theirs.
        is_quick: whether the connection is the one that waits for nobody in anything.
    """
    if not is_quick:
        execute("PRAGMA busy_timeout = 0")
    try:
        while True:
            try:
                execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError as error:
                if not _is_busy(error) or time.monotonic() > give_up:
                    raise
                time.sleep(_LOOK_SECONDS)
            else:
                return
    finally:
        if not is_quick:
            execute(f"PRAGMA busy_timeout = {BUSY_SECONDS * 1000}")


def _is_busy(error: BaseException) -> bool:
    """Whether SQLite says that somebody else is at work; its codes have the reason in their upper bits."""
    code: int = getattr(error, "sqlite_errorcode", 0)
    return code & 0xFF == sqlite3.SQLITE_BUSY


def _use_write_ahead_log(connection: sqlite3.Connection, give_up: float) -> None:
    """Let readers go on while somebody writes.

    A new file has to be switched over once. For that SQLite refuses to wait, so several processes that begin with the
    same new file would shut each other out.
    """
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if not _is_busy(error) or time.monotonic() > give_up:
                raise
            time.sleep(0.01)
        else:
            return
