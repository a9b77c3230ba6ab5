"""A task is followed from snapshot to snapshot: what may change, and what may not."""

from typing import Any

import pytest

from contract.model import Contract, Operation, Submission
from contract_tests.hooks import Account
from contract_tests.tracked import Tracked, moment
from tests.contract_tests.harness import KEY, exchange

BODY = {"model": "gpt-image-2", "prompt": " a paper boat "}
ANSWER = {"taskId": "tsk_1", "status": 0, "creditsUsed": 3}
CREATED = "2026-01-01T00:00:00.000Z"
ENDED = "2026-01-01T00:00:09.000Z"
PENDING = {
    "taskId": "tsk_1",
    "type": "image",
    "status": 0,
    **BODY,
    "creditsUsed": 3,
    "creditsRefunded": False,
    "createdAt": CREATED,
    "updatedAt": CREATED,
}
COMPLETED = {**PENDING, "status": 1, "updatedAt": ENDED, "imageUrls": ["https://example.com/a.png"]}
FAILED = {**PENDING, "status": 2, "updatedAt": ENDED, "errorCode": "X", "errorMessage": "x"}
REFUNDED = {**FAILED, "creditsRefunded": True}


@pytest.fixture
def task(contract: Contract, submitting: tuple[Operation, Submission]) -> Tracked:
    operation, submission = submitting
    account = Account({"bearerAuth": KEY})
    return Tracked(contract.lifecycle, submission, operation.id, BODY, ANSWER, account, accepted_at=0.0, found=200)


def _observe(task: Tracked, *snapshots: Any, status: int = 200) -> set[str]:
    """The clauses that a sequence of snapshots breaks."""
    return {clause for snapshot in snapshots for clause, _ in task.observe(exchange("getTask", status, snapshot))}


@pytest.mark.parametrize(
    "snapshots",
    [
        [PENDING],
        [PENDING, PENDING, COMPLETED, COMPLETED],
        [COMPLETED, COMPLETED],
        [PENDING, FAILED, FAILED, REFUNDED, REFUNDED],
        [PENDING, FAILED, {**REFUNDED, "updatedAt": "2026-01-01T00:00:11Z"}],
        [REFUNDED, REFUNDED],
        [PENDING, {**PENDING, "updatedAt": "2026-01-01T00:00:05Z"}, COMPLETED],
        [PENDING, {**PENDING, "progress": 50}, {**PENDING, "progress": 10}],
    ],
)
def test_a_life_as_declared_breaks_nothing(task: Tracked, snapshots: list[Any]) -> None:
    assert _observe(task, *snapshots) == set()
    assert {"lifecycle.identity", "lifecycle.echo.prompt", "lifecycle.charged"} <= set(task.held())


