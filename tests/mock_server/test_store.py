"""The store keeps accounts, tasks and ledgers: the same on every database, at once from anywhere, and for good."""

import hashlib
import os
import queue
import signal
import sqlite3
import sys
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from psycopg import ProgrammingError

from contract.model import Contract
from mock_server.accounts import Account
from mock_server.ledger import Entry, EntryKind
from mock_server.plan import Chance, Planner
from mock_server.service import Accepted, Service
from mock_server.settings import MEMORY
from mock_server.store import NotAtOnceError, Store, StoreError, sqlite, tables
from mock_server.store import postgres as postgres_driver
from mock_server.task import HELD, Plan, Task
from tests.conftest import Server
from tests.mock_server.harness import BEARER, SCENARIOS, Clock, account, at, calling, kept, opened, request, until

AT_ONCE = 400


def task(number: int, **changed: Any) -> Task:
    values: dict[str, Any] = {
        "id": f"tsk_{number}",
        "account": "rich",
        "operation": "generateImage",
        "request": {"prompt": "a \0 fox \U0001f98a"},
        "credits": 3,
        "created_at": 10,
        "base_url": "http://mock",
        "plan": Plan("failed", 20, "X", "it \0 broke"),
    }
    return Task(**{**values, **changed})


def entries_of(made: Task) -> list[Entry]:
    debit = Entry(f"{made.id}.debit", made.id, made.account, EntryKind.DEBIT, -made.credits, made.created_at)
    refund = Entry(f"{made.id}.refund", made.id, made.account, EntryKind.REFUND, made.credits, made.plan.ends_at)
    return [debit, refund] if made.plan.outcome == "failed" else [debit]


def keep(store: Store, made: Task, now: int = 10) -> Task | None:
    return store.submit(made.account, made.credits, at(now), lambda _ordinal, _now: (made, entries_of(made)))


# ------------------------------------------------------- accounts and credentials


def test_an_account_of_another_name_takes_its_secret_along(store: Store) -> None:
    store.add_accounts([Account("old", 5, {"a": "key"})])
    store.add_accounts([Account("new", 7, {"a": "key"})])
    assert opened(store, "a", "key") == "new"


def test_a_secret_opens_its_account_by_its_scheme_alone(store: Store) -> None:
    store.add_accounts([Account("one", 5, {"a": "key", "b": "other"}), Account("two", 5, {"b": "key"})])
    assert opened(store, "a", "key") == "one"
    assert opened(store, "b", "key") == "two"
    assert opened(store, "b", "other") == "one"
    assert store.caller("a", "other") is None


@pytest.mark.parametrize(
    "secret", ["", "KEY", "key ", "ke", "keyx", "key\0", "\0", "%", "' OR 1=1 --", "\ud7ff", "k" * 10**6]
)
def test_nothing_but_the_whole_secret_opens_an_account(store: Store, secret: str) -> None:
    store.add_accounts([Account("one", 5, {"a": "key"})])
    assert store.caller("a", secret) is None


def test_an_account_that_is_there_keeps_its_balance_and_its_tasks(store: Store) -> None:
    store.add_accounts([account("rich", 10)])
    keep(store, task(1))
    store.add_accounts([account("rich", 99), account("new", 7)])
    assert (store.balance("rich", at(10)), store.balance("new", at(10))) == (7, 7)
    assert kept(store, "tsk_1") == task(1)


def test_credentials_are_those_that_were_given_last(store: Store) -> None:
    store.add_accounts([Account("one", 5, {"a": "old", "b": "b1"}), Account("two", 5, {"a": "moving"})])
    store.add_accounts([Account("one", 5, {"a": "moving"}), Account("two", 5, {"a": "new"})])
    assert opened(store, "a", "moving") == "one"
    assert opened(store, "a", "new") == "two"
    assert store.caller("a", "old") is None
    assert store.caller("b", "b1") is None


