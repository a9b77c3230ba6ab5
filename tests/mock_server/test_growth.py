"""What is done for a request, or for a page of the console, never walks through a table that grows."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from mock_server.store import Admin, Journal, Store
from mock_server.store.engine import Transaction
from mock_server.task import Plan
from tests.mock_server.harness import BEARER, account, at
from tests.mock_server.test_store import keep, task

GROWING = ("tasks", "entries", "accounts", "credentials")


class Plans:
    """How SQLite goes about everything that is asked of a store."""

    def __init__(self, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
        self._store = store
        self._asked: list[tuple[str, Mapping[str, Any]]] = []
        self._rows, run, run_all = Transaction.rows, Transaction.run, Transaction.run_all

        def rows(transaction: Transaction, statement: str, /, **values: Any) -> Any:
            self._asked.append((statement, values))
            return self._rows(transaction, statement, **values)

        def running(transaction: Transaction, statement: str, /, **values: Any) -> None:
            self._asked.append((statement, values))
            run(transaction, statement, **values)

        def running_all(transaction: Transaction, statement: str, rows: Iterable[Mapping[str, Any]]) -> None:
            several = list(rows)
            self._asked += [(statement, values) for values in several[:1]]
            run_all(transaction, statement, several)

        monkeypatch.setattr(Transaction, "rows", rows)
        monkeypatch.setattr(Transaction, "run", running)
        monkeypatch.setattr(Transaction, "run_all", running_all)

    def clear(self) -> None:
        self._asked.clear()

    def steps(self) -> list[str]:
        """All that is looked through for the last statement."""
        statement, values = self._asked[-1]
        return self._explained(statement, values)

    def walks(self) -> list[str]:
        """The steps that go through a whole table, or the whole of an account, without an end."""
        found = []
        asked, self._asked = self._asked, []
        assert asked
        for statement, values in asked:
            bounded = " LIMIT " in statement or "COUNT(*)" in statement  # of an index alone
            for step in self._explained(statement, values):
                walked = re.match(rf"SCAN ({'|'.join(GROWING)})\b", step)
                sorts = step == "USE TEMP B-TREE FOR ORDER BY"
                if sorts or (walked and not bounded):
                    found.append(f"{step}: {statement}")
        return found

    def _explained(self, statement: str, values: Mapping[str, Any]) -> list[str]:
        with self._store.query() as transaction:
            return [str(row[-1]) for row in self._rows(transaction, f"EXPLAIN QUERY PLAN {statement}", **values)]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(f"sqlite:///{tmp_path}/mock.db")
    store.add_accounts([account("rich", 1000), account("other", 10)])
    for number in range(50):
        keep(store, task(number, plan=Plan("completed", 20)))
    yield store
    store.close()


def test_nothing_that_is_asked_walks_through_what_grows(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    admin, journal, plans, machine = Admin(store), Journal(store), Plans(store, monkeypatch), at(30)
    asked: dict[str, Callable[[], object]] = {
        "a balance": lambda: store.balance("rich", machine),
        "a submission that falls short": lambda: store.submit("other", 99, machine, lambda *_: (task(99), [])),
        "accounts": lambda: admin.holders(machine, after="a", limit=2),
        "one account": lambda: admin.holder("rich", machine),
        "a ledger": lambda: admin.ledger("rich", machine, 10),
        "tasks": lambda: admin.tasks(None, after=None, limit=10),
        "older tasks": lambda: admin.tasks(None, after="tsk_20", limit=10),
        "an account's older tasks": lambda: admin.tasks("rich", after="tsk_20", limit=10),
        "exchanges": lambda: journal.last(None, 10),
        "a marker": journal.marker,
        "what is too much": lambda: store.prune(machine, 40),
        "a new start of an account": lambda: admin.restart("other"),
        "the end of an account": lambda: admin.delete("other"),
    }
    walks = {}
    for name, ask in asked.items():
        plans.clear()
        ask()
        walks[name] = plans.walks()
    assert walks == dict.fromkeys(asked, [])


def test_nor_does_what_is_done_for_every_request(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    plans = Plans(store, monkeypatch)
    store.caller(BEARER, "rich")
    keep(store, task(50))
    store.task("tsk_50")
    assert plans.walks() == []


def test_a_balance_looks_at_the_entries_that_are_not_settled_and_no_others(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    plans = Plans(store, monkeypatch)
    store.balance("rich", at(30))
    assert plans.steps() == [
        "SEARCH entries USING COVERING INDEX entries_unsettled (account=? AND settled=? AND counts_from<?)"
    ]
