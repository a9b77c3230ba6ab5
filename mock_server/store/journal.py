"""What was served, beside the state: the last exchanges, and counts. Every replica adds to it and sees all of it.

What a process adds is gathered and written down now and then, which costs a request next to nothing; whoever reads gets
what this process has gathered too. What a process that is killed has not written down yet is lost: a fraction of a
second.
"""

from __future__ import annotations

import json
import logging
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from mock_server.ledger import EntryKind
from mock_server.store import tables
from mock_server.store.database import clock_of
from mock_server.store.store import ENDED, Machine, Store

MOST_RECORDS: Final = 500

_INTERVALS: Final = (0.25, 1.0)
"""Seconds after which others see what was added: at least, and at most."""
_SHARE: Final = 20
"""Between these, writing takes one part in so many of the time: under load there is more to write, and less time."""
_CHANGES: Final = "changes"

Name = tuple[str, ...]
Counts = Mapping[Name, float]
"""What was counted, by what it is called."""

Write = Callable[[], str]
"""Gives a record's text, for whoever writes it down; most are pushed out by others before."""

_log = logging.getLogger("mock_server.journal")


@dataclass(frozen=True)
class Totals:
    """What the state comes to.

    Attributes:
        tasks: how many there are, by the state that they are to end in, and whether they have ended.
        debited: credits that were taken off the accounts for tasks.
        refunded: credits of those that have been paid back by now.
    """

    tasks: Counter[tuple[str, bool]]
    debited: int
    refunded: int


def interval_after(seconds: float) -> float:
    """Seconds until it is written again, where writing took so many."""
    shortest, longest = _INTERVALS
    return min(max(shortest, seconds * _SHARE), longest)