def test_accounts_that_are_not_named_keep_their_credentials(store: Store) -> None:
    store.add_accounts([account("one", 5)])
    store.add_accounts([account("two", 5)])
    assert opened(store, BEARER, "one") == "one"


def test_an_unknown_account_has_no_balance_and_no_entries(store: Store) -> None:
    with pytest.raises(KeyError):
        store.balance("nobody", at(0))
    assert store.entries("nobody") == []
    with pytest.raises(KeyError):
        keep(store, task(1))


# ---------------------------------------------------------------- submissions


def test_a_task_is_kept_as_it_was(store: Store) -> None:
    store.add_accounts([account("rich", 10)])
    one, other = task(1), task(2, plan=Plan("completed", 2**60), request={})
    assert keep(store, one) == one
    assert keep(store, other) == other
    assert kept(store, "tsk_1") == one
    assert kept(store, "tsk_2") == other
    assert kept(store, "tsk_3") is None
    assert sorted(store.entries("rich"), key=str) == sorted([*entries_of(one), *entries_of(other)], key=str)


def test_a_balance_under_the_price_changes_nothing_and_makes_no_task(store: Store) -> None:
    store.add_accounts([account("rich", 2)])

    def make(_ordinal: int, _now: int) -> tuple[Task, Sequence[Entry]]:
        raise AssertionError

    assert store.submit("rich", 3, at(10), make) is None
    assert store.balance("rich", at(10)) == 2
    assert store.entries("rich") == []


def test_submissions_are_counted_from_one_and_refused_ones_are_not(store: Store) -> None:
    store.add_accounts([account("rich", 9), account("other", 3)])
    ordinals = []

    def make(number: int) -> Callable[[int, int], tuple[Task, Sequence[Entry]]]:
        def with_ordinal(ordinal: int, _now: int) -> tuple[Task, Sequence[Entry]]:
            ordinals.append(ordinal)
            made = task(number, plan=Plan("completed", 20))
            return made, entries_of(made)

        return with_ordinal

    store.submit("rich", 3, at(10), make(1))
    store.submit("rich", 30, at(10), make(2))
    store.submit("other", 3, at(10), make(3))
    store.submit("rich", 3, at(10), make(4))
    assert ordinals == [1, 1, 2]


def test_what_fails_in_the_middle_of_a_submission_leaves_no_trace(store: Store) -> None:
    store.add_accounts([account("rich", 10)])
    keep(store, task(1))

    def fail(_ordinal: int, _now: int) -> tuple[Task, Sequence[Entry]]:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        store.submit("rich", 3, at(10), fail)
    with pytest.raises(Exception, match=r"(?i)unique"):  # the ID is taken
        keep(store, task(1))
    assert store.balance("rich", at(10)) == 7
    assert store.entries("rich") == entries_of(task(1))
    assert keep(store, task(2))


def test_a_refund_counts_from_its_moment_and_once(store: Store) -> None:
    store.add_accounts([account("rich", 3)])
    keep(store, task(1))
    assert [store.balance("rich", at(now)) for now in (10, 19, 20, 10**15)] == [0, 0, 3, 3]
    assert keep(store, task(2, created_at=19), now=19) is None
    assert keep(store, task(3, created_at=20, plan=Plan("failed", 30)), now=20)  # which settles the first refund
    assert [store.balance("rich", at(now)) for now in (20, 29, 30, 10**15)] == [0, 0, 3, 3]
    assert keep(store, task(4, created_at=30, plan=Plan("completed", 40)), now=30)
    assert store.balance("rich", at(10**15)) == 0
    assert keep(store, task(5, created_at=10**14), now=10**14) is None
    assert sum(entry.amount for entry in store.entries("rich")) == -3


def test_refunds_that_are_not_enough_are_not_lost(store: Store) -> None:
    store.add_accounts([account("rich", 3)])
    keep(store, task(1))
    assert keep(store, task(2, credits=4, created_at=20), now=20) is None
    assert store.balance("rich", at(20)) == 3
    assert keep(store, task(3, created_at=20), now=20)


