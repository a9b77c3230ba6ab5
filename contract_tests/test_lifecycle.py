"""How a task lives: it begins as it should, ends in time, and never changes again."""

from __future__ import annotations

from contract.clause import Kind
from contract.model import Contract, Operation, Submission
from contract_tests.bench import Bench
from contract_tests.case import Case
from contract_tests.marks import contract_test
from contract_tests.tracked import Tracked
from contract_tests.verdicts import NotExercised

LIVES = (
    Kind.INITIAL, Kind.DEADLINE, Kind.TRANSITIONS, Kind.FINAL, Kind.UNIQUE, Kind.IDENTITY, Kind.TYPE, Kind.CREATED,
    Kind.UPDATED, Kind.ECHO, Kind.CHARGED, Kind.BODY,
)  # fmt: skip
EACH, EACH_FAILING = 8, 3
"""Tasks of each profile."""
REREADS = 5
GROUP = 50
"""Tasks that are read at the same time."""


def _chosen(bench: Bench, operation: Operation, most: int) -> list[Case]:
    """Requests of every profile at its lowest price: in each mode, and with what is easily damaged on the way."""
    groups: dict[str | None, list[Case]] = {}
    for case in bench.cases(operation).valid:
        groups.setdefault(case.profile, []).append(case)
    return [case for group in groups.values() for case in _spread(group, most)]


def _spread(cases: list[Case], most: int) -> list[Case]:
    cheapest = [case for case in cases if case.price == min(case.price for case in cases)]
    return cheapest[:: max(1, len(cheapest) // most)][:most]


def _lowest(submitting: Operation) -> int:
    """What the cheapest request of every profile costs together."""
    task = submitting.task
    profiles = task.profiles.values() if isinstance(task, Submission) else ()
    return sum(min(profile.price.credits.values()) for profile in profiles)


def _complete_cost(_contract: Contract, submitting: Operation) -> int:
    return EACH * _lowest(submitting)


def _fail_cost(_contract: Contract, submitting: Operation) -> int:
    return EACH_FAILING * _lowest(submitting)


@contract_test(*LIVES, cost=_complete_cost)
def test_tasks_live_as_declared(bench: Bench, submitting: Operation) -> None:
    """Tasks of every profile, all at once, from their submission to their end and beyond."""
    account = bench.main()
    tasks = [
        bench.submit(submitting, case.body, account, price=case.price) for case in _chosen(bench, submitting, EACH)
    ]
    _follow(bench, [task for task in tasks if task is not None])


@contract_test(*LIVES, Kind.REFUND_FLAG, cost=_fail_cost)
def test_failing_tasks_live_as_declared(bench: Bench, submitting: Operation) -> None:
    """The same for tasks that fail."""
    account = bench.main()
    chosen = _chosen(bench, submitting, EACH_FAILING)
    bodies = [bench.failing(case.body) for case in chosen]
    tasks = [
        bench.submit(submitting, body, account, price=case.price) for case, body in zip(chosen, bodies, strict=True)
    ]
    made = [task for task in tasks if task is not None]
    _follow(bench, made)
    failed = [task for task in made if task.state is not None and task.state.refund]
    if not failed:
        raise NotExercised("no task failed that the hook failing_request was to fail")
    bench.wait_for_refund(failed)
    exchange = bench.read_all(failed[:1])[0]
    flag = f"lifecycle.{bench.failed_name()}.{Kind.REFUND_FLAG}"
    refunded = bench.contract.lifecycle.fields.refunded
    bench.expect(flag, all(task.refunded for task in failed), f"`{refunded}` true", exchange)


def _follow(bench: Bench, tasks: list[Tracked]) -> None:
    if not tasks:
        raise NotExercised("no submission was accepted")
    bench.read_all(tasks)
    bench.wait(tasks)
    for _ in range(REREADS):
        bench.read_all(tasks)
    bench.read_all(tasks[:4], times=4)
    broken = {finding.clause for finding in bench.record.findings}
    for state in {task.state.name for task in tasks if task.state is not None and task.ended}:
        final = f"lifecycle.{state}.{Kind.FINAL}"
        if final not in broken:
            bench.held(final)


@contract_test(Kind.FINAL, last=True)
def test_what_has_ended_stays_as_it_was(bench: Bench) -> None:
    """At the end of the run every task that was accepted is waited for, and read again once it has ended."""
    tasks = bench.session.tasks
    if not tasks:
        raise NotExercised("no submission was accepted")
    for group in (tasks[start : start + GROUP] for start in range(0, len(tasks), GROUP)):
        bench.wait(group)
        bench.read_all(group)
