"""A handful of faults of the test target, and the correct one, seen through the real command.

The matrix of all faults is measured by `make matrix`, and many by themselves in `test_checks`; here it is what the
command makes of them.
"""

import re
from pathlib import Path

import pytest

from tests.contract_tests.harness import REPORTS, run
from tests.targets.server import ACCOUNTS, Target

OPTIONS = ("--maxfail=3", "--strict", "--deadline", "3", "--fuzz", "10")

CAUGHT = {
    "prompt-cap-one-over": ("test_requests", r"generateImage\.gpt-image-2\.prompt\.maxLength"),
    "charge-on-400": ("test_requests or test_credits", r"generateImage\.400\.free"),
    "terminal-flips-to-pending": ("test_lifecycle or test_credits", r"lifecycle\.(completed|failed)\.final"),
    "foreign-task-visible": ("test_access", r"getTask\.404\.foreign"),
}
"""Where a fault shows first, and the clauses that it breaks."""


FEW = ("prompt-cap-one-over", "foreign-task-visible")


@pytest.mark.parametrize(
    "fault", [*FEW, *(pytest.param(fault, marks=pytest.mark.whole) for fault in CAUGHT if fault not in FEW)]
)
def test_a_fault_is_caught_and_the_finding_names_the_clause(fault: str, tmp_path: Path) -> None:
    where, clause = CAUGHT[fault]
    with Target(fault, task_seconds=0.1) as target:
        outcome = run(target.url, *OPTIONS, "-k", where, hooks=True, folder=tmp_path, measured=True)
    assert outcome.status == 1, outcome.text
    found = [finding for finding in outcome.report["findings"] if re.fullmatch(clause, finding["clause"])]
    assert found, outcome.text
    assert all(finding["severity"] == "failure" for finding in found)
    assert all(finding["test"].startswith("test_") for finding in found)
    for line in ("expected", "came", "BROKEN", f"{found[0]['clause']}\n", f"by        {found[0]['test']}"):
        assert line in outcome.text
    assert outcome.report["crashes"] == []


@pytest.mark.whole
def test_the_correct_target_is_clean(tmp_path: Path) -> None:
    """The whole suite, once, with all that it writes, and no credentials in any of it."""
    with Target(task_seconds=0.1) as target:
        outcome = run(target.url, "--strict", "-v", hooks=True, folder=tmp_path)
        keys = target._accounts.keys() - ACCOUNTS  # noqa: SLF001 - who else would know every key that was made
    assert outcome.status == 0, outcome.text
    assert outcome.report["findings"] == []
    assert set(outcome.verdicts.values()) == {"held"}
    assert {path.name for path in outcome.folder.iterdir()} == REPORTS
    assert outcome.report["spent"] <= outcome.report["full_cost"] <= 5000
    everything = outcome.everything()
    assert len(keys) > 50
    assert [key for key in keys if key in everything] == []