# -------------------------------------------------------------- many at once


def submit_at_once(services: Sequence[Service], name: str) -> list[bool]:
    """Submit from many threads at the same time: whether each was accepted."""
    together = threading.Barrier(AT_ONCE)

    def submit(number: int) -> bool:
        together.wait()
        service = services[number % len(services)]
        order = service.order("generateImage", calling(name), request(), "http://mock")
        return isinstance(order.outcome(order.pay()), Accepted)

    with ThreadPoolExecutor(AT_ONCE) as threads:
        return list(threads.map(submit, range(AT_ONCE)))


def service_on(store: Store, contract: Contract) -> Service:
    return Service(contract, store, Planner(contract.lifecycle, Chance(5, 0, 0)), SCENARIOS, Clock())


def test_many_threads_never_spend_more_than_there_is(contract: Contract, store: Store, clock: Clock) -> None:
    store.add_accounts([account("crowd", 100)])
    assert sum(submit_at_once([service_on(store, contract)], "crowd")) == 33
    assert store.balance("crowd", at(clock.now)) == 1
    entries = store.entries("crowd")
    assert [entry.amount for entry in entries] == [-3] * 33
    assert all(kept(store, str(entry.task)) for entry in entries)


def test_two_stores_on_one_file_never_spend_more_than_there_is(
    contract: Contract, tmp_path: Path, clock: Clock
) -> None:
    one, other = (Store(f"sqlite:///{tmp_path}/mock.db") for _ in range(2))
    one.add_accounts([account("crowd", 100)])
    assert sum(submit_at_once([service_on(one, contract), service_on(other, contract)], "crowd")) == 33
    assert one.balance("crowd", at(clock.now)) == other.balance("crowd", at(clock.now)) == 1
    assert len(one.entries("crowd")) == 33
    one.close()
    other.close()


def test_readers_do_not_wait_for_a_writer(tmp_path: Path) -> None:
    store, other = (Store(f"sqlite:///{tmp_path}/mock.db") for _ in range(2))
    store.add_accounts([account("rich", 10)])

    def make(_ordinal: int, _now: int) -> tuple[Task, Sequence[Entry]]:
        # another thread of this process, and another process, read in the middle of a transaction
        with ThreadPoolExecutor(1) as thread:
            assert thread.submit(store.balance, "rich", at(10)).result() == 10
            assert thread.submit(opened, other, BEARER, "rich").result() == "rich"
        return task(1), entries_of(task(1))

    assert store.submit("rich", 3, at(10), make)
    assert other.balance("rich", at(10)) == 7
    store.close()
    other.close()


def test_stores_that_begin_together_share_a_new_database(new_shared_database: Callable[[], str]) -> None:
    together = threading.Barrier(8)

    def begin(url: str) -> int:
        together.wait()
        store = Store(url)
        store.add_accounts([account("rich", 10)])
        credits = store.balance("rich", at(0))
        store.close()
        return credits

    with ThreadPoolExecutor(8) as threads:
        for _ in range(4):
            assert list(threads.map(begin, [new_shared_database()] * 8)) == [10] * 8


