"""What the mock does: submit a task, read one, draw the picture of one. No HTTP, no SQL."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from contract.model import Carries, Contract, Submission
from mock_server import ids, pictures
from mock_server.clock import machine_time
from mock_server.ledger import Entry, entries_of
from mock_server.plan import ANY_TASKS, Planner, Tasks
from mock_server.scenarios import Scenarios
from mock_server.snapshot import answer, snapshot, state_at
from mock_server.store import Caller, Machine, Store
from mock_server.task import Task
from mock_server.urls import PICTURES
from mock_server.validation import RequestValidator

_PICTURE = re.compile(rf"{PICTURES}/(?P<task>[^/]+)\.(?P<format>[a-z]+)")


@dataclass(frozen=True)
class Accepted:
    """A submission was accepted and paid."""

    task: Task
    body: Mapping[str, Any]


@dataclass(frozen=True)
class Insufficient:
    """A submission was refused: the balance is under the price, in credits."""

    price: int


@dataclass(frozen=True)
class Picture:
    """An encoded picture."""

    media_type: str
    content: bytes


@dataclass(frozen=True)
class Order:
    """A submission that is ready to be paid.

    Attributes:
        price: in credits.
        pay: takes the price off the account and keeps the task, in one transaction; gives None where the balance is
            under the price. Raises `KeyError` if the account has been deleted meanwhile.
        accepted: what to say of the task.
    """

    price: int
    pay: Callable[[], Task | None]
    accepted: Callable[[Task], Accepted]

    def outcome(self, task: Task | None) -> Accepted | Insufficient:
        """What has become of it, given what `pay` gave."""
        return Insufficient(self.price) if task is None else self.accepted(task)


class Service:
    """Plays a contract's tasks on a store."""

    def __init__(
        self,
        contract: Contract,
        store: Store,
        planner: Planner,
        scenarios: Scenarios,
        machine: Machine = machine_time,
    ) -> None:
        self._contract = contract
        self._store = store
        self.planner = planner
        self.scenarios = scenarios
        self.machine = machine
        self._submissions = {op.id: submission for op, submission in contract.submissions()}
        self._validators = {id_: RequestValidator(submission) for id_, submission in self._submissions.items()}

    def validate(self, operation: str, body: Any) -> None:
        """Check a request body against the contract, and what it tells the mock.

        Raises:
            InvalidRequest: with a message for everything that is wrong.
        """
        self._validators[operation].validate(body)
        self.planner.directive(body, self._submissions[operation].passthrough)

    def order(
        self, operation: str, caller: Caller, request: Mapping[str, Any], base_url: str, tasks: Tasks = ANY_TASKS
    ) -> Order:
        """Make ready to submit a task: only `Order.pay` keeps others from the database meanwhile.

        Args:
            operation: the ID of the submitting operation.
            request: a valid request body.
            base_url: how the caller reached the mock.
            tasks: what the scenario says.
        """
        submission = self._submissions[operation]
        profile = submission.profile_of(request)
        directive = self.planner.directive(request, submission.passthrough)
        price = profile.price.of(request)
        account = caller.account
        kept = {
            name: request[name] for name in profile.properties if name in request and name != submission.passthrough
        }

        def make(ordinal: int, now: int) -> tuple[Task, Sequence[Entry]]:
            task = Task(
                id=ids.new_task_id(now),
                account=account,
                operation=operation,
                request=kept,
                credits=price,
                created_at=now,
                base_url=base_url,
                plan=self.planner.plan(directive, account, ordinal, now, tasks),
            )
            return task, entries_of(task, self._contract.lifecycle)

        def accepted(task: Task) -> Accepted:
            # The answer shows the task at its very beginning, also where its plan ends it in the same microsecond.
            first = self._snapshot(task, min(task.created_at, task.plan.ends_at - 1))
            return Accepted(task, answer(submission, first))

        return Order(price, partial(self._store.submit, account, price, self.machine, make), accepted)

    def price(self, operation: str, request: Mapping[str, Any]) -> int:
        """What a valid request costs, in credits."""
        return self._submissions[operation].profile_of(request).price.of(request)

    def read(self, caller: Caller, task_id: str) -> Mapping[str, Any] | None:
        """The snapshot of an account's task, or None if the account has no such task."""
        found = self._find(task_id)
        if found is None or found[0].account != caller.account:
            return None
        return self._snapshot(*found)

    def shown(self, task: Task, now: int) -> Mapping[str, Any]:
        """The snapshot of a task that the contract knows."""
        return self._snapshot(task, now)

    def picture(self, path: str) -> Callable[[], Picture] | None:
        """What draws the picture at a path that a snapshot handed out, or None if there is none."""
        match = _PICTURE.fullmatch(path)
        found = self._find(match["task"]) if match else None
        if match is None or found is None or match["format"] != self._format(found[0]):
            return None
        task, now = found
        state, _ = state_at(self._contract.lifecycle, task, now)
        if state.carries is not Carries.RESULT:
            return None
        submission = self._submissions[task.operation]
        result = submission.result
        size = pictures.picture_size(self._chosen(task, result.aspect), self._chosen(task, result.tier))
        title, text = task.request[submission.selector], self._text(task, submission)
        format_, caption = match["format"], task.id

        def drawn() -> Picture:
            from mock_server.drawing import draw  # noqa: PLC0415 - the start need not wait for Pillow

            content = draw(size=size, format=format_, title=title, caption=caption, text=text)
            return Picture(pictures.FORMATS[format_], content)

        return drawn

    def _find(self, task_id: str) -> tuple[Task, int] | None:
        """A task that the contract knows, and what time it is for it."""
        machine = self.machine()  # before the look: what is seen was so at that moment, or was made after it
        found = self._store.task(task_id) if ids.may_be_task_id(task_id) else None
        if found is None or not self.plays(found[0]):
            return None
        task, clock = found
        return task, clock.at(machine)

    def plays(self, task: Task) -> bool:
        """Whether the contract knows such a task; a database may hold some of an earlier one."""
        submission = self._submissions.get(task.operation)
        lifecycle = self._contract.lifecycle
        return (
            submission is not None
            and task.request.get(submission.selector) in submission.profiles
            and task.plan.outcome in lifecycle.states
            and all(echo in task.request for echo in lifecycle.echoes)
        )

    def _snapshot(self, task: Task, now: int) -> dict[str, Any]:
        submission = self._submissions[task.operation]

        def urls() -> Sequence[str]:
            return [f"{task.base_url}{PICTURES}/{task.id}.{self._format(task)}"]

        return snapshot(self._contract.lifecycle, submission, task, urls, now)

    def _format(self, task: Task) -> str:
        """The file format of a task's picture: what was asked for, as far as pictures can have it."""
        chosen = self._chosen(task, self._submissions[task.operation].result.format)
        return chosen if chosen and chosen in pictures.FORMATS else next(iter(pictures.FORMATS))

    def _chosen(self, task: Task, field: str | None) -> str | None:
        """The value of a request field, or what omitting it means."""
        if field is None:
            return None
        if field in task.request:
            return str(task.request[field])
        submission = self._submissions[task.operation]
        schema = submission.profile_of(task.request).properties.get(field)
        default = schema.get("default") if schema else None
        return str(default.value) if default else None

    def _text(self, task: Task, submission: Submission) -> str:
        """What is written into the picture: all that the snapshot repeats of the request, but for its title."""
        echoes = self._contract.lifecycle.echoes
        return "\n".join(str(task.request[name]) for name in echoes if name != submission.selector)