@pytest.mark.parametrize(
    ("snapshots", "clauses"),
    [
        ([COMPLETED, PENDING], {"lifecycle.completed.final", "lifecycle.transitions"}),
        ([COMPLETED, FAILED], {"lifecycle.completed.final", "lifecycle.transitions"}),
        ([FAILED, COMPLETED], {"lifecycle.failed.final", "lifecycle.transitions"}),
        ([FAILED, PENDING], {"lifecycle.failed.final", "lifecycle.transitions"}),
        ([COMPLETED, {**COMPLETED, "imageUrls": ["https://example.com/b.png"]}], {"lifecycle.completed.final"}),
        ([COMPLETED, {**COMPLETED, "updatedAt": "2026-01-01T00:00:10Z"}], {"lifecycle.completed.final"}),
        ([COMPLETED, {**COMPLETED, "creditsRefunded": True}], {"lifecycle.completed.final"}),
        ([COMPLETED, {**COMPLETED, "more": None, "extra": 1}], {"lifecycle.completed.final"}),
        ([COMPLETED, {k: v for k, v in COMPLETED.items() if k != "imageUrls"}], {"lifecycle.completed.final"}),
        ([REFUNDED, FAILED], {"lifecycle.failed.final"}),
        ([FAILED, REFUNDED, FAILED], {"lifecycle.failed.final"}),
        ([FAILED, {**REFUNDED, "errorCode": "Y"}], {"lifecycle.failed.final"}),
        ([FAILED, {**FAILED, "updatedAt": "2026-01-01T00:00:10Z"}], {"lifecycle.failed.final"}),
        ([REFUNDED, {**REFUNDED, "updatedAt": "2026-01-01T00:00:10Z"}], {"lifecycle.failed.final"}),
        ([PENDING, {**PENDING, "createdAt": "2025-12-31T23:59:59Z"}], {"lifecycle.created"}),
        (
            [COMPLETED, {**COMPLETED, "createdAt": "2025-12-31T23:59:59Z"}],
            {"lifecycle.created", "lifecycle.completed.final"},
        ),
        ([{**PENDING, "updatedAt": "2025-12-31T23:59:59Z"}], {"lifecycle.updated"}),
        ([{**PENDING, "updatedAt": "2026-01-01T00:00:05Z"}, PENDING], {"lifecycle.updated"}),
        ([{**PENDING, "prompt": "a paper boat"}], {"lifecycle.echo.prompt"}),
        ([{**PENDING, "model": "GPT-Image-2"}], {"lifecycle.echo.model"}),
        ([{k: v for k, v in PENDING.items() if k != "prompt"}], {"lifecycle.echo.prompt"}),
        ([{**PENDING, "taskId": "tsk_2"}], {"lifecycle.identity"}),
        ([{**PENDING, "type": "video"}], {"lifecycle.type"}),
        ([{**PENDING, "creditsUsed": 12}], {"lifecycle.charged"}),
        ([{**PENDING, "creditsUsed": "3"}], {"lifecycle.charged"}),
        ([[PENDING]], {"lifecycle.identity"}),
        ([b"no json"], {"lifecycle.identity"}),
    ],
)
def test_a_life_that_is_not_as_declared_names_the_clauses(
    task: Tracked, snapshots: list[Any], clauses: set[str]
) -> None:
    assert _observe(task, *snapshots) == clauses


@pytest.mark.parametrize("status", [401, 404, 500, 202])
def test_a_task_that_is_not_found_is_not_the_one_that_was_submitted(task: Tracked, status: int) -> None:
    assert _observe(task, {"error": "x"}, status=status) == {"lifecycle.identity"}
    assert task.reads == 0
    assert not list(task.held())


def test_a_state_that_nobody_declared_is_left_to_the_judge(task: Tracked) -> None:
    unknown = {**PENDING, "status": 7}
    assert _observe(task, PENDING, unknown, COMPLETED) == set()
    assert task.ended


def test_a_task_begins_in_the_initial_state(task: Tracked, contract: Contract) -> None:
    assert task.state is contract.lifecycle.initial
    assert not task.ended
    assert not task.refunded
    assert (task.id, task.credits) == ("tsk_1", 3)


def test_what_has_held_depends_on_what_was_seen(task: Tracked) -> None:
    _observe(task, PENDING)
    once = set(task.held())
    assert "lifecycle.created" not in once
    _observe(task, COMPLETED)
    assert set(task.held()) - once == {"lifecycle.created", "lifecycle.transitions", "lifecycle.deadline"}


def test_equal_snapshots_are_kept_once(task: Tracked) -> None:
    _observe(task, PENDING, PENDING, FAILED, FAILED, REFUNDED)
    assert [snapshot["status"] for _, snapshot in task.snapshots] == [0, 2, 2]
    assert task.reads == 5
    assert task.refunded


@pytest.mark.parametrize("value", [None, 7, "", "yesterday", "2026-01-01T00:00:00", [CREATED]])
def test_what_is_no_moment_is_none(value: Any) -> None:
    assert moment(value) is None


def test_moments_can_be_compared_across_precisions() -> None:
    assert moment("2026-01-01T00:00:00Z") == moment("2026-01-01T01:00:00.000+01:00")