def test_a_new_file_that_is_locked_for_a_moment_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = sqlite3.connect(tmp_path / "mock.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    other.execute("CREATE TABLE something (x)")
    waits: list[float] = []

    def sleep(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) == 3:
            other.execute("COMMIT")

    monkeypatch.setattr("mock_server.store.sqlite.time.sleep", sleep)
    Store(f"sqlite:///{tmp_path}/mock.db").close()
    assert len(waits) == 3
    other.close()


# ------------------------------------------------------------------------ files


def test_a_file_remembers_everything(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/mock.db"
    first = Store(url)
    first.add_accounts([account("rich", 10)])
    keep(first, task(1))
    keep(first, task(2, plan=Plan("completed", 20)))
    before = first.entries("rich"), kept(first, "tsk_1"), first.balance("rich", at(10))
    first.close()
    second = Store(url)
    assert (second.entries("rich"), kept(second, "tsk_1"), second.balance("rich", at(10))) == before
    assert opened(second, BEARER, "rich") == "rich"
    assert second.balance("rich", at(20)) == 7
    second.close()


def test_only_a_store_in_memory_says_so(tmp_path: Path) -> None:
    for url, expected in {
        MEMORY: True,
        "sqlite:///": True,
        "sqlite:///:memory:": True,
        f"sqlite:///{tmp_path}/mock.db": False,
    }.items():
        store = Store(url)
        assert store.in_memory is expected
        store.close()


def test_two_stores_in_memory_share_nothing() -> None:
    one, other = Store(MEMORY), Store(MEMORY)
    one.add_accounts([account("rich", 10)])
    assert other.caller(BEARER, "rich") is None
    one.close()
    other.close()


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("", "it is neither sqlite:///file.db nor postgresql"),
        ("nonsense", "it is neither"),
        ("sqlite:/mock.db", "it is neither"),
        ("sqlite+nonsense:///mock.db", "it is neither"),
        ("mysql://u:hunter2@host/db", "it is neither"),
        ("mysql://u:hunter@hunter2:@host/db", "it is neither"),
        ("mysql://host/db?user=u&password=hunter2", "it is neither"),
        ("postgresql://u:hunter2@host:port/db", "failed to resolve host 'host'"),
        ("postgresql+psycopg://u:hunter2@127.0.0.1:1/db", "Connection refused"),
        ("postgres://u:hunter2@127.0.0.1:1/db", "Connection refused"),
        ("postgresql+psycopg://u:pre@hunter2@127.0.0.1:1/db", "Connection refused"),
        ("postgresql+psycopg://u:pre/hunter2@127.0.0.1:1/db", "Connection refused"),
        ("postgresql+psycopg://u:hunter2%zz@127.0.0.1:1/db", "Connection refused"),
        ("postgresql+psycopg://u:hun?ter2=@127.0.0.1:1/db", "must be percent-encoded"),
        ("postgresql+psycopg://127.0.0.1:1/db?password=hunter2%zz", "must be percent-encoded"),
        ("postgresql+psycopg://127.0.0.1:1/db?user=u&password=hunter2", "Connection refused"),
        ("sqlite:///mock.db?timeout=soon", "has to begin with file:"),
        ("sqlite:////no/such/folder/mock.db", "there is no folder /no/such/folder; make it, or choose another one"),
        ("sqlite:///\0.db", "null byte"),
        ("sqlite://mock.db", "'mock.db' stands where a host would: it is sqlite:///file.db"),
        ("sqlite:///file::memory:?uri=true", "a database in memory is sqlite://"),
        ("sqlite:///file:", "a database in memory is sqlite://"),
        ("sqlite:///file:///?vfs=unix", "a database in memory is sqlite://"),
        ("sqlite:///file:x?mode=memory&cache=shared&uri=true", "a database in memory is sqlite://"),
    ],
)
def test_a_database_that_cannot_be_used_is_refused_with_the_reason(url: str, reason: str) -> None:
    with pytest.raises(StoreError, match=r"^the database .* cannot be used: ") as raised:
        Store(url)
    assert reason in str(raised.value)
    assert "\n" not in str(raised.value)
    assert "hunter2" not in str(raised.value)


def test_a_driver_that_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "mock_server.store.postgres", raising=False)
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(StoreError, match=r"cannot be used: PostgreSQL needs psycopg: .* -m pip install") as raised:
        Store("postgresql+psycopg://u:hunter2@host/db")
    assert "hunter2" not in str(raised.value)


