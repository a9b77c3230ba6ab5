"""How the databases are spoken to that there can be: SQLite in memory or in a file, and PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from enum import Enum, auto
from typing import Any, Final, Protocol

BUSY_SECONDS: Final = 10
"""How long a statement may wait for others."""

_AT_A_TIME: Final = 1000
"""Rows that are sent to a server before it has to say something."""

Row = tuple[Any, ...]


class NotAtOnceError(Exception):
    """It cannot be done without waiting for somebody else, or is not worth a way to do it so."""


class StoreError(Exception):
    """The database cannot be used; the message says which and why."""


class Kind(Enum):
    """What a transaction does: one statement that reads, several that all see the same moment, or it writes."""

    STATEMENT = auto()
    READING = auto()
    WRITING = auto()


class Cursor(Protocol):
    """The cursor of a driver (PEP 249), as far as it is used."""

    def execute(self, operation: str, parameters: Any = ..., /) -> Any: ...

    def executemany(self, operation: str, parameters: Any, /) -> Any: ...

    def fetchall(self) -> Sequence[Any]: ...


class Transaction:
    """A transaction, in which statements are carried out.

    They are written for both databases: parameters are `:named`, and what is read in order to change it is read
    `FOR UPDATE`. No text within a statement may have a colon before a letter.
    """

    def __init__(self, cursor: Cursor, spell: Callable[[str], str]) -> None:
        """Wrap a cursor.

        Args:
            spell: gives a statement as the driver wants it.
        """
        self._cursor = cursor
        self._spell = spell

    def rows(self, statement: str, /, **values: Any) -> Sequence[Row]:
        """Carry out a statement that returns rows."""
        self._cursor.execute(self._spell(statement), values)
        return self._cursor.fetchall()

    def value(self, statement: str, /, **values: Any) -> Any:
        """The first value of the first row, or None if there is no row."""
        rows = self.rows(statement, **values)
        return rows[0][0] if rows else None

    def run(self, statement: str, /, **values: Any) -> None:
        """Carry out a statement that returns no rows."""
        self._cursor.execute(self._spell(statement), values)

    def run_all(self, statement: str, rows: Iterable[Mapping[str, Any]]) -> None:
        """Carry out a statement that returns no rows, with each of these values."""
        statement, several = self._spell(statement), list(rows)
        for first in range(0, len(several), _AT_A_TIME):
            self._cursor.executemany(statement, several[first : first + _AT_A_TIME])


class Engine(Protocol):
    """A database.

    Attributes:
        in_memory: whether all is gone when this process ends.
        is_near: whether there is no way to a server, so that it is worth while to try things `at_once`.
        errors: what its driver raises.
        outage: that of them which is nobody's mistake: the `OperationalError` of PEP 249.
        number: the type of a column with the order in which rows came.
        keyed: what ends a table that is found by its key alone.
    """

    in_memory: bool
    is_near: bool
    errors: tuple[type[Exception], ...]
    outage: type[Exception]
    number: str
    keyed: str

    def open(self) -> None:
        """Connect for the first time, and look for damage.

        Raises:
            ValueError: if there is some; besides, what `errors` says.
        """
        ...

    def begin(self, kind: Kind, *, at_once: bool = False) -> AbstractContextManager[Transaction]:
        """A transaction, which ends with the block: whatever leaves it undoes what was done.

        Args:
            at_once: wait for nobody; what would have to wait is a `NotAtOnceError`. For one thread only.
        """
        ...

    def lock_schema(self, transaction: Transaction) -> None:
        """Keep others that begin at the same moment from making the tables too, until the transaction ends."""
        ...

    def table_names(self, transaction: Transaction) -> set[str]:
        """The tables that are there."""
        ...

    def close(self) -> None:
        """Close every connection."""
        ...
