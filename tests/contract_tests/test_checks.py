"""Each check by itself, without pytest around it: on a faulty target it names the clause, on the correct one none."""

from __future__ import annotations

import contextlib
import inspect
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

from contract.clause import Clause
from contract.model import Contract
from contract_tests import test_access as access
from contract_tests import test_credits as ledger
from contract_tests import test_lifecycle as lifecycle
from contract_tests import test_order as order
from contract_tests import test_protocol as protocol
from contract_tests import test_requests as requests
from contract_tests.bench import Bench
from contract_tests.case import Priced
from contract_tests.settings import Settings
from contract_tests.verdicts import NotExercised, Record
from tests.contract_tests.harness import a_bench
from tests.targets.server import Target

Check = Callable[..., None]

MODEL = "generateImage-nano-banana-2"

CHECKS: dict[Check, dict[str, Any]] = {
    requests.test_accepts: {"accepted_case": f"{MODEL}-price.2K-image-to-image"},
    requests.test_refuses: {"refused_case": f"{MODEL}-everything-wrong"},
    requests.test_refuses_whatever_is_invalid: {"submitting": None},
    requests.test_accepts_whatever_is_valid: {"submitting": None},
    ledger.test_exactly_enough_is_enough_once: {"price_case": f"{MODEL}-price.2K"},
    ledger.test_one_credit_short_is_refused: {"price_case": f"{MODEL}-price.2K"},
    ledger.test_refusals_and_reads_are_free: {"submitting": None},
    ledger.test_failed_tasks_are_refunded_once_and_in_full: {"priced": "nano-banana-2"},
    ledger.test_completed_tasks_are_never_refunded: {"priced": "nano-banana-2"},
    ledger.test_equal_submissions_are_two: {"submitting": None},
    ledger.test_concurrent_submissions_never_overspend: {"submitting": None},
    ledger.test_concurrent_submissions_are_all_debited: {"submitting": None},
    ledger.test_refunds_of_one_account_add_up: {"submitting": None},
    lifecycle.test_tasks_live_as_declared: {"submitting": None},
    lifecycle.test_failing_tasks_live_as_declared: {"submitting": None},
    access.test_wrong_credentials_open_nothing: {"operation": None},
    access.test_wrong_credentials_read_no_task: {"reading": None},
    access.test_each_scheme_opens_its_account: {"submitting": None},
    access.test_a_foreign_task_does_not_exist: {"reading": None},
    access.test_a_cookie_may_stand_among_others: {"submitting": None},
    order.test_credentials_come_before_credits: {"submitting": None},
    order.test_validation_comes_before_credits: {"submitting": None},
    protocol.test_an_unknown_task_is_not_found: {"reading": None},
    protocol.test_odd_values_are_no_server_error: {"submitting": None},
    protocol.test_other_methods_are_no_server_error: {"reading": None},
    protocol.test_answers_are_the_same_whatever_a_client_accepts: {"reading": None},
    protocol.test_odd_credentials_are_no_server_error: {"reading": None},
}
"""What each check is tried with: a case by its name, a profile by its name, or the operation that there is."""

