"""The ledger: what is debited, what is refused, what comes back, and that it all adds up."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from contract.clause import Kind
from contract.model import Contract, Operation, Submission, When
from contract_tests import samples
from contract_tests.bench import Bench
from contract_tests.case import Case, Priced, encode
from contract_tests.hooks import Account
from contract_tests.ledger_model import play
from contract_tests.marks import contract_test
from contract_tests.money import expect_balance, expect_short
from contract_tests.test_access import wrong_credentials
from contract_tests.tracked import Tracked
from contract_tests.verdicts import NotExercised
from contract_tests.wire import Exchange, Request

CLIENTS = 16
ROUNDS, AFFORDABLE = 4, 3
GAMES, STEPS, STAKE = 6, 14, 4
CROWD = 3
"""So many read a failing task at the moment of its end: a refund by whoever sees it first would come twice."""
PATIENCE = 4
"""How many times as long as one task took, another may take; and how many seconds more."""


def _once(_contract: Contract, price_case: Case) -> int:
    return price_case.price


def _profile_once(_contract: Contract, priced: Priced) -> int:
    return sum(case.price for case in priced.cases)


def _profile_twice(_contract: Contract, priced: Priced) -> int:
    return 2 * _profile_once(_contract, priced)


def _lowest(submitting: Operation) -> int:
    task = submitting.task
    prices = (
        [p for f in task.profiles.values() for p in f.price.credits.values()] if isinstance(task, Submission) else [0]
    )
    return min(prices)


def _free_refusals(_contract: Contract, submitting: Operation) -> int:
    return 5 * _lowest(submitting)


def _two_lowest(_contract: Contract, submitting: Operation) -> int:
    return 2 * _lowest(submitting)


def _edges(_contract: Contract, submitting: Operation) -> int:
    return ROUNDS * AFFORDABLE * _lowest(submitting)


def _crowd(_contract: Contract, submitting: Operation) -> int:
    return CLIENTS * _lowest(submitting)


def _games(_contract: Contract, submitting: Operation) -> int:
    return GAMES * STAKE * _lowest(submitting)


@contract_test(Kind.ENOUGH, Kind.DEBIT, Kind.STATED_PRICE, Kind.ERROR, cost=_once)
def test_exactly_enough_is_enough_once(bench: Bench, price_case: Case) -> None:
    """An account with exactly the price can pay it, and then nothing more."""
    operation = bench.contract.operations[price_case.operation]
    account = bench.fresh(price_case.price)
    request = bench.submission_request(operation, price_case.body, bench.credentials(account))
    exchange = bench.send(request, cost=price_case.price)
    task = bench.track(operation, price_case.body, account, exchange)
    enough = bench.id(Kind.ENOUGH, operation.id)
    if not bench.expect(enough, task is not None, "a balance equal to the price accepted", exchange) or task is None:
        return
    clause = bench.cases(operation).price_clause(price_case.body)
    bench.expect(clause, task.credits == price_case.price, f"a price of {price_case.price} credits", exchange)
    expect_balance(bench, account, 0, bench.id(Kind.DEBIT, operation.id), [exchange.request.curl("")])
    cheapest = bench.cases(operation).cheapest()
    body = bench.cases(operation).plain(cheapest)
    again = bench.send(bench.submission_request(operation, body, bench.credentials(account)))
    expect_short(bench, operation, again, cheapest.price.of(body), bench.id(Kind.DEBIT, operation.id))
    expect_balance(bench, account, 0, bench.id(Kind.FREE, operation.id, status=_short_status(operation)), [])


@contract_test(Kind.ENOUGH, Kind.STATED_PRICE, Kind.ERROR, Kind.FREE)
def test_one_credit_short_is_refused(bench: Bench, price_case: Case) -> None:
    """An account with one credit less than the price is refused, told the price, and charged nothing."""
    operation = bench.contract.operations[price_case.operation]
    account = bench.fresh(price_case.price - 1)
    request = bench.submission_request(operation, price_case.body, bench.credentials(account))
    exchange = bench.send(request)
    bench.track(operation, price_case.body, account, exchange)
    enough = bench.id(Kind.ENOUGH, operation.id)
    expect_short(bench, operation, exchange, price_case.price, enough, balance=price_case.price - 1)
    free = bench.id(Kind.FREE, operation.id, status=_short_status(operation))
    if exchange.status == operation.errors[When.INSUFFICIENT].status:
        expect_balance(bench, account, price_case.price - 1, free, [exchange.request.curl("")])


@contract_test(Kind.FREE, cost=_free_refusals)
def test_refusals_and_reads_are_free(bench: Bench, submitting: Operation) -> None:
    """After refusals of one kind, or reads, an account with exactly one price can still pay it."""
    cases = bench.cases(submitting)
    body = cases.plain(cases.cheapest())
    price = cases.cheapest().price.of(body)
    reading = bench.reading_of(cases.submission)
    priced = (case for profile in cases.submission.profiles.values() for case in cases.prices(profile))
    dearest = max(priced, key=lambda case: case.price)
    refusals = {
        When.INVALID: [case.encoded() for case in cases.invalid[::13]],
        When.INSUFFICIENT: [dearest.encoded()] * (dearest.price > price),
        When.UNAUTHENTICATED: [encode(body)],
    }
    for when, bodies in refusals.items():
        account = bench.fresh(price)
        sent = [raw for raw in bodies if raw not in bench.session.slack]
        headers = [bench.credentials(account)]
        if when is When.UNAUTHENTICATED:
            headers = list(wrong_credentials(bench, account).values())
        exchanges = [bench.send(bench.submission_request(submitting, raw, h)) for raw in sent for h in headers]
        status = submitting.errors[when].status
        if sent and all(exchange.status == status for exchange in exchanges):
            clause = bench.id(Kind.FREE, submitting.id, status=str(status))
            _still_pays(bench, submitting, account, clause, f"{len(sent)} submissions that are refused with {status}")
    account = bench.fresh(2 * price)  # so that there is something left that a read could take
    for task_id in ("no-such-task", *(task.id for task in bench.session.tasks[:3])):
        bench.send(bench.read_request(reading, task_id, bench.credentials(account)))
    free = bench.id(Kind.FREE, reading.id)
    steps = [f"an account with {2 * price} credits", "reads of tasks that are not its own"]
    if not expect_balance(bench, account, 2 * price, free, steps):
        return
    task = bench.submit(submitting, body, account, price=price)
    if task is None:
        raise NotExercised("the submission was not accepted")
    bench.wait([task])
    for _ in range(5):
        bench.read_all([task])
    steps += [f"a submission for {price} credits", "reads of it until it has ended, and five more"]
    if expect_balance(bench, account, price, free, steps):
        _still_pays(bench, submitting, account, free, "a submission, and many reads of its task")


def _still_pays(bench: Bench, submitting: Operation, account: Account, clause: str, what: str) -> Tracked | None:
    """Check that an account with exactly the lowest price still has it."""
    cases = bench.cases(submitting)
    body = cases.plain(cases.cheapest())
    price = cases.cheapest().price.of(body)
    steps = [f"an account with {price} credits", what]
    if not expect_balance(bench, account, price, clause, steps):
        return None
    request = bench.submission_request(submitting, body, bench.credentials(account))
    exchange = bench.send(request, cost=price)
    task = bench.track(submitting, body, account, exchange)
    if task is not None:
        bench.held(clause)
    elif exchange.status == submitting.errors[When.INSUFFICIENT].status:
        steps.append(f"a submission for {price} credits")
        bench.wrong(clause, f"a balance of {price} credits, which is still enough", exchange.came(), steps)
    return task


@contract_test(Kind.REFUND, Kind.REFUND_FLAG, Kind.FINAL, cost=_profile_twice)
def test_failed_tasks_are_refunded_once_and_in_full(bench: Bench, priced: Priced) -> None:
    """A task that fails gives back exactly its price, exactly once, however often and by however many it is read."""
    operation = priced.operation
    failed = bench.contract.lifecycle.states[bench.failed_name()]
    refund, flag = f"lifecycle.{failed.name}.{Kind.REFUND}", f"lifecycle.{failed.name}.{Kind.REFUND_FLAG}"
    tasks: list[tuple[Case, Account, Tracked]] = []
    for case in priced.cases:
        account = bench.fresh(case.price)
        task = bench.submit(operation, bench.failing(case.body), account, price=case.price)
        if task is None:
            raise NotExercised("the failing request was not accepted")
        early = bench.balance(account)
        bench.read_all([task])
        if not task.ended and early:  # the task was still at work when the balance was asked for
            steps = _failing(case)[:2]
            bench.wrong(bench.id(Kind.DEBIT, operation.id), "a balance of 0 credits", f"{early} credits", steps)
        tasks.append((case, account, task))
    every = [task for _, _, task in tasks]
    bench.wait(every, crowd=CROWD)
    if any(task.state is not failed for task in every):
        raise NotExercised("a task that the hook failing_request was to fail did not fail")
    bench.read_all(every, times=6)
    bench.wait_for_refund(every)
    last = bench.read_all(every)
    for (case, account, task), exchange in zip(tasks, last, strict=True):
        bench.expect(flag, task.refunded, f"`{bench.contract.lifecycle.fields.refunded}` true", exchange)
        if not expect_balance(bench, account, case.price, refund, _failing(case)):
            continue
        again = bench.submit(operation, case.body, account, price=case.price)
        if again is None:
            bench.wrong(refund, f"{case.price} credits back, enough for the same request", "refused", _failing(case))
            continue
        bench.read_all([task], times=3)
        steps = [*_failing(case), "the refund is spent, and the failed task is read again"]
        more = bench.send(bench.submission_request(operation, case.body, bench.credentials(account)))
        bench.track(operation, case.body, account, more)
        if expect_balance(bench, account, 0, refund, steps) and expect_short(
            bench, operation, more, case.price, refund
        ):
            bench.held(refund)


def _failing(case: Case) -> list[str]:
    return [
        f"an account with {case.price} credits",
        f"a submission for {case.price} credits whose task fails ({case.name})",
        "it is read until it has failed, and 6 times more",
    ]


@contract_test(Kind.REFUND, cost=_two_lowest)
def test_a_refund_waits_for_nobody(bench: Bench, submitting: Operation) -> None:
    """A task that fails is refunded though nobody reads it: another one, which is read, tells when it has failed."""
    cases = bench.cases(submitting)
    body = bench.failing(cases.plain(cases.cheapest()))
    price = cases.cheapest().price.of(body)
    unread, read = bench.fresh(price), bench.fresh(price)
    if bench.balance(unread) is None:
        raise NotExercised("no hook balance")
    if bench.submit(submitting, body, unread, price=price) is None:
        raise NotExercised("the failing request was not accepted")
    started = time.monotonic()
    task = bench.submit(submitting, body, read, price=price)
    if task is None:
        raise NotExercised("the failing request was not accepted")
    bench.wait([task])
    patience = min(bench.session.deadline, PATIENCE * (time.monotonic() - started) + PATIENCE)
    while bench.balance(unread) != price and time.monotonic() - started < patience:
        time.sleep(patience / 50)
    clause = f"lifecycle.{bench.failed_name()}.{Kind.REFUND}"
    steps = [
        f"an account with {price} credits",
        f"a submission for {price} credits whose task fails",
        "nobody reads it",
    ]
    if task.state is bench.contract.lifecycle.states[bench.failed_name()]:
        expect_balance(bench, unread, price, clause, steps)


@contract_test(Kind.NO_REFUND, Kind.FINAL, cost=_profile_once)
def test_completed_tasks_are_never_refunded(bench: Bench, priced: Priced) -> None:
    """A task that completes keeps its price, however often it is read."""
    operation = priced.operation
    tasks: list[tuple[Case, Account, Tracked]] = []
    for case in priced.cases:
        account = bench.fresh(case.price)
        task = bench.submit(operation, case.body, account, price=case.price)
        if task is None:
            raise NotExercised("the submission was not accepted")
        tasks.append((case, account, task))
    every = [task for _, _, task in tasks]
    bench.wait(every)
    for _ in range(3):
        bench.read_all(every, times=2)
    cheapest = bench.cases(operation).cheapest()
    body = bench.cases(operation).plain(cheapest)
    for case, account, task in tasks:
        state = task.state
        if state is None or state.refund:
            raise NotExercised("a task did not complete")
        clause = f"lifecycle.{state.name}.{Kind.NO_REFUND}"
        steps = [f"an account with {case.price} credits", f"a task for all of them ({case.name})", "seven reads of it"]
        more = bench.send(bench.submission_request(operation, body, bench.credentials(account)))
        bench.track(operation, body, account, more)
        balanced = expect_balance(bench, account, 0, clause, steps)
        if balanced and expect_short(bench, operation, more, cheapest.price.of(body), clause):
            bench.held(clause)


@contract_test(Kind.REPEAT, Kind.UNIQUE, cost=_two_lowest)
def test_equal_submissions_are_two(bench: Bench, submitting: Operation) -> None:
    """Two equal requests make two tasks and two debits."""
    cases = bench.cases(submitting)
    body = cases.plain(cases.cheapest())
    price = cases.cheapest().price.of(body)
    account = bench.fresh(2 * price) if bench.hooks.has("new_account") else bench.main()
    tasks = [bench.submit(submitting, body, account, price=price) for _ in range(2)]
    repeat = bench.id(Kind.REPEAT, submitting.id)
    made = [task for task in tasks if task is not None]
    if len(made) != len(tasks):
        raise NotExercised("the submissions were not accepted")
    if made[0].id == made[1].id:
        bench.wrong(repeat, "two tasks", f"one, {made[0].id}", ["the same submission, twice"])
        return
    bench.held(repeat)
    bench.read_all(made)
    if bench.hooks.has("new_account"):
        expect_balance(bench, account, 0, repeat, [f"the same submission for {price} credits, twice"])


@contract_test(Kind.CONCURRENT, cost=_edges)
def test_concurrent_submissions_never_overspend(bench: Bench, submitting: Operation) -> None:
    """Of many submissions at once exactly as many are accepted as the balance pays for."""
    cases = bench.cases(submitting)
    body = cases.plain(cases.cheapest())
    price = cases.cheapest().price.of(body)
    clause = bench.id(Kind.CONCURRENT, submitting.id)
    for number in range(ROUNDS):
        account = bench.fresh(AFFORDABLE * price + 1)
        bodies = [body] * CLIENTS if number % 2 else _alike(bench, submitting)
        requests = _by_all_schemes(bench, submitting, account, bodies)
        exchanges = bench.send_all(requests, cost=AFFORDABLE * price)
        tasks = [bench.track(submitting, b, account, e) for b, e in zip(bodies, exchanges, strict=True)]
        accepted = sum(task is not None for task in tasks)
        _all_answered(bench, submitting, exchanges)
        steps = [
            f"an account with {AFFORDABLE * price + 1} credits",
            f"{CLIENTS} submissions for {price} credits at once",
        ]
        if accepted != AFFORDABLE:
            bench.wrong(clause, f"{AFFORDABLE} of them accepted", f"{accepted} of them", steps)
            return
        if not expect_balance(bench, account, 1, clause, steps):
            return
    bench.held(clause)


@contract_test(Kind.CONCURRENT, Kind.DEBIT, cost=_crowd)
def test_concurrent_submissions_are_all_debited(bench: Bench, submitting: Operation) -> None:
    """Of many submissions at once each one that is accepted is paid for, and makes the task that it asks for."""
    cases = bench.cases(submitting)
    price = cases.cheapest().price.of(cases.plain(cases.cheapest()))
    account = bench.fresh(CLIENTS * price)
    bodies = _alike(bench, submitting)
    exchanges = bench.send_all(_by_all_schemes(bench, submitting, account, bodies), cost=CLIENTS * price)
    tasks = [bench.track(submitting, b, account, e) for b, e in zip(bodies, exchanges, strict=True)]
    accepted = sum(task is not None for task in tasks)
    _all_answered(bench, submitting, exchanges)
    clause = bench.id(Kind.CONCURRENT, submitting.id)
    steps = [f"an account with {CLIENTS * price} credits", f"{CLIENTS} submissions for {price} credits at once"]
    if accepted != CLIENTS:
        bench.wrong(clause, "all of them accepted", f"{accepted} of them", steps)
        return
    bench.read_all([task for task in tasks if task is not None])
    expect_balance(bench, account, 0, clause, steps)
    more = bench.send(bench.submission_request(submitting, bodies[0], bench.credentials(account)))
    bench.track(submitting, bodies[0], account, more)
    expect_short(bench, submitting, more, price, clause)


def _alike(bench: Bench, submitting: Operation) -> list[dict[str, Any]]:
    """A crowd of requests at the lowest price, of every profile and in every mode that has it, no two the same."""
    cases = bench.cases(submitting)
    priced = [case for profile in cases.submission.profiles.values() for case in cases.prices(profile)]
    lowest = [case.body for case in priced if case.price == min(case.price for case in priced)]
    names = [name for name in bench.contract.lifecycle.echoes if name != cases.submission.selector]
    crowd = [dict(lowest[index % len(lowest)]) for index in range(CLIENTS)]
    for index, body in enumerate(crowd):
        node = cases.submission.profile_of(body).properties
        varied = {name: f"{body[name]} {index}" for name in names if isinstance(body.get(name), str)}
        body |= {name: value for name, value in varied.items() if samples.allows(node[name], value)}
    return crowd


def _by_all_schemes(
    bench: Bench, submitting: Operation, account: Account, bodies: Sequence[dict[str, Any]]
) -> list[Request]:
    """The submissions of an account, which shows who it is by each of its credentials in turn."""
    known = [scheme for scheme in submitting.security if account.secret(scheme) is not None]
    return [
        bench.submission_request(submitting, body, bench.credentials(account, known[index % len(known)]))
        for index, body in enumerate(bodies)
    ]


@contract_test(Kind.REFUND, cost=_crowd)
def test_refunds_of_one_account_add_up(bench: Bench, submitting: Operation) -> None:
    """Tasks of one account that fail at the same time, some of them the same, all give their price back."""
    cases = bench.cases(submitting)
    price = cases.cheapest().price.of(cases.plain(cases.cheapest()))
    bodies = [bench.failing(body) for body in _alike(bench, submitting)[: CLIENTS // 2] for _ in range(2)]
    account = bench.fresh(CLIENTS * price)
    exchanges = bench.send_all(_by_all_schemes(bench, submitting, account, bodies), cost=CLIENTS * price)
    tasks = [bench.track(submitting, b, account, e) for b, e in zip(bodies, exchanges, strict=True)]
    made = [task for task in tasks if task is not None]
    if len(made) != CLIENTS:
        raise NotExercised("the failing requests were not accepted")
    bench.wait(made, crowd=1)
    bench.wait_for_refund(made)
    clause = f"lifecycle.{bench.failed_name()}.{Kind.REFUND}"
    if not all(task.state is not None and task.state.refund for task in made):
        raise NotExercised("a task that the hook failing_request was to fail did not fail")
    steps = [f"an account with {CLIENTS * price} credits", f"{CLIENTS} submissions at once whose tasks all fail"]
    expect_balance(bench, account, CLIENTS * price, clause, steps)


@contract_test(Kind.DEBIT, Kind.REFUND, Kind.NO_REFUND, Kind.FREE, cost=_games)
def test_any_sequence_adds_up(bench: Bench, submitting: Operation) -> None:
    """After any sequence of submissions, refusals, completions, failures and reads the balance is the model's."""
    play(bench, submitting, games=GAMES, steps=STEPS, stake=STAKE * _lowest(submitting))


def _all_answered(bench: Bench, submitting: Operation, exchanges: Sequence[Exchange]) -> None:
    """Make sure that each of a crowd was either accepted or refused for want of credits; all else is not about that."""
    short = submitting.errors[When.INSUFFICIENT].status
    if not all(bench.accepted(submitting, exchange) or exchange.status == short for exchange in exchanges):
        raise NotExercised("some of the submissions were refused for other reasons")


def _short_status(operation: Operation) -> str:
    return str(operation.errors[When.INSUFFICIENT].status)
