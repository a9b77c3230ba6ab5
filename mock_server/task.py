"""A task as the mock keeps it, and the plan that decides what will become of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

HELD = 2**61
"""The end of a task that does not end by itself: so far away that no clock gets near it."""

MICROSECONDS = 1_000_000
"""Times are whole microseconds since 1970, UTC: exact in every database, and in the order of events."""


@dataclass(frozen=True)
class Plan:
    """What will become of a task, fixed when it is submitted; only who controls the mock makes another one.

    Attributes:
        outcome: the name of the terminal state it will reach.
        ends_at: when it will, in microseconds since 1970.
        error_code, error_message: what its snapshot will say, if it carries an error.
    """

    outcome: str
    ends_at: int
    error_code: str | None = None
    error_message: str | None = None

    @property
    def held(self) -> bool:
        """Whether the task waits for somebody to end it; the moment may have been moved with a clock."""
        return self.ends_at > HELD // 2


@dataclass(frozen=True)
class Task:
    """An accepted submission.

    Attributes:
        id: the task's ID.
        account: the account that submitted it.
        operation: the ID of the operation that submitted it.
        request: what is kept of the request: the fields of its profile, without the passthrough.
        credits: the price that was debited.
        created_at: when it was accepted, in microseconds since 1970.
        base_url: how its caller reached the mock, the beginning of its result's URL.
        sealed: whether it has ended, whatever a clock says that was set back since.
    """

    id: str
    account: str
    operation: str
    request: Mapping[str, Any]
    credits: int
    created_at: int
    base_url: str
    plan: Plan
    sealed: bool = False

    def planned(self, plan: Plan, now: int) -> Task:
        """The same task with another plan; it is sealed if the plan ends it at once."""
        return replace(self, plan=plan, sealed=plan.ends_at <= now)

    def has_ended(self, now: int) -> bool:
        """Whether it is in the state that its plan leads to."""
        return self.sealed or now >= self.plan.ends_at
