"""Memory, file and PostgreSQL, and a plain model, through the same events: they agree after every one of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from contract.model import Contract
from mock_server.accounts import Account
from mock_server.clock import Clock
from mock_server.ledger import Entry, entries_of, top_up
from mock_server.settings import MEMORY
from mock_server.store import Admin, Change, Ledger, Store
from mock_server.task import MICROSECONDS, Plan, Task
from tests.conftest import Server
from tests.mock_server.harness import BEARER

NAMES = st.sampled_from(["a", "b", "c"])
CREDITS = st.sampled_from([10, 100])
SECONDS = st.sampled_from([0.000001, 1, 5])
ORDERS = st.tuples(NAMES, st.sampled_from([3, 8]), st.booleans(), SECONDS | st.just(0))
START = 1_000 * MICROSECONDS


# -------------------------------------------------------------------- the model


@dataclass
class Job:
    """A task: it ends when its account's clock says so, and what has ended stays so."""

    id: str
    price: int
    fails: bool
    ends_at: int
    done: bool = False


@dataclass
class Holder:
    """An account: how far its clock is from the machine's, and whether that is its own affair."""

    opening: int
    ahead: int
    own: bool = False
    added: int = 0
    submissions: int = 0
    jobs: list[Job] = field(default_factory=list)
    carried: int = 0

    @property
    def balance(self) -> int:
        return self.opening + self.added + self.carried - sum(map(charge, self.jobs))


def charge(job: Job) -> int:
    """What a task takes off its account as things are."""
    return 0 if job.fails and job.done else job.price


@dataclass
class Model:
    """All there is, in the plainest way."""

    now: int = START
    ahead: int = 0
    holders: dict[str, Holder] = field(default_factory=dict)
    order: list[str] = field(default_factory=list)

    def pass_time(self) -> None:
        for holder in self.holders.values():
            for job in holder.jobs:
                job.done = job.done or job.ends_at <= self.now + holder.ahead

    def set_ahead(self, holder: Holder, ahead: int) -> None:
        """Turn a clock; set back, it takes along what is at work."""
        self.pass_time()
        back = holder.ahead - ahead
        for job in holder.jobs:
            if back > 0 and not job.done:
                job.ends_at -= back
        holder.ahead = ahead
        self.pass_time()

    def forget(self, keep: int) -> None:
        """Keep the newest so many, and of the rest what is at work."""
        old = set(self.order[:-keep])
        for holder in self.holders.values():
            gone = [job for job in holder.jobs if job.done and job.id in old]
            holder.carried -= sum(map(charge, gone))
            holder.jobs = [job for job in holder.jobs if job not in gone]
        self.order = [id_ for id_ in self.order if any(job.id == id_ for h in self.holders.values() for job in h.jobs)]


# ----------------------------------------------------------------- side by side


