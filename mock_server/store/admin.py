"""What the control API does to the state, beyond what playing the contract needs.

Clocks may be set back. That undoes nothing: what has ended by then is sealed and its refunds are settled, what is at
work keeps the time it has left, since its end moves with the clock. When a task was accepted stays as it was.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from mock_server.accounts import MOST_CREDITS, Account
from mock_server.clock import REAL, Clock
from mock_server.ledger import Entry, EntryKind
from mock_server.store import tables
from mock_server.store.database import clock_of, text_of
from mock_server.store.engine import usable
from mock_server.store.store import SCENARIO, Machine, Store
from mock_server.task import HELD, Task

Change = Callable[[Clock, int], Clock | None]
"""Makes another clock of the present one and the machine's time; None is the machine's time, or the clock of all."""


class TooManyCreditsError(ValueError):
    """A top-up would leave more credits than an account can have."""


@dataclass(frozen=True)
class Holder:
    """An account as its keeper sees it.

    Attributes:
        opening: the credits that it began with.
        balance: the credits that it has now.
        credentials: the secret of each security scheme.
        clock: the one that it goes by; `own` says whether nobody else does.
        scenario: the name of the one that is on for it; None is the one of the start.
    """

    name: str
    opening: int
    balance: int
    credentials: Mapping[str, str]
    clock: Clock
    own: bool
    scenario: str | None


@dataclass(frozen=True)
class Ledger:
    """The newest entries of an account that count by now, oldest first, and the balance that they lead to."""

    opening: int
    balance: int
    entries: Sequence[Entry]


class Admin:
    """The state of a mock, for whoever controls it. Every method is one transaction.

    Those that are about one account raise `KeyError` if there is no such account.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    # ---------------------------------------------------------------- accounts

    def create(self, account: Account) -> bool:
        """Make an account; says whether the name was free."""
        with self._store.transaction() as connection:
            made = self._store.insert_account(connection, account)
            if made:
                rows = [{"scheme": s, "secret": key, "account": account.name} for s, key in account.credentials.items()]
                connection.execute(sa.insert(tables.credentials), rows)
        return made

    def holders(
        self, machine: Machine, names: Sequence[str] | None = None, *, after: str = "", limit: int = 1000
    ) -> list[Holder]:
        """Accounts by name: these, or all after one."""
        accounts = tables.accounts.c
        query = sa.select(
            accounts.name, accounts.opening, accounts.balance, accounts.clock, accounts.own_clock, SCENARIO
        ).where(accounts.name > after if names is None else accounts.name.in_(names))
        with self._store.query() as connection:
            rows = connection.execute(query.order_by(accounts.name).limit(limit)).all()
            known: dict[str, dict[str, str]] = {row[0]: {} for row in rows}
            keys = sa.select(tables.credentials).where(tables.credentials.c.account.in_(known))
            for secret in connection.execute(keys):
                known[secret.account][secret.scheme] = secret.secret
            return [
                Holder(
                    name=name,
                    opening=opening,
                    balance=balance + self._store.due(connection, name, clock_of(clock).at(machine())),
                    credentials=known[name],
                    clock=clock_of(clock),
                    own=own,
                    scenario=scenario,
                )
                for name, opening, balance, clock, own, scenario in rows
            ]

    def top_up(self, account: str, machine: Machine, make: Callable[[int], Entry]) -> None:
        """Add credits to an account.

        Args:
            make: makes the entry, given the moment.

        Raises:
            TooManyCreditsError: if the account would have more than one can have.
        """
        accounts = tables.accounts.c
        with self._store.transaction() as connection:
            entry = make(self._store.lock(connection, account).at(machine()))
            balance: int = connection.execute(sa.select(accounts.balance).where(accounts.name == account)).scalar_one()
            to_come = sa.select(sa.func.sum(tables.entries.c.amount)).where(
                tables.entries.c.account == account, ~tables.entries.c.settled
            )
            if balance + int(connection.execute(to_come).scalar() or 0) + entry.amount > MOST_CREDITS:
                raise TooManyCreditsError(balance)
            update = sa.update(tables.accounts).where(accounts.name == account)
            connection.execute(update.values(balance=accounts.balance + entry.amount))
            connection.execute(sa.insert(tables.entries), tables.entry_row(entry))

    def delete(self, account: str) -> None:
        """Delete an account with all that is its own."""
        with self._store.transaction() as connection:
            self._empty(connection, account)
            keys, names = tables.credentials, tables.accounts
            connection.execute(sa.delete(keys).where(keys.c.account == account))
            connection.execute(sa.delete(names).where(names.c.name == account))

    def restart(self, account: str) -> None:
        """Put an account back to its beginning, and to the clock and the scenario of all."""
        accounts, settings = tables.accounts.c, tables.settings.c
        with self._store.transaction() as connection:
            self._empty(connection, account)
            common = sa.select(settings.value).where(settings.name == tables.CLOCK).scalar_subquery()
            values = {"balance": accounts.opening, "carried": 0, "carried_refunds": 0, "submissions": 0}
            update = sa.update(tables.accounts).where(accounts.name == account)
            connection.execute(update.values(**values, clock=common, own_clock=False, scenario=None))

    def reset(self, accounts: Sequence[Account]) -> None:
        """Forget everything, and begin anew with these accounts."""
        with self._store.transaction() as connection:
            self._clear(connection)
            self._set(connection, tables.CLOCK, text_of(REAL))
            self._store.insert_accounts(connection, accounts)

    def ledger(self, account: str, machine: Machine, limit: int) -> Ledger:
        """The newest entries of an account that count by now."""
        accounts, entries = tables.accounts.c, tables.entries.c
        query = sa.select(accounts.opening, accounts.balance, accounts.clock).where(accounts.name == account)
        with self._store.query() as connection:
            row = connection.execute(query).one_or_none()
            if row is None:
                raise KeyError(account)
            now = clock_of(row.clock).at(machine())
            newest = (
                sa.select(tables.entries)
                .where(entries.account == account, entries.settled | (entries.counts_from <= now))
                .order_by(entries.counts_from.desc(), entries.number.desc())
                .limit(limit)
            )
            found = [tables.entry_of(entry) for entry in connection.execute(newest)]
            return Ledger(row.opening, row.balance + self._store.due(connection, account, now), found[::-1])

    # ------------------------------------------------------------------- tasks

    def tasks(self, account: str | None, *, after: str | None, limit: int) -> list[tuple[Task, Clock]]:
        """Tasks, newest first, each with the clock it goes by."""
        tasks, accounts = tables.tasks.c, tables.accounts.c
        query = sa.select(tables.tasks, accounts.clock.label("time")).join(
            tables.accounts, accounts.name == tasks.account
        )
        if account is not None:
            query = query.where(tasks.account == account)
        if after is not None:
            query = query.where(tasks.number < sa.select(tasks.number).where(tasks.id == after).scalar_subquery())
        with self._store.query() as connection:
            rows = connection.execute(query.order_by(tasks.number.desc()).limit(limit)).all()
        return [(tables.task_of(row), clock_of(row.time)) for row in rows]

    def replan(self, task: Task, machine: Machine, plan: Callable[[int], tuple[Task, Sequence[Entry]]]) -> Task | None:
        """Give a task another plan.

        Args:
            plan: makes the task with the plan, and all its entries, given the moment.

        Returns:
            the task as it is now, or None if it had ended already.
        """
        tasks, kept = tables.tasks.c, tables.entries.c
        refund = (kept.task == task.id) & (kept.kind == EntryKind.REFUND.value)
        with self._store.transaction() as connection:
            now = self._store.lock(connection, task.account).at(machine())
            planned, entries = plan(now)
            at_work = (tasks.id == task.id) & ~tasks.sealed & (tasks.ends_at > now)
            values = tables.plan_row(planned.plan)
            update = sa.update(tables.tasks).where(at_work).values(**values, sealed=planned.sealed)
            if not connection.execute(update.returning(tasks.id)).all():
                return None
            connection.execute(sa.delete(tables.entries).where(refund))
            rows = [tables.entry_row(entry) for entry in entries if entry.kind is EntryKind.REFUND]
            if rows:
                connection.execute(sa.insert(tables.entries), rows)
        return planned

    # ----------------------------------------------------- clocks and scenarios

    def clock(self) -> Clock:
        """The clock of all accounts that have none of their own."""
        with self._store.query() as connection:
            return clock_of(str(self._setting(connection, tables.CLOCK)))

    def turn(self, account: str | None, change: Change, machine: Machine) -> Clock:
        """Change a clock, an account's own or that of all others; gives the one that is gone by from now on."""
        accounts = tables.accounts.c
        with self._store.transaction() as connection:
            if account is None:
                before = self._store.lock_all(connection)
                now = machine()
                after = change(before, now) or REAL
                whose, own = ~accounts.own_clock, False
                self._set(connection, tables.CLOCK, text_of(after))
            else:
                common = clock_of(str(self._setting(connection, tables.CLOCK, lock=True)))
                before = self._store.lock(connection, account)
                now = machine()
                turned = change(before, now)
                after, own = turned or common, turned is not None
                whose = accounts.name == account
            if after.at(now) < before.at(now):
                names = sa.select(accounts.name).where(whose)
                self._set_back(connection, names, before.at(now), before.at(now) - after.at(now))
            update = sa.update(tables.accounts).where(whose)
            connection.execute(update.values(clock=text_of(after), own_clock=own))
        return after

    def scenario(self) -> str | None:
        """The scenario of all accounts that have none of their own; None is the one of the start."""
        with self._store.query() as connection:
            return self._setting(connection, tables.SCENARIO)

    def switch(self, account: str | None, scenario: str | None) -> None:
        """Switch the scenario of one account, or of all others."""
        with self._store.transaction() as connection:
            if account is None:
                self._set(connection, tables.SCENARIO, scenario)
                return
            self._store.lock(connection, account)
            update = sa.update(tables.accounts).where(tables.accounts.c.name == account)
            connection.execute(update.values(scenario=scenario))

    # --------------------------------------------------------- save and restore

    def dump(self) -> dict[str, list[dict[str, Any]]]:
        """Every row of every table, as it was at one moment, in the order in which they came."""
        with self._store.query() as connection:
            return {
                table.name: [dict(row) for row in connection.execute(_in_order(table)).mappings()]
                for table in tables.STATE
            }

    def load(self, rows: Mapping[str, Sequence[Mapping[str, Any]]]) -> None:
        """Put saved rows in the place of all there are: every one, or none.

        Raises:
            StoreError: if the database does not take them.
        """
        with usable(self._store.url), self._store.transaction() as connection:
            self._clear(connection)
            for table in tables.STATE:
                if table is not tables.settings and rows.get(table.name):
                    connection.execute(sa.insert(table), [dict(row) for row in rows[table.name]])
            for setting in rows[tables.settings.name]:
                self._set(connection, setting["name"], setting["value"])

    # ------------------------------------------------------------------- inside

    def _set_back(self, connection: sa.Connection, names: sa.Select[str], now: int, by: int) -> None:
        """Seal what has ended by now, and move the rest back with the clock, both in microseconds."""
        tasks, entries, accounts = tables.tasks.c, tables.entries.c, tables.accounts.c
        due = entries.account.in_(names) & ~entries.settled & (entries.counts_from <= now)
        refunds = sa.select(sa.func.sum(entries.amount)).where(due, entries.account == accounts.name)
        more = sa.cast(sa.func.coalesce(refunds.scalar_subquery(), 0), sa.BigInteger)
        connection.execute(
            sa.update(tables.accounts).where(accounts.name.in_(names)).values(balance=accounts.balance + more)
        )
        connection.execute(sa.update(tables.entries).where(due).values(settled=True))
        mine = tasks.account.in_(names)
        connection.execute(sa.update(tables.tasks).where(mine, tasks.ends_at <= now).values(sealed=True))
        going_on = sa.select(tasks.id).where(mine, ~tasks.sealed)
        to_come = entries.task.in_(going_on) & ~entries.settled
        connection.execute(sa.update(tables.entries).where(to_come).values(counts_from=entries.counts_from - by))
        # what has moved credits already has done so by now, whatever the clock said then
        late = entries.account.in_(names) & entries.settled & (entries.counts_from > now - by)
        connection.execute(sa.update(tables.entries).where(late).values(counts_from=now - by))
        going_on_too = sa.update(tables.tasks).where(mine, ~tasks.sealed, tasks.ends_at <= HELD // 2)
        connection.execute(going_on_too.values(ends_at=tasks.ends_at - by))

    def _setting(self, connection: sa.Connection, name: str, *, lock: bool = False) -> str | None:
        query = sa.select(tables.settings.c.value).where(tables.settings.c.name == name)
        value: str | None = connection.execute(query.with_for_update() if lock else query).scalar()
        return value

    def _set(self, connection: sa.Connection, name: str, value: str | None) -> None:
        if value is None:
            connection.execute(sa.delete(tables.settings).where(tables.settings.c.name == name))
            return
        insert = self._store.insert_new(tables.settings)
        upsert = insert.on_conflict_do_update(index_elements=["name"], set_={"value": value})
        connection.execute(upsert, {"name": name, "value": value})

    def _empty(self, connection: sa.Connection, account: str) -> None:
        """Delete an account's ledger and tasks."""
        self._store.lock(connection, account)
        connection.execute(sa.delete(tables.entries).where(tables.entries.c.account == account))
        connection.execute(sa.delete(tables.tasks).where(tables.tasks.c.account == account))

    def _clear(self, connection: sa.Connection) -> None:
        """Delete everything but the clock of all, which whoever locks all has to find."""
        self._store.lock_all(connection)
        for table in reversed(tables.STATE):
            if table is not tables.settings:
                connection.execute(sa.delete(table))
        self._set(connection, tables.SCENARIO, None)


def _in_order(table: sa.Table) -> sa.Select[Any]:
    """The rows of a table in their order, without the number that only stands for it."""
    columns = [column for column in table.columns if column.name != "number"]
    return sa.select(*columns).order_by(*table.primary_key.columns)
