"""Submissions of one moment are written in one transaction: all that can be, and nothing half."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from mock_server.ledger import Entry
from mock_server.settings import MEMORY
from mock_server.store import NotAtOnceError, Store
from mock_server.store.sqlite import SQLite
from mock_server.task import Task
from mock_server.together import Together
from tests.mock_server.harness import account, at
from tests.mock_server.test_store import entries_of, task


@pytest.fixture(params=["memory", "file"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    store = Store(MEMORY if request.param == "memory" else f"sqlite:///{tmp_path}/mock.db")
    store.add_accounts([account("rich", 10), account("poor", 2)])
    yield store
    store.close()


def submitting(store: Store, number: int, name: str = "rich") -> Callable[[], Task | None]:
    def make(_ordinal: int, _now: int) -> tuple[Task, Sequence[Entry]]:
        made = task(number, account=name)
        return made, entries_of(made)

    return lambda: store.submit(name, 3, at(10), make)


async def all_of(together: Together, *functions: Callable[[], object]) -> list[object]:
    return await asyncio.gather(*map(together.call, functions), return_exceptions=True)


def transactions(store: Store) -> list[str]:
    """What begins a transaction from now on is written down here."""
    begun: list[str] = []
    with store.at_once(), store.together():
        pass
    engine = store._engine  # noqa: SLF001 - a look at what the driver does
    assert isinstance(engine, SQLite)
    (driver,) = engine._quick or engine._idle  # noqa: SLF001 - as above
    driver.set_trace_callback(lambda text: begun.append(text) if text.startswith(("BEGIN", "COMMIT")) else None)
    return begun


def test_what_comes_at_one_moment_is_one_transaction(store: Store) -> None:
    begun = transactions(store)
    results = asyncio.run(all_of(Together(store), *(submitting(store, number) for number in range(4))))
    assert begun == ["BEGIN IMMEDIATE", "COMMIT"]
    assert [isinstance(result, Task) for result in results] == [True, True, True, False]
    assert isinstance(results[3], NotAtOnceError)  # where a refund may have come due, it is looked for alone
    assert submitting(store, 3)() is None
    assert store.balance("rich", at(10)) == 1


async def in_turn(together: Together, first: Callable[[], object], second: Callable[[], object]) -> None:
    """The second is asked for in the turn of the event loop after the one in which the first is."""
    one = asyncio.create_task(together.call(first))
    await asyncio.sleep(0)
    await asyncio.gather(one, together.call(second))


def test_a_client_that_is_alone_is_written_at_the_first_look(store: Store) -> None:
    begun = transactions(store)
    asyncio.run(in_turn(Together(store), submitting(store, 1), submitting(store, 2)))
    assert begun == ["BEGIN IMMEDIATE", "COMMIT"] * 2


def test_where_there_were_several_the_next_is_waited_for(store: Store) -> None:
    begun = transactions(store)

    async def all_in_turn() -> None:
        together = Together(store)
        await all_of(together, *(submitting(store, 0, "poor") for _ in range(2)))  # who cannot pay
        begun.clear()
        await in_turn(together, submitting(store, 1), submitting(store, 2))

    asyncio.run(all_in_turn())
    assert begun == ["BEGIN IMMEDIATE", "COMMIT"]


def test_who_falls_short_takes_nobody_along(store: Store) -> None:
    results = asyncio.run(all_of(Together(store), submitting(store, 1, "poor"), submitting(store, 2)))
    assert isinstance(results[0], NotAtOnceError)
    assert isinstance(results[1], Task)
    assert (store.balance("poor", at(10)), store.balance("rich", at(10))) == (2, 7)


def test_where_one_fails_half_way_nothing_is_done_and_each_has_to_be_alone(store: Store) -> None:
    def fails(_ordinal: int, _now: int) -> tuple[Task, Sequence[Entry]]:
        raise OSError("in the middle of it")

    failing = [submitting(store, 1), lambda: store.submit("rich", 3, at(10), fails), submitting(store, 2)]
    results = asyncio.run(all_of(Together(store), *failing))
    assert [type(result) for result in results] == [NotAtOnceError] * 3
    assert (store.balance("rich", at(10)), store.entries("rich")) == (10, [])
    assert isinstance(asyncio.run(all_of(Together(store), submitting(store, 1)))[0], Task)  # and it goes on


def test_who_does_not_wait_any_more_is_left_alone(store: Store) -> None:
    async def run() -> object:
        together = Together(store)
        leaving = asyncio.ensure_future(together.call(submitting(store, 1)))
        staying = asyncio.ensure_future(together.call(submitting(store, 2)))
        await asyncio.sleep(0)
        leaving.cancel()
        return await staying

    assert isinstance(asyncio.run(run()), Task)


def test_while_somebody_else_writes_it_waits_for_a_while(tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path}/mock.db")
    store.add_accounts([account("rich", 10)])
    with sqlite3.connect(tmp_path / "mock.db", isolation_level=None) as other:

        async def run() -> list[object]:
            together = Together(store)
            other.execute("BEGIN IMMEDIATE")
            too_long = await all_of(together, submitting(store, 1))
            asyncio.get_running_loop().call_later(0.1, other.execute, "ROLLBACK")
            return [*too_long, *await all_of(together, submitting(store, 2))]

        too_long, done = asyncio.run(run())
    other.close()
    assert isinstance(too_long, NotAtOnceError)
    assert isinstance(done, Task)
    assert store.balance("rich", at(10)) == 7
    store.close()
