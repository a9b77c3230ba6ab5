"""What becomes of a task: decided once, when it is submitted, by the client or by chance.

A client decides for one task with the object `mock` in the field that the contract passes through unread. Otherwise
the failure rate decides, and not by a coin: the same seed, account and number of the account's submission always give
the same outcome, whatever other accounts do meanwhile.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import jsonschema_rs

from contract.model import Carries, Lifecycle
from mock_server.invalid import InvalidRequest
from mock_server.task import MICROSECONDS, Plan

KEY = "mock"
LONGEST_SECONDS = 7 * 24 * 3600


@dataclass(frozen=True)
class Directive:
    """What a client says about its own task; None leaves it to the mock."""

    outcome: str | None = None
    error_code: str | None = None
    error_message: str | None = None
    after_seconds: float | None = None


@dataclass(frozen=True)
class Chance:
    """How the mock decides where no client does.

    Attributes:
        task_seconds: how long a task takes, in seconds.
        failure_rate: the share of tasks that fail, from 0 to 1.
        seed: decides which ones.
    """

    task_seconds: float
    failure_rate: float
    seed: int


@dataclass(frozen=True)
class Tasks:
    """What a scenario says of tasks; None leaves it to `Chance`.

    Attributes:
        seconds: how long one takes.
        failure_rate: the share that fails, from 0 to 1.
        error_code: the code of those that fail.
    """

    seconds: float | None = None
    failure_rate: float | None = None
    error_code: str | None = None


ANY_TASKS = Tasks()


class Planner:
    """Makes the plan of each task from the contract's lifecycle."""

    def __init__(self, lifecycle: Lifecycle, chance: Chance) -> None:
        self._chance = chance
        self._lifecycle = lifecycle
        self._completed = lifecycle.ending(Carries.RESULT)
        self._failed = lifecycle.ending(Carries.ERROR)
        self._outcomes = [state.name for state in lifecycle.terminal]
        self._directive = jsonschema_rs.Draft4Validator(
            {
                "type": "object",
                "additionalProperties": False,
                "properties": {
                    "outcome": {"enum": self._outcomes},
                    "errorCode": {"type": "string", "minLength": 1, "maxLength": 200},
                    "errorMessage": {"type": "string", "maxLength": 2000},
                    "afterSeconds": {"type": "number", "minimum": 0, "maximum": LONGEST_SECONDS},
                },
            }
        )

    def directive(self, request: Mapping[str, Any], passthrough: str | None) -> Directive:
        """What the request says about its own task.

        Raises:
            InvalidRequest: if it says it wrongly.
        """
        options = request.get(passthrough) if passthrough else None
        if not isinstance(options, dict) or KEY not in options:
            return Directive()
        said = options[KEY]
        messages = [self._message(error) for error in self._directive.iter_errors(said)]
        if not messages and said.get("outcome") != self._failed.name:
            messages = [
                f"{KEY}.{key} needs {KEY}.outcome to be {self._failed.name}"
                for key in ("errorCode", "errorMessage")
                if key in said
            ]
        if messages:
            raise InvalidRequest(fields={str(passthrough): messages})
        return Directive(
            outcome=said.get("outcome"),
            error_code=said.get("errorCode"),
            error_message=said.get("errorMessage"),
            after_seconds=said.get("afterSeconds"),
        )

    def _message(self, error: jsonschema_rs.ValidationError) -> str:
        place = ".".join([KEY, *map(str, error.instance_path)])
        if error.kind.name == "additionalProperties":
            unknown = error.kind.as_dict()["unexpected"]
            return f"{place} has no key {unknown[0]!r}: outcome, errorCode, errorMessage, afterSeconds"
        if error.kind.name == "enum":
            return f"{place} must be one of {', '.join(self._outcomes)}"
        return f"{place}: {error.message}"

    def plan(self, directive: Directive, account: str, ordinal: int, now: int, tasks: Tasks = ANY_TASKS) -> Plan:
        """The plan of a task.

        Args:
            directive: what its client said.
            account: whose task it is.
            ordinal: which of the account's submissions it is, counted from 1.
            now: when it is submitted, in microseconds since 1970.
            tasks: what the scenario says.
        """
        draw = self._draw(account, ordinal)
        fails = draw < (self._chance.failure_rate if tasks.failure_rate is None else tasks.failure_rate)
        outcome = directive.outcome or (self._failed if fails else self._completed).name
        seconds = directive.after_seconds
        if seconds is None:
            seconds = self._chance.task_seconds if tasks.seconds is None else tasks.seconds
        ends_at = now + round(seconds * MICROSECONDS)
        if outcome != self._failed.name:
            return Plan(outcome, ends_at)
        codes = list(self._lifecycle.error_codes)
        code = directive.error_code or tasks.error_code or codes[int(draw * 1_000_003) % len(codes)]
        return self.failure(ends_at, code, directive.error_message)

    def failure(self, ends_at: int, code: str | None = None, message: str | None = None) -> Plan:
        """The plan of a task that fails; without a code it is the contract's first, without a message the code's."""
        code = code or next(iter(self._lifecycle.error_codes))
        if message is None:
            message = self._lifecycle.error_codes.get(code, f"The provider failed with {code}.")
        return Plan(self._failed.name, ends_at, code, message)

    def success(self, ends_at: int) -> Plan:
        """The plan of a task that completes."""
        return Plan(self._completed.name, ends_at)

    def _draw(self, account: str, ordinal: int) -> float:
        """A number from 0 up to 1, the same for the same seed, account and ordinal."""
        text = f"{self._chance.seed}\0{account}\0{ordinal}".encode()
        return int.from_bytes(hashlib.sha256(text).digest()[:7]) / 2**56