class Journal:
    """What was served. Safe to use from any thread."""

    def __init__(self, store: Store, most: int = MOST_RECORDS) -> None:
        """Make the journal of a database.

        Args:
            most: how many records are kept.
        """
        self._store = store
        self._most = most
        self._records: deque[tuple[str | None, Write]] = deque(maxlen=most)
        self._counts: dict[Name, float] = {}
        self._gathering = threading.Lock()
        self._writing = threading.Lock()
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    def add(self, account: str | None, write: Write) -> None:
        """Keep a record."""
        with self._gathering:
            self._records.append((account, write))
        self._soon()

    def count(self, more: Counts) -> None:
        """Count what there is more of."""
        with self._gathering:
            self._add(more)
        self._soon()

    def changed(self) -> None:
        """Let whoever shows the state know that there is something else to see."""
        self.count({(_CHANGES,): 1})

    def flush(self) -> None:
        """Write down what was gathered."""
        with self._writing:
            with self._gathering:
                records, counts = list(self._records), self._counts
                self._records.clear()
                self._counts = {}
            try:
                self._write(records, counts)
            except BaseException:
                with self._gathering:
                    room = self._most - len(self._records)
                    self._records.extendleft(reversed(records[max(0, len(records) - room) :]))
                    self._add(counts)
                raise

    def close(self) -> None:
        """Write down what was gathered, and end."""
        self._ended.set()
        if self._thread is not None:
            self._thread.join()
        try:
            self.flush()
        except Exception as error:  # noqa: BLE001 - the end must not fail for want of it
            _log.warning("the last exchanges and counts were not written down: %s", " ".join(str(error).split()))

    def marker(self) -> str:
        """A short text that changes whenever there is something else to see."""
        self.flush()
        with self._store.query() as transaction:
            return str(transaction.value("SELECT value FROM counts WHERE name = :name", name=json.dumps([_CHANGES])))

    def last(self, account: str | None, limit: int) -> list[tuple[int, str]]:
        """The last records with their numbers, newest first; of one account, if one is named."""
        self.flush()
        whose = "" if account is None else "WHERE account = :account"
        query = f"SELECT number, record FROM exchanges {whose} ORDER BY number DESC LIMIT :limit"
        with self._store.query() as transaction:
            return [(number, record) for number, record in transaction.rows(query, account=account, limit=limit)]

    def find(self, number: int) -> str | None:
        """The record with this number, if it is still kept."""
        self.flush()
        with self._store.query() as transaction:
            found: str | None = transaction.value("SELECT record FROM exchanges WHERE number = :number", number=number)
        return found

    def clear(self, account: str | None = None) -> None:
        """Forget the records, or those of one account."""
        self.flush()
        whose = "" if account is None else " WHERE account = :account"
        with self._store.transaction() as transaction:
            transaction.run(f"DELETE FROM exchanges{whose}", account=account)
        self.changed()

    def ping(self) -> None:
        """Make sure that the database answers."""
        with self._store.query() as transaction:
            transaction.rows("SELECT name FROM settings LIMIT 1")

    def counts(self) -> Counts:
        """All that was counted."""
        self.flush()
        with self._store.query() as transaction:
            rows = transaction.rows("SELECT name, value FROM counts")
        return {tuple(json.loads(name)): value for name, value in rows}

    def totals(self, machine: Machine) -> Totals:
        """What the state comes to now: each account by its own clock."""
        counted: Counter[tuple[str, bool]] = Counter()
        sums = dict.fromkeys(EntryKind, 0)
        with self._store.query() as transaction:
            ((carried, refunds),) = transaction.rows("SELECT SUM(carried), SUM(carried_refunds) FROM accounts")
            sums[EntryKind.REFUND] += int(refunds or 0)
            sums[EntryKind.DEBIT] += int(carried or 0) - int(refunds or 0)
            clocks = [clock for (clock,) in transaction.rows("SELECT DISTINCT clock FROM accounts")]
            # where there is but one clock, all go by it, and need not be asked
            go_by_it = "account IN (SELECT name FROM accounts WHERE clock = :clock)" if len(clocks) > 1 else "TRUE"
            states = f"""
                SELECT outcome, CASE WHEN {ENDED} THEN 1 ELSE 0 END, COUNT(*) FROM tasks
                WHERE {go_by_it} GROUP BY 1, 2"""
            moved = f"""
                SELECT kind, SUM(amount) FROM entries
                WHERE (settled OR counts_from <= :now) AND {go_by_it} GROUP BY kind"""
            for clock in clocks:
                now = clock_of(clock).at(machine())
                for outcome, has_ended, number in transaction.rows(states, clock=clock, now=now):
                    counted[outcome, bool(has_ended)] += number
                for kind, amount in transaction.rows(moved, clock=clock, now=now):
                    sums[EntryKind(kind)] += int(amount)
        return Totals(counted, -sums[EntryKind.DEBIT], sums[EntryKind.REFUND])

    def _add(self, more: Counts) -> None:
        for name, value in more.items():
            self._counts[name] = self._counts.get(name, 0) + value

    def _soon(self) -> None:
        """Have it written down soon, where others want to see it."""
        if self._thread is None and not self._store.in_memory:
            with self._gathering:
                if self._thread is None:
                    self._thread = threading.Thread(target=self._run, name="journal", daemon=True)
                    self._thread.start()

    def _run(self) -> None:
        failing, interval = False, interval_after(0)
        while not self._ended.wait(interval):
            began = time.monotonic()
            try:
                self.flush()
            except Exception as error:  # noqa: BLE001 - the database may come back, and then it goes on
                if not failing:
                    _log.warning("the journal waits for the database: %s", " ".join(str(error).split()))
                failing = True
            else:
                failing = False
            interval = interval_after(time.monotonic() - began)

    def _write(self, records: Sequence[tuple[str | None, Write]], counts: Counts) -> None:
        if not records and not counts:
            return
        rows = [{"account": account, "record": write()} for account, write in records]
        older = "DELETE FROM exchanges WHERE number <= (SELECT MAX(number) FROM exchanges) - :most"
        with self._store.transaction() as transaction:
            if rows:
                transaction.run_all(tables.EXCHANGES.insertion, rows)
                transaction.run(older, most=self._most)
                self._store.count(transaction, (_CHANGES,), 1)
            for name in sorted(counts):  # in one order, so that two who count do not wait for each other
                self._store.count(transaction, name, counts[name])
