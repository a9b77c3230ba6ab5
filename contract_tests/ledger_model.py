"""The ledger as a model: Hypothesis makes up sequences of what a caller can do, the model knows what must come of each.

A task that will fail gives its price back at a moment that nobody announces, so the model knows a balance only within
bounds until it has seen the task end. A balance hook is held against the bounds; without one, the answers to
submissions are: what the lower bound pays for must be accepted, what the upper one does not must be refused.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, Phase, assume, seed
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.errors import Flaky
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from contract.clause import Kind
from contract.model import Operation, When
from contract_tests.bench import Bench
from contract_tests.case import Case
from contract_tests.tracked import Tracked
from contract_tests.verdicts import NotExercised

_SLOW_SECONDS = 2.0
"""Where tasks take longer than this, sequences do not wait for them."""
_MOST_GAMES = 40


class LedgerBreachError(AssertionError):
    """A sequence that the ledger does not survive: the clause, what was expected, what came, and the steps."""

    def __init__(self, clause: str, expected: str, came: str, steps: list[str]) -> None:
        self.clause, self.expected, self.came, self.steps = clause, expected, came, steps
        super().__init__(expected)


def play(bench: Bench, operation: Operation, *, games: int, steps: int, stake: int) -> None:
    """Play sequences against the target, each on an account of its own with at most `stake` credits.

    Raises:
        NotExercised: if accounts cannot be made.
    """
    bench.fresh(0)
    breaches: list[LedgerBreachError] = []
    table = _Table(bench, operation, stake, breaches.append)
    machine = seed(bench.session.settings.seed)(type("Ledger", (_Ledger,), {"table": table}))
    try:
        run_state_machine_as_test(
            machine,
            settings=hypothesis_settings(
                max_examples=games,
                stateful_step_count=steps,
                database=None,
                deadline=None,
                phases=(Phase.generate, Phase.shrink),
                suppress_health_check=list(HealthCheck),
                print_blob=False,
            ),
        )
    except (LedgerBreachError, Flaky):
        if not breaches:  # nothing broke, but time went by differently when Hypothesis played a sequence again
            return
        breach = min(breaches, key=lambda found: len(found.steps))
        bench.wrong(breach.clause, breach.expected, breach.came, breach.steps)
        return
    bench.held(bench.id(Kind.DEBIT, operation.id))


class _Table:
    """What all sequences have in common."""

    def __init__(
        self, bench: Bench, operation: Operation, stake: int, breach: Callable[[LedgerBreachError], None]
    ) -> None:
        self.bench = bench
        self.operation = operation
        self.stake = stake
        self.breach = breach
        self.games = 0
        cases = bench.cases(operation)
        task = cases.submission
        self.valid = [case for profile in task.profiles.values() for case in cases.prices(profile)]
        self.invalid = [case for case in cases.invalid if isinstance(case.body, dict)][::17]
        self.waits = True


class _Ledger(RuleBasedStateMachine):
    """One sequence on one account."""

    table: _Table

    def __init__(self) -> None:
        super().__init__()
        self.table.games += 1
        assume(self.table.games <= _MOST_GAMES)
        self.bench = self.table.bench
        self.balance = 0
        self.tasks: list[tuple[Tracked, bool]] = []
        self.steps: list[str] = []
        self.blame = self.bench.id(Kind.DEBIT, self.table.operation.id)

    @initialize(data=st.data())
    def open(self, data: st.DataObject) -> None:
        """Begin with an account of its own."""
        self.balance = data.draw(st.integers(0, self.table.stake), label="credits")
        self.account = self.bench.fresh(self.balance)
        self.steps.append(f"an account with {self.balance} credits")

    @rule(data=st.data())
    def submit(self, data: st.DataObject) -> None:
        """Submit a valid request."""
        self._submit(data.draw(st.sampled_from(self.table.valid)), fails=False)

    @precondition(lambda self: self.table.bench.hooks.has("failing_request"))
    @rule(data=st.data())
    def submit_failing(self, data: st.DataObject) -> None:
        """Submit a valid request whose task will fail."""
        self._submit(data.draw(st.sampled_from(self.table.valid)), fails=True)

    @rule(data=st.data())
    def submit_invalid(self, data: st.DataObject) -> None:
        """Submit a request that breaks a rule."""
        case = data.draw(st.sampled_from(self.table.invalid))
        operation = self.table.operation
        self.steps.append(f"an invalid submission ({case.name})")
        exchange = self.bench.send(
            self.bench.submission_request(operation, case.encoded(), self.bench.credentials(self.account))
        )
        task = self.bench.track(operation, case.body, self.account, exchange)
        if task is not None:  # it should not have been accepted, and other tests say so; it costs what it says
            self._taken(task, fails=False)
        self.blame = self.bench.id(Kind.FREE, operation.id, status=str(operation.errors[When.INVALID].status))

    @precondition(lambda self: bool(self.tasks))
    @rule(data=st.data())
    def read(self, data: st.DataObject) -> None:
        """Read a task."""
        task, _ = data.draw(st.sampled_from(self.tasks))
        self.steps.append(f"a read of task {[t for t, _ in self.tasks].index(task) + 1}")
        self.bench.read_all([task])
        self.blame = self._blame_of(task)

    @precondition(lambda self: bool(self.tasks) and self.table.waits)
    @rule()
    def wait(self) -> None:
        """Wait until every task has ended, and every refund has come."""
        started = time.monotonic()
        self.steps.append("wait until every task has ended")
        self.bench.wait([task for task, _ in self.tasks])
        self.bench.wait_for_refund([task for task, _ in self.tasks if task.state and task.state.refund])
        self.table.waits = time.monotonic() - started < _SLOW_SECONDS
        self.blame = self._blame_of(self.tasks[-1][0])

    @invariant()
    def adds_up(self) -> None:
        """The balance is within the model's bounds."""
        if not self.steps:
            return
        lowest_before, highest_before = self._bounds()
        balance = self.bench.balance(self.account)
        if balance is None:
            return
        for task, fails in self.tasks:
            if fails and not task.ended:
                self.bench.read_all([task])
        lowest = min(lowest_before, self._bounds()[0])
        if self.bench.explained(self.account, balance - highest_before):
            return
        if not lowest <= balance <= highest_before:
            self._breach(self._blame_after_all(), _range(lowest, highest_before), f"{balance} credits")

    def _submit(self, case: Case, *, fails: bool) -> None:
        operation = self.table.operation
        body: Any = self.bench.failing(case.body) if fails else case.body
        lowest, highest = self._bounds()
        what = "failing submission" if fails else "submission"
        self.steps.append(f"a {what} for {case.price} credits ({case.name})")
        try:
            exchange = self.bench.send(
                self.bench.submission_request(operation, body, self.bench.credentials(self.account)),
                cost=min(case.price, highest),
            )
        except NotExercised:
            self.steps.pop()
            return
        task = self.bench.track(operation, body, self.account, exchange)
        enough = self.bench.id(Kind.ENOUGH, operation.id)
        if task is None and lowest >= case.price:
            self._breach(
                self._blame_after_all(), f"a balance of {_range(lowest, highest)}, which is enough", exchange.came()
            )
        if task is not None and highest < case.price and not self.bench.explained(self.account, case.price - highest):
            self._breach(enough, f"a balance of {_range(lowest, highest)}, which is not enough", exchange.came())
        self.blame = self.bench.id(Kind.DEBIT, operation.id)
        if task is not None:
            self._taken(task, fails=fails)
        else:
            status = str(operation.errors[When.INSUFFICIENT].status)
            self.blame = self.bench.id(Kind.FREE, operation.id, status=status)

    def _taken(self, task: Tracked, *, fails: bool) -> None:
        self.balance -= task.credits if isinstance(task.credits, int) else 0
        self.tasks.append((task, fails))

    def _bounds(self) -> tuple[int, int]:
        """The lowest and the highest balance that there may be now."""
        lowest = highest = self.balance
        for task, fails in self.tasks:
            credits = task.credits if isinstance(task.credits, int) else 0
            refunds = task.state is not None and task.state.refund
            if refunds or (fails and not task.ended):
                highest += credits
            if refunds and task.refunded:
                lowest += credits
        return lowest, highest

    def _blame_of(self, task: Tracked) -> str:
        state = task.state
        if state is None or not state.terminal:
            return self.bench.id(Kind.FREE, task.submission.reads)
        kind = Kind.REFUND if state.refund else Kind.NO_REFUND
        return self.bench.id(kind, value=state.name)

    def _blame_after_all(self) -> str:
        """A wrong refund may show at any time after the failure, whatever was done last."""
        refunded = [task for task, _ in self.tasks if task.state is not None and task.state.refund]
        return self._blame_of(refunded[-1]) if refunded else self.blame

    def _breach(self, clause: str, expected: str, came: str) -> None:
        breach = LedgerBreachError(clause, expected, came, list(self.steps))
        self.table.breach(breach)
        raise breach


def _range(lowest: int, highest: int) -> str:
    return f"{lowest} credits" if lowest == highest else f"{lowest} to {highest} credits"
