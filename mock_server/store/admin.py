"""What the control API does to the state, beyond what playing the contract needs.

Clocks may be set back. That undoes nothing: what has ended by then is sealed and its refunds are settled, what is at
work keeps the time it has left, since all its moments move with the clock.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from mock_server.accounts import MOST_CREDITS, Account
from mock_server.clock import Clock
from mock_server.ledger import Entry, EntryKind
from mock_server.store import tables
from mock_server.store.store import CLOCK, SCENARIO, Store, clock_of
from mock_server.task import Task


class TooManyCreditsError(ValueError):
    """A top-up would leave more credits than an account can have."""


@dataclass(frozen=True)
class Holder:
    """An account as its keeper sees it.

    Attributes:
        opening: the credits that it began with.
        settled: the balance without the refunds that have come due since it was last moved.
        credentials: the secret of each security scheme.
        clock: the one that it goes by; `own` says whether nobody else does.
        scenario: the name of the one that is on for it; None is the one of the start.
    """

    name: str
    opening: int
    settled: int
    credentials: Mapping[str, str]
    clock: Clock
    own: bool
    scenario: str | None


class Admin:
    """The state of a mock, for whoever controls it. Every method is one transaction."""

    def __init__(self, store: Store) -> None:
        self._store = store

    # ---------------------------------------------------------------- accounts

    def create(self, account: Account) -> bool:
        """Make an account; says whether the name was free."""
        with self._store.transaction() as connection:
            values = {"name": account.name, "opening": account.credits, "balance": account.credits, "submissions": 0}
            insert = self._store.insert_new(tables.accounts).returning(tables.accounts.c.name)
            made = connection.execute(insert, values).scalar() is not None
            if made:
                rows = [{"scheme": s, "secret": key, "account": account.name} for s, key in account.credentials.items()]
                connection.execute(sa.insert(tables.credentials), rows)
        return made

    def holders(self, names: Sequence[str] | None = None, *, after: str = "", limit: int = 1000) -> list[Holder]:
        """Accounts by name: these, or all after one."""
        accounts = tables.accounts.c
        query = sa.select(accounts.name, accounts.opening, accounts.balance, CLOCK, accounts.clock, SCENARIO)
        query = query.where(accounts.name > after if names is None else accounts.name.in_(names))
        with self._store.query() as connection:
            rows = connection.execute(query.order_by(accounts.name).limit(limit)).all()
            found = [row[0] for row in rows]
            keys = tables.credentials.c
            secrets = connection.execute(sa.select(tables.credentials).where(keys.account.in_(found))).all()
        known: dict[str, dict[str, str]] = {name: {} for name in found}
        for secret in secrets:
            known[secret.account][secret.scheme] = secret.secret
        return [
            Holder(name, opening, balance, known[name], clock_of(clock), own is not None, scenario)
            for name, opening, balance, clock, own, scenario in rows
        ]

    def top_up(self, entry: Entry) -> bool:
        """Add credits to an account; says whether there is one.

        Raises:
            TooManyCreditsError: if it would have more than an account can have.
        """
        accounts = tables.accounts.c
        with self._store.transaction() as connection:
            query = sa.select(accounts.balance).where(accounts.name == entry.account).with_for_update()
            balance = connection.execute(query).scalar()
            if balance is None:
                return False
            if balance + entry.amount > MOST_CREDITS:
                raise TooManyCreditsError(balance)
            update = sa.update(tables.accounts).where(accounts.name == entry.account)
            connection.execute(update.values(balance=accounts.balance + entry.amount))
            connection.execute(sa.insert(tables.entries), tables.entry_row(entry))
        return True

    def delete(self, account: str) -> bool:
        """Delete an account with all that is its own; says whether there was one."""
        with self._store.transaction() as connection:
            self._empty(connection, account)
            keys, names = tables.credentials, tables.accounts
            connection.execute(sa.delete(keys).where(keys.c.account == account))
            return bool(connection.execute(sa.delete(names).where(names.c.name == account)).rowcount)

    def restart(self, account: str) -> bool:
        """Put an account back to its beginning; says whether there is one."""
        with self._store.transaction() as connection:
            self._empty(connection, account)
            accounts = tables.accounts.c
            update = sa.update(tables.accounts).where(accounts.name == account)
            values = {"balance": accounts.opening, "submissions": 0, "clock": None, "scenario": None}
            return bool(connection.execute(update.values(**values)).rowcount)

    def clear(self) -> None:
        """Forget everything."""
        with self._store.transaction() as connection:
            self._clear(connection)

    def ledger(self, account: str, now: int, limit: int) -> list[Entry]:
        """The newest entries that count by now, oldest first."""
        entries = tables.entries.c
        query = (
            sa.select(tables.entries)
            .where(entries.account == account, entries.settled | (entries.counts_from <= now))
            .order_by(entries.counts_from.desc(), entries.number.desc())
            .limit(limit)
        )
        with self._store.query() as connection:
            rows = connection.execute(query).all()
        return [tables.entry_of(row) for row in reversed(rows)]

    # ------------------------------------------------------------------- tasks

    def tasks(self, account: str | None, *, after: str | None, limit: int) -> list[tuple[Task, Clock]]:
        """Tasks, newest first, each with the clock it goes by."""
        tasks, accounts = tables.tasks.c, tables.accounts.c
        query = sa.select(tables.tasks, CLOCK.label("time")).join(tables.accounts, accounts.name == tasks.account)
        if account is not None:
            query = query.where(tasks.account == account)
        if after is not None:
            query = query.where(tasks.number < sa.select(tasks.number).where(tasks.id == after).scalar_subquery())
        with self._store.query() as connection:
            rows = connection.execute(query.order_by(tasks.number.desc()).limit(limit)).all()
        return [(tables.task_of(row), clock_of(row.time)) for row in rows]

    def replan(self, task: Task, entries: Sequence[Entry], now: int) -> bool:
        """Give a task another plan, and the entries that come of it; says whether it had not ended yet."""
        tasks, kept = tables.tasks.c, tables.entries.c
        mine = (kept.task == task.id) & (kept.kind == EntryKind.REFUND.value)
        with self._store.transaction() as connection:
            # the account's lock: nobody settles its refunds meanwhile
            lock = sa.select(tables.accounts.c.name).where(tables.accounts.c.name == task.account).with_for_update()
            connection.execute(lock)
            refunded = sa.exists().where(mine & kept.settled)
            at_work = (tasks.id == task.id) & ~tasks.sealed & (tasks.ends_at > now) & ~refunded
            # sealed: who asks at the same moment may have looked at the clock a little earlier
            sealed = task.plan.ends_at <= now
            update = sa.update(tables.tasks).where(at_work).values(**tables.plan_row(task.plan), sealed=sealed)
            if not connection.execute(update).rowcount:
                return False
            connection.execute(sa.delete(tables.entries).where(mine))
            rows = [tables.entry_row(entry) for entry in entries if entry.kind is EntryKind.REFUND]
            if rows:
                connection.execute(sa.insert(tables.entries), rows)
        return True

    # ----------------------------------------------------- clocks and scenarios

    def clock(self) -> Clock:
        """The clock of all accounts that have none of their own."""
        with self._store.query() as connection:
            return clock_of(self._setting(connection, tables.CLOCK))

    def turn(self, account: str | None, change: Callable[[Clock], Clock | None], machine: int) -> Clock:
        """Change a clock: an account's own, or that of all others.

        Args:
            change: makes the new clock of the present one; None is the machine's time, or the clock of all.
            machine: the machine's time, in microseconds since 1970.

        Returns:
            the clock that is gone by from now on.

        Raises:
            KeyError: if there is no such account.
        """
        accounts = tables.accounts.c
        with self._store.transaction() as connection:
            common = clock_of(self._setting(connection, tables.CLOCK))
            if account is None:
                before = common
                whose: sa.ColumnElement[bool] = accounts.clock.is_(None)
                turned = change(before)
                self._set(connection, tables.CLOCK, None if turned is None else json.dumps(turned.to_json()))
                after = turned or Clock()
            else:
                query = sa.select(accounts.clock).where(accounts.name == account).with_for_update()
                row = connection.execute(query).one_or_none()
                if row is None:
                    raise KeyError(account)
                before, whose = common if row[0] is None else clock_of(row[0]), accounts.name == account
                turned = change(before)
                text = None if turned is None else json.dumps(turned.to_json())
                connection.execute(sa.update(tables.accounts).where(whose).values(clock=text))
                after = turned or common
            if after.at(machine) < before.at(machine):
                names = sa.select(accounts.name).where(whose)
                self._set_back(connection, names, before.at(machine), before.at(machine) - after.at(machine))
        return after

    def scenario(self) -> str | None:
        """The scenario of all accounts that have none of their own; None is the one of the start."""
        with self._store.query() as connection:
            return self._setting(connection, tables.SCENARIO)

    def switch(self, account: str | None, scenario: str | None) -> bool:
        """Switch the scenario of one account, or of all others; says whether there is such an account."""
        with self._store.transaction() as connection:
            if account is None:
                self._set(connection, tables.SCENARIO, scenario)
                return True
            update = sa.update(tables.accounts).where(tables.accounts.c.name == account).values(scenario=scenario)
            return bool(connection.execute(update).rowcount)

    # --------------------------------------------------------- save and restore

    def dump(self) -> dict[str, list[dict[str, Any]]]:
        """Every row of every table, as it was at one moment, in the order in which they came."""
        with self._store.query() as connection:
            return {
                table.name: [dict(row) for row in connection.execute(_in_order(table)).mappings()]
                for table in tables.metadata.sorted_tables
            }

    def load(self, rows: Mapping[str, Sequence[Mapping[str, Any]]]) -> None:
        """Put saved rows in the place of all there are: every one, or none.

        Raises:
            sqlalchemy.exc.SQLAlchemyError: if they do not fit.
        """
        with self._store.transaction() as connection:
            self._clear(connection)
            for table in tables.metadata.sorted_tables:
                if rows.get(table.name):
                    connection.execute(sa.insert(table), [dict(row) for row in rows[table.name]])

    # ------------------------------------------------------------------- inside

    def _set_back(self, connection: sa.Connection, names: sa.Select[str], now: int, by: int) -> None:
        """Seal what has ended by now, and move the rest back with the clock, both in microseconds."""
        tasks, entries, accounts = tables.tasks.c, tables.entries.c, tables.accounts.c
        due = entries.account.in_(names) & ~entries.settled & (entries.counts_from <= now)
        refunds = sa.select(sa.func.sum(entries.amount)).where(due, entries.account == accounts.name)
        more = sa.func.coalesce(refunds.scalar_subquery(), 0)
        connection.execute(
            sa.update(tables.accounts).where(accounts.name.in_(names)).values(balance=accounts.balance + more)
        )
        connection.execute(sa.update(tables.entries).where(due).values(settled=True))
        mine = tasks.account.in_(names)
        connection.execute(sa.update(tables.tasks).where(mine, tasks.ends_at <= now).values(sealed=True))
        going_on = sa.select(tasks.id).where(mine, ~tasks.sealed)
        moved = {"counts_from": entries.counts_from - by}
        connection.execute(sa.update(tables.entries).where(entries.task.in_(going_on)).values(**moved))
        moved = {"created_at": tasks.created_at - by, "ends_at": tasks.ends_at - by}
        connection.execute(sa.update(tables.tasks).where(mine, ~tasks.sealed).values(**moved))

    def _setting(self, connection: sa.Connection, name: str) -> str | None:
        query = sa.select(tables.settings.c.value).where(tables.settings.c.name == name)
        value: str | None = connection.execute(query).scalar()
        return value

    def _set(self, connection: sa.Connection, name: str, value: str | None) -> None:
        connection.execute(sa.delete(tables.settings).where(tables.settings.c.name == name))
        if value is not None:
            connection.execute(sa.insert(tables.settings), {"name": name, "value": value})

    def _empty(self, connection: sa.Connection, account: str) -> None:
        """Delete an account's ledger and tasks."""
        lock = sa.select(tables.accounts.c.name).where(tables.accounts.c.name == account).with_for_update()
        connection.execute(lock)
        connection.execute(sa.delete(tables.entries).where(tables.entries.c.account == account))
        connection.execute(sa.delete(tables.tasks).where(tables.tasks.c.account == account))

    def _clear(self, connection: sa.Connection) -> None:
        for table in reversed(tables.metadata.sorted_tables):
            connection.execute(sa.delete(table))


def _in_order(table: sa.Table) -> sa.Select[Any]:
    """The rows of a table in their order, without the number that only stands for it."""
    columns = [column for column in table.columns if column.name != "number"]
    return sa.select(*columns).order_by(*table.primary_key.columns)