FOUND: list[tuple[str, Check, str]] = [
    ("price-tier-wrong", requests.test_accepts, r"generateImage\.nano-banana-2\.price\.2K"),
    ("debit-differs", requests.test_accepts, r"generateImage\.debit"),
    ("submission-201", requests.test_accepts, r"generateImage\.statuses"),
    ("charge-on-400", requests.test_refuses, r"generateImage\.400\.free"),
    ("details-only-first-field", requests.test_refuses, r"generateImage\.400\.details"),
    ("details-messages-not-lists", requests.test_refuses, r"generateImage\.400\.details\.fieldErrors\..*"),
    ("validation-422", requests.test_refuses, r"generateImage\.400\.details"),
    ("validation-422", requests.test_refuses_whatever_is_invalid, r"generateImage\.(model|400|[a-z].*\.[a-z]+)"),
    ("edit-costs-more", requests.test_accepts_whatever_is_valid, r"generateImage\..*\.price.*"),
    ("price-from-sample-response", requests.test_accepts_whatever_is_valid, r"generateImage\.gpt-image-2\.price"),
    ("exact-balance-refused", ledger.test_exactly_enough_is_enough_once, r"generateImage\.402\.enough"),
    ("debit-missing", ledger.test_exactly_enough_is_enough_once, r"generateImage\.debit"),
    ("required-missing", ledger.test_one_credit_short_is_refused, r"generateImage\.402\.required.*"),
    ("required-is-shortfall", ledger.test_one_credit_short_is_refused, r"generateImage\.402\.required"),
    ("one-short-accepted", ledger.test_one_credit_short_is_refused, r"generateImage\.402\.enough"),
    ("charge-on-402", ledger.test_one_credit_short_is_refused, r"generateImage\.402\.free"),
    ("charge-on-400", ledger.test_refusals_and_reads_are_free, r"generateImage\.400\.free"),
    ("refund-missing", ledger.test_failed_tasks_are_refunded_once_and_in_full, r"lifecycle\.failed\.refund"),
    ("refund-half", ledger.test_failed_tasks_are_refunded_once_and_in_full, r"lifecycle\.failed\.refund"),
    ("refund-on-every-read", ledger.test_failed_tasks_are_refunded_once_and_in_full, r"lifecycle\.failed\.refund"),
    ("refund-flag-stays-false", ledger.test_failed_tasks_are_refunded_once_and_in_full, r".*\.refund-flag"),
    ("debit-on-completion", ledger.test_failed_tasks_are_refunded_once_and_in_full, r"generateImage\.debit"),
    ("refund-on-success", ledger.test_completed_tasks_are_never_refunded, r"lifecycle\.completed\.no-refund"),
    ("equal-requests-one-task", ledger.test_equal_submissions_are_two, r"generateImage\.repeat"),
    ("equal-requests-debited-once", ledger.test_equal_submissions_are_two, r"generateImage\.repeat"),
    (
        "overspend-when-concurrent",
        ledger.test_concurrent_submissions_never_overspend,
        r"generateImage\.402\.concurrent",
    ),
    ("lost-updates", ledger.test_concurrent_submissions_are_all_debited, r"generateImage\.402\.concurrent"),
    ("never-ends", lifecycle.test_tasks_live_as_declared, r"lifecycle\.deadline"),
    ("model-echo-shortened", lifecycle.test_tasks_live_as_declared, r"lifecycle\.echo\.model"),
    ("task-forgotten-after-end", lifecycle.test_tasks_live_as_declared, r"lifecycle\.identity"),
    ("refund-flag-stays-false", lifecycle.test_failing_tasks_live_as_declared, r"lifecycle\.failed\.refund-flag"),
    ("any-key-accepted", access.test_wrong_credentials_open_nothing, r"generateImage\.401"),
    ("reads-without-credentials", access.test_wrong_credentials_read_no_task, r"getTask\.401"),
    ("foreign-task-visible", access.test_a_foreign_task_does_not_exist, r"getTask\.404\.foreign"),
    ("foreign-task-404-reveals", access.test_a_foreign_task_does_not_exist, r"getTask\.404\..*"),
    ("402-before-401", order.test_credentials_come_before_credits, r"generateImage\.order\.401-402"),
    ("402-before-400", order.test_validation_comes_before_credits, r"generateImage\.order\.400-402"),
    ("unknown-task-200", protocol.test_an_unknown_task_is_not_found, r"getTask\.404"),
    ("basic-password-accepted", access.test_wrong_credentials_open_nothing, r"generateImage\.401"),
    ("cookie-only-first", access.test_a_cookie_may_stand_among_others, r"generateImage\.security\.sessionCookie"),
    ("refund-half", ledger.test_refunds_of_one_account_add_up, r"lifecycle\.failed\.refund"),
    ("delete-forgets-task", protocol.test_other_methods_are_no_server_error, r"(getTask|lifecycle)\..*"),
    (
        "error-html-for-browsers",
        protocol.test_answers_are_the_same_whatever_a_client_accepts,
        r"getTask\.40[14]\.content-type",
    ),
    ("invalid-key-500", protocol.test_odd_credentials_are_no_server_error, r"getTask\.500"),
    ("huge-number-500", protocol.test_odd_values_are_no_server_error, r"generateImage\.500"),
]


def _arguments(bench: Bench, check: Check) -> dict[str, Any]:
    ((kind, name),) = CHECKS[check].items()
    submitting, submission = next(bench.contract.submissions())
    reading, _ = next(bench.contract.readings())
    cases = bench.cases(submitting)
    match kind:
        case "priced":
            value: Any = Priced(name, submitting, tuple(cases.prices(submission.profiles[name])))
        case "submitting" | "operation":
            value = submitting
        case "reading":
            value = reading
        case _:
            value = next(case for case in (*cases.valid, *cases.invalid) if case.name == name)
    wanted = inspect.signature(check).parameters
    return {kind if kind in wanted else "operation": value}


def _record(
    check: Check, fault: str | None, contract: Contract, clauses: Mapping[str, Clause], *without: str
) -> Record:
    with Target(fault, task_seconds=0.1) as target:
        settings = Settings(target.url, deadline=1.0, fuzz=12)
        with a_bench(target, contract, clauses, *without, settings=settings) as bench:
            with contextlib.suppress(NotExercised):
                check(bench, **_arguments(bench, check))
            return bench.record


def _named(check: Check) -> str:
    return check.__name__.removeprefix("test_")


def _rows() -> Iterator[Any]:
    """The rows of `FOUND`: each check is tried with its first fault on every occasion."""
    tried = set()
    for fault, check, clause in FOUND:
        marks = [pytest.mark.whole] if check in tried else []
        yield pytest.param(fault, check, clause, id=f"{fault}-{_named(check)}", marks=marks)
        tried.add(check)


@pytest.mark.parametrize(("fault", "check", "clause"), list(_rows()))
def test_a_check_names_the_clause_that_the_fault_breaks(
    contract: Contract, clauses: Mapping[str, Clause], fault: str, check: Check, clause: str
) -> None:
    findings = _record(check, fault, contract, clauses).findings
    found = [finding for finding in findings if re.fullmatch(clause, finding.clause)]
    assert found, [finding.clause for finding in findings]
    assert all(finding.expected and finding.came and finding.reproduction for finding in found)


@pytest.mark.parametrize("check", CHECKS, ids=_named)
def test_a_check_finds_nothing_on_the_correct_target(
    contract: Contract, clauses: Mapping[str, Clause], check: Check
) -> None:
    record = _record(check, None, contract, clauses)
    assert record.findings == []
    assert record.held


@pytest.mark.whole
@pytest.mark.parametrize("missing", ["balance", "failing_request", "new_account"])
@pytest.mark.parametrize("check", [check for check in CHECKS if check.__module__ == ledger.__name__], ids=_named)
def test_a_check_of_the_ledger_finds_nothing_where_a_hook_is_missing(
    contract: Contract, clauses: Mapping[str, Clause], check: Check, missing: str
) -> None:
    assert _record(check, None, contract, clauses, missing).findings == []
