"""What a submission may say: at the limit accepted, one over it refused, and everything in between."""

from __future__ import annotations

import re

from schemathesis.generation import GenerationMode

from contract.clause import Kind
from contract.model import Contract, Operation, Submission, When
from contract_tests.bench import Bench
from contract_tests.case import Case
from contract_tests.fuzz import Fuzzer, explore
from contract_tests.marks import contract_test
from contract_tests.verdicts import Finding, NotExercised
from contract_tests.wire import Exchange


def _price(_contract: Contract, accepted_case: Case) -> int:
    return accepted_case.price


@contract_test(Kind.STATUSES, Kind.CONTENT_TYPE, Kind.BODY, cost=_price)
def test_accepts(bench: Bench, accepted_case: Case) -> None:
    """A valid request is accepted at its price, and its task repeats it exactly."""
    case = accepted_case
    operation = bench.contract.operations[case.operation]
    account, before = bench.counted()
    request = bench.submission_request(operation, case.encoded(), bench.credentials(account))
    exchange = bench.send(request, cost=case.price)
    if bench.ran_out(operation, exchange):
        raise NotExercised("the account has run out of credits")
    task = bench.track(operation, case.body, account, exchange)
    if not bench.expect(case.clause, task is not None, "the request accepted", exchange) or task is None:
        return
    price = bench.cases(operation).price_clause(case.body)
    bench.expect(price, task.credits == case.price, f"a price of {case.price} credits", exchange)
    if before is not None:
        after = bench.counted_now()
        if bench.explained(account, after - (before - case.price)):
            raise NotExercised("a task failed by itself, and its refund came between")
        debit = bench.id(Kind.DEBIT, operation.id)
        bench.expect(debit, after == before - case.price, f"a debit of {case.price}; {before} became {after}", exchange)
    bench.read_all([task])


@contract_test(Kind.STATUSES, Kind.CONTENT_TYPE, Kind.BODY, Kind.ERROR, Kind.DETAILS)
def test_refuses(bench: Bench, refused_case: Case) -> None:
    """A request that breaks a rule is refused, the refusal names the field, and nothing is charged."""
    case = refused_case
    operation = bench.contract.operations[case.operation]
    account, before = bench.counted()
    request = bench.submission_request(operation, case.encoded(), bench.credentials(account))
    exchange = bench.send(request)
    bench.track(operation, case.body if isinstance(case.body, dict) else {}, account, exchange)
    if bench.accepted(operation, exchange):
        bench.session.slack.add(case.encoded())  # known to be taken for valid: not to be wondered at elsewhere
    _check_refused(bench, case, operation, exchange)
    if before is not None:
        after = bench.counted_now()
        free = bench.id(Kind.FREE, operation.id, status=str(operation.errors[When.INVALID].status))
        if exchange.status == operation.errors[When.INVALID].status:
            if bench.explained(account, after - before):
                raise NotExercised("a task failed by itself, and its refund came between")
            bench.expect(free, after == before, f"no debit; {before} became {after}", exchange)


def _check_refused(bench: Bench, case: Case, operation: Operation, exchange: Exchange) -> None:
    """Check that a request was refused as invalid, and that the refusal names what was wrong and nothing else."""
    error = operation.errors[When.INVALID]
    refused = exchange.status == error.status
    if not bench.expect(case.clause, refused, f"the request refused with {error.status}", exchange):
        return
    bench.held(bench.id(Kind.ERROR, operation.id, value=error.when.value))
    answer = exchange.json()
    details = answer.get(error.details) if isinstance(answer, dict) and error.details else None
    if not isinstance(details, dict) or not case.wrong:
        return
    errors = details.get("fieldErrors")
    if not isinstance(errors, dict):
        return  # the judge has spoken of it
    named = {re.split(r"[.[/]", name)[0] for name in errors}  # `a.0`, `a[0]`: it is about `a`
    right = {name for name in named - case.wrong if isinstance(case.body, dict) and name in case.body}
    expected = f"a message for {', '.join(sorted(case.wrong))}, and for no field that is right"
    bench.expect(bench.id(Kind.DETAILS, operation.id), case.wrong <= named and not right, expected, exchange)


def _fuzz_cost(_contract: Contract, submitting: Operation) -> int:
    """What the generated valid requests may cost: enough for most of them at the highest price."""
    task = submitting.task
    return 8 * max(profile.price.most for profile in task.profiles.values()) if isinstance(task, Submission) else 0


@contract_test(Kind.STATUSES, Kind.BODY)
def test_refuses_whatever_is_invalid(bench: Bench, submitting: Operation) -> None:
    """Whatever Schemathesis makes up that is not valid is refused; nothing it makes up is an error of the server."""
    account = bench.main()
    fuzzer = Fuzzer(bench, submitting)

    def check(body: bytes) -> Finding | None:
        if fuzzer.verdict(body) is not False:
            return None
        exchange = bench.send(bench.submission_request(submitting, body, bench.credentials(account)))
        if exchange.status == submitting.errors[When.INVALID].status:
            return None
        return bench.session.judge.finding(fuzzer.refusal_clause(body), "the request refused as invalid", exchange)

    found = explore(fuzzer.bodies(GenerationMode.NEGATIVE), check, bench.session.settings)
    if found is not None:
        bench.record.findings.append(found)


@contract_test(Kind.STATUSES, Kind.BODY, cost=_fuzz_cost)
def test_accepts_whatever_is_valid(bench: Bench, submitting: Operation) -> None:
    """Whatever Schemathesis makes up that is valid is accepted, at its price, and repeated exactly."""
    account = bench.main()
    fuzzer = Fuzzer(bench, submitting)
    price_of = fuzzer.price_of

    def check(body: bytes) -> Finding | None:
        if fuzzer.verdict(body) is not True:
            return None
        request = bench.submission_request(submitting, body, bench.credentials(account))
        try:
            exchange = bench.send(request, cost=price_of(body))
        except NotExercised:
            return None  # the money that generated requests may cost is spent
        if bench.ran_out(submitting, exchange):
            return None
        task = bench.track(submitting, fuzzer.parsed(body), account, exchange)
        if task is None:
            return bench.session.judge.finding(fuzzer.acceptance_clause(body), "the request accepted", exchange)
        bench.read_all([task])
        if task.credits == price_of(body):
            return None
        expected = f"a price of {price_of(body)} credits"
        return bench.session.judge.finding(fuzzer.price_clause(body), expected, exchange)

    found = explore(fuzzer.bodies(GenerationMode.POSITIVE), check, bench.session.settings)
    if found is not None:
        bench.record.findings.append(found)