class SideBySide(RuleBasedStateMachine):
    """Every command goes to every store and to the model."""

    def __init__(self, contract: Contract, urls: Sequence[str]) -> None:
        super().__init__()
        self.lifecycle = contract.lifecycle
        self.urls = urls
        self.model = Model()
        self.made = 0
        self.stores = [Store(url) for url in urls]

    def teardown(self) -> None:
        for store in self.stores:
            store.close()

    def machine(self) -> int:
        return self.model.now

    def all_say(self, ask: Callable[[Store], Any]) -> Any:
        """What every store answers, which is the same."""
        answers = [ask(store) for store in self.stores]
        assert all(answer == answers[0] for answer in answers), answers
        return answers[0]

    def fails(self, ask: Callable[[Store], Any]) -> None:
        for store in self.stores:
            with pytest.raises(KeyError):
                ask(store)

    def number(self) -> int:
        self.made += 1
        return self.made

    # ------------------------------------------------------------- the commands

    @initialize()
    def begin(self) -> None:
        self.make_an_account("a", 100)
        self.make_an_account("b", 10)

    @rule(name=NAMES, credits=CREDITS)
    def make_an_account(self, name: str, credits: int) -> None:
        made = Account(name, credits, {BEARER: f"key-{name}"})
        assert self.all_say(lambda store: Admin(store).create(made)) == (name not in self.model.holders)
        self.model.holders.setdefault(name, Holder(credits, self.model.ahead))

    @rule(orders=st.lists(ORDERS, min_size=1, max_size=4))
    def submit(self, orders: list[tuple[str, int, bool, float]]) -> None:
        for order in orders:
            self.submit_one(*order)

    def submit_one(self, name: str, price: int, fails: bool, seconds: float) -> None:
        id_ = f"tsk_{self.number():04}"
        outcome = "failed" if fails else "completed"

        def make(ordinal: int, now: int) -> tuple[Task, Sequence[Entry]]:
            plan = Plan(outcome, now + round(seconds * MICROSECONDS), *(("E", "broke") if fails else ()))
            task = Task(id_, name, "generateImage", {"ordinal": ordinal}, price, now, "http://mock", plan)
            return task, entries_of(task, self.lifecycle)

        holder = self.model.holders.get(name)
        if holder is None:
            self.fails(lambda store: store.submit(name, price, self.machine, make))
            return
        accepted = self.all_say(lambda store: store.submit(name, price, self.machine, make))
        assert (accepted is not None) == (holder.balance >= price)
        if accepted:
            holder.submissions += 1
            assert accepted.request == {"ordinal": holder.submissions}
            holder.jobs.append(Job(id_, price, fails, accepted.plan.ends_at))
            self.model.order.append(id_)
            self.model.pass_time()

    @rule(seconds=SECONDS)
    def wait(self, seconds: float) -> None:
        self.model.now += round(seconds * MICROSECONDS)
        self.model.pass_time()

    @rule(seconds=st.sampled_from([-5, -1, 2]))
    def turn_the_clock_of_all(self, seconds: int) -> None:
        self.all_say(lambda store: Admin(store).turn(None, self.turned(seconds), self.machine))
        self.model.ahead += seconds * MICROSECONDS
        for holder in self.model.holders.values():
            if not holder.own:
                self.model.set_ahead(holder, self.model.ahead)

    @rule(name=NAMES, seconds=st.sampled_from([-5, -1, 2]) | st.none())
    def turn_a_clock(self, name: str, seconds: int | None) -> None:
        """Turn the clock of an account, or let it go by that of all."""

        def turning(store: Store) -> Clock:
            return Admin(store).turn(name, self.turned(seconds), self.machine)

        holder = self.model.holders.get(name)
        if holder is None:
            self.fails(turning)
            return
        self.all_say(turning)
        holder.own = seconds is not None
        ahead = self.model.ahead if seconds is None else holder.ahead + seconds * MICROSECONDS
        self.model.set_ahead(holder, ahead)

    @staticmethod
    def turned(seconds: int | None) -> Change:
        return lambda clock, machine: None if seconds is None else clock.advanced(machine, seconds)

    @rule(name=NAMES, credits=CREDITS)
    def add_credits(self, name: str, credits: int) -> None:
        id_ = f"top_{self.number():04}"

        def adding(store: Store) -> None:
            Admin(store).top_up(name, self.machine, lambda now: top_up(id_, name, credits, now))

        if name not in self.model.holders:
            self.fails(adding)
            return
        self.all_say(adding)
        self.model.holders[name].added += credits

    @rule(which=st.integers(0), fails=st.booleans())
    def end_a_task(self, which: int, fails: bool) -> None:
        jobs = [(name, job) for name, holder in self.model.holders.items() for job in holder.jobs]
        if not jobs:
            return
        name, job = jobs[which % len(jobs)]

        def ending(store: Store) -> bool:
            found = store.task(job.id)
            assert found is not None
            task, _ = found

            def plan(now: int) -> tuple[Task, Sequence[Entry]]:
                planned = task.planned(Plan("failed", now, "E", "broke") if fails else Plan("completed", now), now)
                return planned, entries_of(planned, self.lifecycle)

            return Admin(store).replan(task, self.machine, plan) is not None

        assert self.all_say(ending) != job.done
        if not job.done:
            job.fails, job.done = fails, True
            job.ends_at = self.model.now + self.model.holders[name].ahead

    @rule(name=NAMES, whole=st.booleans())
    def delete_an_account(self, name: str, whole: bool) -> None:
        """Delete an account, or put it back to its beginning."""
        empty = Admin.delete if whole else Admin.restart
        holder = self.model.holders.pop(name, None)
        if holder is None:
            self.fails(lambda store: empty(Admin(store), name))
            return
        self.all_say(lambda store: empty(Admin(store), name))
        gone = {job.id for job in holder.jobs}
        self.model.order = [id_ for id_ in self.model.order if id_ not in gone]
        if not whole:
            self.model.holders[name] = Holder(holder.opening, self.model.ahead)

    @rule(keep=st.sampled_from([1, 2, 5]))
    def forget_the_oldest(self, keep: int) -> None:
        self.all_say(lambda store: store.prune(self.machine, keep))
        self.model.forget(keep)

    @rule(restoring=st.booleans())
    def begin_again(self, restoring: bool) -> None:
        """What one of them saved all of them can restore; what is in a database is there after a restart."""
        if restoring:
            saved = self.all_say(lambda store: Admin(store).dump())
            self.all_say(lambda store: Admin(store).load(saved))
        for number, url in enumerate(self.urls):
            if not self.stores[number].in_memory:
                self.stores[number].close()
                self.stores[number] = Store(url)

    # ------------------------------------------------------------ what must hold

    @invariant()
    def all_of_them_hold_what_the_model_holds(self) -> None:
        rows = self.all_say(lambda store: Admin(store).dump())
        jobs = {job.id: job for holder in self.model.holders.values() for job in holder.jobs}
        assert [row["id"] for row in rows["tasks"]] == self.model.order
        for row in rows["tasks"]:
            job = jobs[row["id"]]
            assert job.done or (row["ends_at"] == job.ends_at and not row["sealed"])
        for row in rows["accounts"]:
            assert row["carried"] == self.model.holders[row["name"]].carried
        for name, holder in self.model.holders.items():
            ledger: Ledger = self.all_say(partial(self.ledger, name))
            assert ledger.balance == holder.balance >= 0
            moved = [(entry.task, str(entry.kind), entry.amount) for entry in ledger.entries if entry.task]
            debits = [(job.id, "debit", -job.price) for job in holder.jobs]
            refunds = [(job.id, "refund", job.price) for job in holder.jobs if job.fails and job.done]
            assert sorted(moved) == sorted(debits + refunds)

    def ledger(self, name: str, store: Store) -> Ledger:
        return Admin(store).ledger(name, self.machine, 1000)


def drive(contract: Contract, urls: Callable[[], Sequence[str]], examples: int, steps: int) -> None:
    class Machine(SideBySide):
        def __init__(self) -> None:
            super().__init__(contract, urls())

    run_state_machine_as_test(Machine, settings=settings(max_examples=examples, stateful_step_count=steps))


def test_memory_and_file_and_a_plain_model_agree_at_every_step(contract: Contract, tmp_path: Path) -> None:
    files = iter(range(10**6))
    drive(contract, lambda: [MEMORY, f"sqlite:///{tmp_path}/{next(files)}.db"], examples=8, steps=50)


@pytest.mark.whole
def test_postgres_and_memory_and_file_and_a_plain_model_agree_at_every_step(
    contract: Contract, tmp_path: Path, postgres: Server
) -> None:
    files = iter(range(10**6))

    def urls() -> Sequence[str]:
        return [MEMORY, f"sqlite:///{tmp_path}/{next(files)}.db", postgres.new_database()]

    drive(contract, urls, examples=60, steps=50)