def test_a_file_of_something_else_is_refused(tmp_path: Path) -> None:
    text, folder, foreign = tmp_path / "text.db", tmp_path / "folder.db", tmp_path / "foreign.db"
    text.write_text("not a database " * 100)
    folder.mkdir()
    with sqlite3.connect(foreign) as connection:
        connection.execute("CREATE TABLE tasks (title TEXT)")
    connection.close()
    for path, reason in {
        text: "file is not a database",
        folder: "unable to open",
        foreign: "it holds a table of something else: tasks",
    }.items():
        with pytest.raises(StoreError, match=reason):
            Store(f"sqlite:///{path}")
    assert text.read_text() == "not a database " * 100
    with sqlite3.connect(foreign) as connection:
        tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
    connection.close()
    assert tables == [("tasks",)]


@pytest.mark.parametrize(("version", "said"), [(None, "1"), ("1", "1"), ("99", "99")])
def test_a_database_of_another_version_is_refused_and_left_alone(
    new_shared_database: Callable[[], str], version: str | None, said: str
) -> None:
    database = new_shared_database()
    first = Store(database)
    with first.transaction() as connection:
        if version is None:
            connection.run("DELETE FROM settings WHERE name = 'version'")
        else:
            connection.run("UPDATE settings SET value = :version WHERE name = 'version'", version=version)
    first.close()
    for _ in range(2):
        with pytest.raises(StoreError, match=f"another version .* of version {said} and not {tables.VERSION}; begin"):
            Store(database)


def test_whoever_changes_a_table_raises_the_version() -> None:
    """If this fails, raise `tables.VERSION`, and write the new digest down here."""
    text = ";".join(tables.statements(number="NUMBER", keyed=" KEYED"))
    assert (tables.VERSION, hashlib.sha256(text.encode()).hexdigest()[:16]) == (5, "e858c2d38d1e9aa9")


def test_who_joins_others_makes_no_tables(new_shared_database: Callable[[], str]) -> None:
    database = new_shared_database()
    for _ in range(2):
        with pytest.raises(StoreError, match="its tables are gone, which were there when the mock was started"):
            Store(database, joins=True)
    Store(database).close()
    Store(database, joins=True).close()


@pytest.mark.parametrize("replaced", [False, True])
def test_a_file_that_is_gone_is_written_to_no_more(tmp_path: Path, *, replaced: bool) -> None:
    file = tmp_path / "mock.db"
    store = Store(f"sqlite:///{file}")
    store.add_accounts([account("rich", 10)])
    for each in tmp_path.iterdir():
        each.unlink()
    if replaced:
        Store(f"sqlite:///{file}").close()

    def is_noticed() -> bool:
        try:
            store.caller(BEARER, "rich")
        except StoreError as error:
            return "cannot be used: its file is gone, or another one is in its place; start the mock" in str(error)
        return False

    until(is_noticed)
    with pytest.raises(StoreError, match=f"{file} cannot be used: its file is gone"):
        store.add_accounts([account("poor", 1)])
    store.close()
    assert file.exists() == replaced


@pytest.mark.parametrize("spelt", ["{}", "file:{}", "file:{}?cache=private"])
def test_a_link_that_leads_elsewhere_later_is_not_followed(tmp_path: Path, spelt: str) -> None:
    link, first, second = (tmp_path / name for name in ("link.db", "first %2F#.db", "second.db"))
    first.touch()
    link.symlink_to(first)
    store = Store(f"sqlite:///{spelt.format(link)}")
    store.add_accounts([account("rich", 10)])
    Store(f"sqlite:///{second}").close()
    link.unlink()
    link.symlink_to(second)
    with ExitStack() as stack:
        for _ in range(3):  # most of them on connections that are made now
            transaction = stack.enter_context(store.query())
            assert transaction.value("SELECT name FROM accounts") == "rich"
    store.close()


