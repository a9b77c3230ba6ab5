"""Statements that are written once and sent to the driver as they are.

SQLAlchemy writes each statement in the words of the database, and gives a connection of its pool. What is done for
every request goes past the rest of it, which would take ten times as long as SQLite takes to carry the statement out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import sqlalchemy as sa


class Cursor(Protocol):
    """The cursor of a driver (PEP 249), as far as it is used."""

    def execute(self, operation: str, parameters: Any = ..., /) -> Any: ...

    def fetchall(self) -> Sequence[Any]: ...


class Prepared:
    """A statement with named parameters."""

    def __init__(self, statement: sa.ClauseElement, dialect: sa.Dialect) -> None:
        compiled: Any = statement.compile(dialect=dialect)
        self._text: str = compiled.string
        self._positions: list[str] | None = compiled.positiontup if compiled.positional else None
        self._known: Mapping[str, Any] = compiled.params

    def run(self, cursor: Cursor, **values: Any) -> Sequence[Any]:
        """Carry out a statement that returns rows."""
        order = self._positions
        if order is None:
            cursor.execute(self._text, {**self._known, **values})
        else:
            known = self._known
            cursor.execute(self._text, [values[name] if name in values else known[name] for name in order])
        return cursor.fetchall()


class PreparedInsert(Prepared):
    """The insertion of a row, whose parameters are its columns."""

    def __init__(self, table: sa.Table, dialect: sa.Dialect) -> None:
        columns: dict[str, Any] = {
            column.name: sa.bindparam(column.name) for column in table.columns if column.identity is None
        }
        super().__init__(sa.insert(table).values(columns), dialect)

    def add(self, cursor: Cursor, row: Mapping[str, Any]) -> None:
        """Insert a row."""
        order = self._positions
        cursor.execute(self._text, row if order is None else [row[name] for name in order])
