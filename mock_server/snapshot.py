"""What a task looks like at a moment: a pure function of the task, its plan and the clock.

Nothing is written when a task goes on, so a read changes nothing, and any number of readers see the same.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from contract.model import Carries, Lifecycle, Result, State, Submission
from mock_server.task import Task

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def state_at(lifecycle: Lifecycle, task: Task, now: int) -> tuple[State, int]:
    """The state a task is in, and since when.

    The time until the plan's end is shared equally by the states on the way to its outcome.
    """
    way = lifecycle.path_to(task.plan.outcome)
    steps = len(way) - 1
    span = task.plan.ends_at - task.created_at
    if task.has_ended(now):
        reached = steps
    else:
        elapsed = max(now - task.created_at, 0)  # a clock set back leaves a task where it began
        reached = elapsed * steps // max(span, 1)
    since = task.created_at - (-span * reached // steps)  # rounded up: not before it is in that state
    # where a clock was set back, a task may end before the moment at which it was accepted
    return way[reached], max(since, task.created_at)


def snapshot(
    lifecycle: Lifecycle, submission: Submission, task: Task, urls: Callable[[], Sequence[str]], now: int
) -> dict[str, Any]:
    """The task as the API shows it.

    Args:
        urls: gives where the result is, once there is one.
        now: the moment, in microseconds since 1970.
    """
    state, since = state_at(lifecycle, task, now)
    fields = lifecycle.fields
    shown: dict[str, Any] = {
        fields.id: task.id,
        fields.type: submission.type,
        fields.status: state.status,
    }
    shown |= {name: task.request[name] for name in lifecycle.echoes}
    if state.carries is Carries.RESULT:
        shown[submission.result.field] = _result(submission.result, urls())
    if state.carries is Carries.ERROR:
        shown[fields.error_code] = task.plan.error_code
        shown[fields.error_message] = task.plan.error_message
    return shown | {
        fields.credits: task.credits,
        fields.refunded: state.refund,
        fields.created: timestamp(task.created_at),
        fields.updated: timestamp(since),
    }


def answer(submission: Submission, first: Mapping[str, Any]) -> dict[str, Any]:
    """The answer to an accepted submission: those fields of its first snapshot that the contract lists."""
    return {name: first[name] for name in submission.answered}


def _result(result: Result, urls: Sequence[str]) -> Sequence[str] | str:
    return urls if result.many else urls[0]


def timestamp(moment: int) -> str:
    """RFC 3339 in UTC, to the millisecond."""
    return _spelt(moment // 1000)


@lru_cache(maxsize=64)  # much happens in the same millisecond
def _spelt(moment: int) -> str:
    time = _EPOCH + timedelta(milliseconds=moment)
    return time.isoformat(timespec="milliseconds").replace("+00:00", "Z")
