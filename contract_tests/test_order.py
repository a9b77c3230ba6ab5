"""Which error is answered when several apply at once."""

from __future__ import annotations

from contract.clause import Kind
from contract.model import Operation, Submission, When
from contract_tests.bench import Bench
from contract_tests.marks import contract_test
from contract_tests.test_access import unauthenticated
from contract_tests.verdicts import NotExercised
from contract_tests.wire import Exchange

UNKNOWN_KEY = {"Authorization": "Bearer sk_live_nobody_has_this_key"}


def _invalid_bodies(bench: Bench, operation: Operation) -> list[bytes]:
    """One invalid body of each sort."""
    bodies: dict[str, bytes] = {}
    for case in bench.cases(operation).invalid:
        if case.encoded() not in bench.session.slack:
            bodies.setdefault(case.clause, case.encoded())
    return list(bodies.values())


def _first(bench: Bench, operation: Operation, first: When, second: When) -> str:
    found = bench.ids(Kind.ORDER, operation.id, value=[first.value, second.value])
    if not found:
        raise NotExercised(f"the contract does not order {first} and {second}")
    return found[0]


def _expect(bench: Bench, operation: Operation, exchange: Exchange, first: When, second: When) -> None:
    clause = _first(bench, operation, first, second)
    error = operation.errors[first]
    bench.expect(
        clause, exchange.status == error.status, f"{error.status} before {operation.errors[second].status}", exchange
    )


@contract_test(Kind.ORDER)
def test_credentials_come_before_validation(bench: Bench, submitting: Operation) -> None:
    """An invalid request without valid credentials is told about the credentials."""
    for body in _invalid_bodies(bench, submitting):
        for headers in ({}, UNKNOWN_KEY):
            exchange = bench.send(bench.submission_request(submitting, body, headers))
            _expect(bench, submitting, exchange, When.UNAUTHENTICATED, When.INVALID)


@contract_test(Kind.ORDER)
def test_credentials_come_before_credits(bench: Bench, submitting: Operation) -> None:
    """A request that nobody could pay, without valid credentials, is told about the credentials."""
    cases = bench.cases(submitting)
    for profile in cases.submission.profiles.values():
        for case in cases.prices(profile):
            for headers in ({}, UNKNOWN_KEY):
                exchange = bench.send(bench.submission_request(submitting, case.body, headers))
                _expect(bench, submitting, exchange, When.UNAUTHENTICATED, When.INSUFFICIENT)


@contract_test(Kind.ORDER)
def test_validation_comes_before_credits(bench: Bench, submitting: Operation) -> None:
    """An invalid request of an account without credits is told what is invalid."""
    account = bench.fresh(0)
    for body in _invalid_bodies(bench, submitting):
        exchange = bench.send(bench.submission_request(submitting, body, bench.credentials(account)))
        _expect(bench, submitting, exchange, When.INVALID, When.INSUFFICIENT)


@contract_test(Kind.ERROR)
def test_credentials_come_before_the_task(bench: Bench, reading: Operation) -> None:
    """A task that does not exist, without valid credentials, is no reason to say so."""
    for headers in ({}, UNKNOWN_KEY):
        unauthenticated(bench, reading, bench.send(bench.read_request(reading, "no-such-task", headers)))


@contract_test(Kind.ERROR)
def test_all_three_at_once(bench: Bench, submitting: Operation) -> None:
    """Nothing is right about it: no credentials, no credits, no valid request."""
    if not isinstance(submitting.task, Submission):
        raise NotExercised(f"{submitting.id} submits no task")
    unauthenticated(bench, submitting, bench.send(bench.submission_request(submitting, b"{", UNKNOWN_KEY)))
