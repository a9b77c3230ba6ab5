"""Which of the target's faults are seen by who only watches, and knows neither balances nor whose a key is."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from contract.model import Contract, Operation, Submission
from contract_tests.cases import Cases
from tests.contract_tests.traffic.passing import broken_in_passing, named
from tests.targets.faults import FAULTS

EXPECTED = yaml.safe_load((Path(__file__).parents[2] / "targets" / "expected.yaml").read_text("utf-8"))

OTHERWISE = {
    # of the rules that a refusal may mean, the assumed one is named: nobody is blamed for more than is known
    "references-one-under": r"nano-banana-2\.inputImageUrls",
    # the envelope is judged as the request that it was taken for
    "envelope-accepted": r"model\.required",
    # what is paid back is not seen, what is said of it is
    "refund-on-success": r"CompletedImageTask\.creditsRefunded\.enum",
}
"""Faults that show, but in another clause than the contract tests find."""

UNSEEN = {
    "charge-on-400",
    "charge-on-402",
    "charge-on-read",
    "debit-twice",
    "debit-differs",
    "debit-missing",
    "debit-on-completion",
    "equal-requests-debited-once",
    "refund-missing",
    "refund-half",
    "refund-cheapest-tier",
    "refund-only-when-read",
    "refund-again-on-second-read",
    "refund-on-every-read",
    "exact-balance-refused",
    "one-short-accepted",
    "negative-balance",
    "lost-updates",
    "overspend-when-concurrent",
    "foreign-task-visible",
    "foreign-task-403",
    "foreign-task-404-reveals",
    "any-key-accepted",
    "any-cookie-accepted",
    "cookie-only-first",
    "key-prefix-accepted",
    "key-suffix-ignored",
    "key-case-insensitive",
    "cookie-refused",
    "cookie-refused-on-submission",
    "unknown-path-500",
}
"""Faults that no exchange shows: what they do is to a balance, or only their maker knows whose the credentials are."""


@pytest.mark.whole
@pytest.mark.parametrize("fault", [None, *FAULTS])
def test_a_fault_that_can_be_seen_is_reported_and_nothing_else_is(
    contract: Contract, submitting: tuple[Operation, Submission], cases: Cases, fault: str | None
) -> None:
    broken = broken_in_passing(fault, contract, submitting[1], cases)
    if fault is None or fault in UNSEEN:
        assert broken == set()
    else:
        assert named(broken, OTHERWISE.get(fault, EXPECTED[fault])), broken


def test_the_faults_that_are_not_seen_are_faults() -> None:
    assert UNSEEN | OTHERWISE.keys() < FAULTS.keys()