def test_a_connection_that_could_not_do_it_is_not_asked_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Such as one that was made while the file could only be read."""

    class ReadOnly(sqlite3.Connection):
        def __init__(self, *arguments: Any, **options: Any) -> None:
            super().__init__(*arguments, **options)
            self.execute("PRAGMA query_only = ON")

    def nobody_can_write() -> None:
        with pytest.raises(StoreError, match="attempt to write a readonly database"):
            keep(store, task(1))

    connect = sqlite3.connect
    store = Store(f"sqlite:///{tmp_path}/mock.db")
    store.add_accounts([account("rich", 10)])
    with monkeypatch.context() as patched, store.query():  # on the connection that was kept
        patched.setattr("mock_server.store.sqlite.sqlite3.connect", lambda *a, **k: connect(*a, **k, factory=ReadOnly))
        nobody_can_write()
        with store.at_once():
            nobody_can_write()
    with store.at_once():
        assert keep(store, task(1))
    with store.query():
        assert keep(store, task(2))
    store.close()


def test_a_file_that_cannot_be_written_to_is_refused(tmp_path: Path) -> None:
    Store(f"sqlite:///{tmp_path}/mock.db").close()
    store = Store(f"sqlite:///file:{tmp_path}/mock.db?mode=ro&uri=true")
    with pytest.raises(StoreError, match="readonly"):
        store.add_accounts([account("rich", 10)])
    store.close()
    with pytest.raises(StoreError, match="unable to open"):
        Store(f"sqlite:///file:{tmp_path}/missing.db?mode=ro&uri=true")


@pytest.mark.parametrize("kind", ["IMMEDIATE", "EXCLUSIVE"])
def test_a_file_that_another_process_keeps_locked_is_refused_in_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.setattr("mock_server.store.sqlite.BUSY_SECONDS", 0.05)
    with sqlite3.connect(tmp_path / "mock.db", isolation_level=None) as connection:
        connection.execute(f"BEGIN {kind}")
        with pytest.raises(StoreError, match="database is locked"):
            Store(f"sqlite:///{tmp_path}/mock.db")
    connection.close()


def test_all_who_wait_for_a_locked_file_are_refused_at_one_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not each of them after those before it have waited in turn."""
    store = Store(f"sqlite:///{tmp_path}/mock.db")
    store.add_accounts([account("rich", 100)])
    monkeypatch.setattr("mock_server.store.sqlite.BUSY_SECONDS", 1)
    refused = queue.SimpleQueue[Exception]()

    def submit(number: int) -> None:
        try:
            keep(store, task(number))
        except StoreError as error:
            refused.put(error)

    with sqlite3.connect(tmp_path / "mock.db", isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        with ThreadPoolExecutor(30) as pool:
            list(pool.map(submit, range(30)))
            for _ in range(30):
                assert str(refused.get(timeout=10)).endswith("mock.db cannot be used: database is locked")
        other.execute("ROLLBACK")
    other.close()
    assert keep(store, task(1))
    store.close()


def test_the_errors_of_a_database_never_tell_a_secret(store: Store) -> None:
    secret = "sk_test_very_secret"
    store.add_accounts([Account("rich", 10, {BEARER: secret})])
    with store.transaction() as connection:
        connection.run("DROP TABLE credentials")
    with pytest.raises(Exception, match="credentials") as raised:
        store.caller(BEARER, secret)
    assert secret not in str(raised.value)
    with pytest.raises(StoreError) as refused:
        store.add_accounts([Account("rich", 10, {BEARER: secret})])
    assert secret not in str(refused.value)


def test_a_connection_whose_transaction_cannot_be_undone_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Stuck(sqlite3.Connection):
        def rollback(self) -> None:
            raise sqlite3.OperationalError("disk I/O error")

    connect = sqlite3.connect
    store = Store(f"sqlite:///{tmp_path}/mock.db")
    store.close()
    with monkeypatch.context() as patched:
        patched.setattr("mock_server.store.sqlite.sqlite3.connect", lambda *a, **k: connect(*a, **k, factory=Stuck))
        store = Store(f"sqlite:///{tmp_path}/mock.db")
        store.add_accounts([account("rich", 10)])
        with pytest.raises(ZeroDivisionError), store.transaction():
            raise ZeroDivisionError
        with pytest.raises(ZeroDivisionError), store.at_once():
            store.submit("rich", 3, at(10), lambda *_: 1 // 0)  # type: ignore[arg-type]
        with store.at_once():
            assert keep(store, task(1))
        assert store.balance("rich", at(10)) == 7
        store.close()


@pytest.mark.whole
def test_connections_that_it_has_closed_are_made_anew(postgres: Server) -> None:
    store = Store(postgres.new_database())
    store.add_accounts([account("rich", 10)])
    everybody = threading.Barrier(8)

    def look(_number: int) -> None:
        with store.query():
            everybody.wait(20)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(look, range(8)))
    with store.transaction() as transaction:
        others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
        closed = transaction.rows(f"{others} AND pid <> pg_backend_pid()")
        assert len(closed) >= 7
    assert [store.balance("rich", at(10)) for _ in range(3)] == [10, 10, 10]
    store.close()


@pytest.mark.whole
def test_a_server_that_says_nothing_is_hung_up_on(postgres: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store(postgres.new_database())
    store.add_accounts([account("rich", 10)])
    monkeypatch.setattr("mock_server.store.postgres._SILENCE_SECONDS", 0.2)
    frozen = []
    try:
        with pytest.raises(StoreError, match="timeout"), store.query() as transaction:  # noqa: PT012 - the last
            frozen.append(transaction.value("SELECT pg_backend_pid()"))
            os.kill(frozen[0], signal.SIGSTOP)
            transaction.value("SELECT COUNT(*) FROM accounts")
        with store.query() as transaction:
            frozen.append(transaction.value("SELECT pg_backend_pid()"))
        os.kill(frozen[1], signal.SIGSTOP)
        assert store.balance("rich", at(10)) == 10  # on a connection that is made anew
    finally:
        for process in frozen:
            os.kill(process, signal.SIGCONT)
    store.close()


@pytest.mark.whole
def test_who_waits_for_a_connection_for_too_long_is_told(postgres: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mock_server.store.postgres.BUSY_SECONDS", 0.1)
    store = Store(postgres.new_database())
    with ExitStack() as stack:
        for _ in range(10):
            stack.enter_context(store.query())
        with pytest.raises(StoreError, match="all 10 connections were at work"):
            store.balance("rich", at(10))
    with pytest.raises(KeyError):
        store.balance("rich", at(10))
    store.close()


@pytest.mark.whole
def test_a_query_sees_one_moment_and_an_error_undoes_a_transaction(postgres: Server) -> None:
    store = Store(postgres.new_database())
    with store.query() as transaction:
        assert transaction.value("SELECT COUNT(*) FROM accounts") == 0
        store.add_accounts([account("rich", 10)])
        assert transaction.value("SELECT COUNT(*) FROM accounts") == 0
    with pytest.raises(ProgrammingError), store.transaction() as transaction:  # noqa: PT012 - the former is undone
        transaction.run("DELETE FROM credentials")
        transaction.run("nonsense")
    assert opened(store, BEARER, "rich") == "rich"
    store.close()


@pytest.mark.whole
def test_what_a_url_says_of_the_session_is_added_to_the_time_outs(postgres: Server) -> None:
    url = f"{postgres.new_database()}&options=-c%20search_path%3Dpublic"
    store = Store(url)
    with store.query() as transaction:
        assert transaction.value("SHOW statement_timeout") == "10s"
        assert transaction.value("SHOW search_path") == "public"
    store.close()


def test_a_statement_is_spelt_for_each_driver() -> None:
    statement = "SELECT a FROM b WHERE c = :c AND d LIKE '5%' AND e = :e_1 AND f = '12:30'::text FOR UPDATE"
    assert sqlite.spelt(statement) == statement.removesuffix(" FOR UPDATE")
    assert postgres_driver.spelt(statement) == (
        "SELECT a FROM b WHERE c = %(c)s AND d LIKE '5%%' AND e = %(e_1)s AND f = '12:30'::text FOR UPDATE"
    )


def test_the_oldest_tasks_go_where_only_some_are_kept_and_no_balance_changes(database: str) -> None:
    store = Store(database, keep=40)
    store.add_accounts([account("rich", 10_000), account("other", 10)])
    store.submit("other", 3, at(10), lambda *_: (task(0, id="held", account="other", plan=Plan("failed", HELD)), []))
    balance = 10_000
    for number in range(1, 901):
        fails = number % 3 == 0
        made = task(number, plan=Plan("failed" if fails else "completed", 20 + number))
        assert keep(store, made, now=number)
        store.tidy(at(number))
        balance -= 3
        due = 3 * sum(20 + earlier <= number for earlier in range(3, number + 1, 3))
        assert store.balance("rich", at(number)) == balance + due
    found = [number for number in range(1, 901) if kept(store, f"tsk_{number}")]
    assert found == list(range(found[0], 901))
    assert 40 <= len(found) <= 40 + 256
    assert kept(store, "held")
    with store.query() as connection:
        ((carried, refunds),) = connection.rows("SELECT carried, carried_refunds FROM accounts WHERE name = 'rich'")
    assert store.balance("rich", at(10**6)) == 10_000 - 3 * 600
    assert carried == -3 * sum(number % 3 != 0 for number in range(1, found[0]))
    assert refunds == 3 * sum(number % 3 == 0 for number in range(1, found[0]))
    store.close()


def test_what_is_done_at_once_waits_for_nobody_and_can_try_again(tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path}/mock.db")
    store.add_accounts([account("rich", 10)])
    with sqlite3.connect(tmp_path / "mock.db", isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(NotAtOnceError), store.at_once():
            keep(store, task(1))
        with store.at_once():
            assert opened(store, BEARER, "rich") == "rich"  # a reader need not wait
        other.execute("ROLLBACK")
    other.close()
    with store.at_once():
        assert keep(store, task(1))
    with store.transaction(), pytest.raises(NotAtOnceError), store.at_once():  # as if another thread wrote
        keep(store, task(2))
    with pytest.raises(NotAtOnceError), store.at_once():
        store.balance("rich", at(10))  # which is not done often enough to have a quick way
    assert (store.balance("rich", at(10)), store.entries("rich")) == (7, entries_of(task(1)))
    store.close()


def test_a_connection_that_is_made_at_once_waits_for_nobody_either(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Busy(sqlite3.Connection):
        def execute(self, sql: str, *parameters: Any) -> sqlite3.Cursor:
            if "journal_mode" in sql:
                error = sqlite3.OperationalError("database is locked")
                error.sqlite_errorcode = sqlite3.SQLITE_BUSY_RECOVERY
                raise error
            return super().execute(sql, *parameters)

    connect = sqlite3.connect
    store = Store(f"sqlite:///{tmp_path}/mock.db")
    store.add_accounts([account("rich", 10)])
    monkeypatch.setattr("mock_server.store.sqlite.time.sleep", lambda _: None)
    monkeypatch.setattr("mock_server.store.sqlite.BUSY_SECONDS", 3600)
    with monkeypatch.context() as patched:
        patched.setattr("mock_server.store.sqlite.sqlite3.connect", lambda *a, **k: connect(*a, **k, factory=Busy))
        with pytest.raises(NotAtOnceError), store.at_once():
            store.caller(BEARER, "rich")
    with store.at_once():
        assert opened(store, BEARER, "rich") == "rich"
    store.close()


def test_tasks_that_do_not_end_keep_no_others_from_going(tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path}/mock.db", keep=10)
    store.add_accounts([account("rich", 10_000)])
    for number in range(600):
        keep(store, task(number, plan=Plan("completed", HELD)), now=30)
    for number in range(600, 1200):
        keep(store, task(number, plan=Plan("completed", 20)), now=30)
        store.tidy(at(30))
    assert all(kept(store, f"tsk_{number}") for number in range(600))
    assert sum(kept(store, f"tsk_{number}") is not None for number in range(600, 1200)) < 300
    store.close()
