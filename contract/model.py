"""What a contract says, as plain values.

    Contract ── Operation ── Submission ── RequestProfile ── Price
       │            ├─────── Reading
       │            └─────── ErrorResponse
       └─────── Lifecycle ── State, Shape

Everything here is read from the document by `contract.reader` and never changes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Any

from contract.document import Document, Node
from contract.pricing import Price


class When(StrEnum):
    """Why a request is answered with an error (`x-error`)."""

    UNAUTHENTICATED = "unauthenticated"
    INVALID = "invalid"
    INSUFFICIENT = "insufficient"
    UNKNOWN_TASK = "unknownTask"
    UNEXPECTED = "unexpected"


class Carries(StrEnum):
    """What the snapshot of a task in a terminal state carries (`x-lifecycle`)."""

    RESULT = "result"
    ERROR = "error"


@dataclass(frozen=True)
class SecurityScheme:
    """How a caller presents credentials.

    Attributes:
        name: its name in the document.
        type: OpenAPI's `type`: "http" or "apiKey".
        scheme: for "http", the authentication scheme in lower case, such as "bearer".
        location: for "apiKey", where the key stands: "header", "query" or "cookie".
        parameter: for "apiKey", the name of that header, parameter or cookie.
    """

    name: str
    type: str
    scheme: str | None
    location: str | None
    parameter: str | None
    node: Node

    @property
    def header(self) -> tuple[str, str] | None:
        """The header that presents a secret, and what stands there before it; None where no header does."""
        match self.type, self.location:
            case "http", _:
                return "Authorization", f"{str(self.scheme).title()} "
            case "apiKey", "cookie":
                return "Cookie", f"{self.parameter}="
            case "apiKey", "header":
                return str(self.parameter), ""
        return None


@dataclass(frozen=True)
class ErrorResponse:
    """A documented error.

    Attributes:
        when: why it is given.
        status: the HTTP status.
        order: its rank among the errors that can apply at once, lowest first; None if it competes with none.
        price: the field of the body that states the price, if one does.
        details: the field of the body that holds the messages per field, if one does.
        example: a documented body.
    """

    when: When
    status: int
    order: int | None
    price: str | None
    details: str | None
    example: Mapping[str, Any]
    node: Node


@dataclass(frozen=True)
class Modes:
    """The request field whose presence decides between two modes.

    Attributes:
        field: the field.
        absent: the mode without it.
        present: the mode with it.
        empty: what an empty value means the same as: "absent" or "present".
    """

    field: str
    absent: str
    present: str
    empty: str

    def of(self, request: Mapping[str, Any]) -> str:
        """The mode of a valid request."""
        if self.field not in request:
            return self.absent
        return self.present if request[self.field] or self.empty == "present" else self.absent


@dataclass(frozen=True)
class Result:
    """Where a completed task's result goes, and which request fields decide what it looks like.

    Attributes:
        field: the snapshot field.
        many: whether the field is a list of URLs, or one URL.
        format: the request field with the file format, if there is one.
        aspect: the request field with the aspect ratio, if there is one.
        tier: the request field with the resolution tier, if there is one.
    """

    field: str
    many: bool
    format: str | None
    aspect: str | None
    tier: str | None


@dataclass(frozen=True)
class RequestProfile:
    """The rules for one model: its schema branch and its price."""

    name: str
    node: Node
    price: Price

    @cached_property
    def properties(self) -> Mapping[str, Node]:
        """The schemas of the fields that the branch knows."""
        return dict(self.node.need("properties").items())

    @property
    def required(self) -> tuple[str, ...]:
        """The fields that a request must have."""
        return tuple(node.value for node in self.node.children("required"))


@dataclass(frozen=True)
class Submission:
    """An operation that submits a task.

    Attributes:
        type: what the task makes, as snapshots call it.
        selector: the request field that chooses the profile.
        profiles: by name.
        modes: the field that switches between two modes, if one does.
        result: where the result goes.
        passthrough: the request field that goes to the provider unread, if there is one.
        reads: the ID of the operation that reads the task.
        accepted: the status of an accepted submission.
        answer: the schema of its answer; each of its fields is one of the first snapshot's.
    """

    type: str
    selector: str
    profiles: Mapping[str, RequestProfile]
    modes: Modes | None
    result: Result
    passthrough: str | None
    reads: str
    accepted: int
    answer: Node
    node: Node

    @cached_property
    def answered(self) -> tuple[str, ...]:
        """The fields of its answer."""
        return tuple(self.answer.need("properties").steps())

    def profile_of(self, request: Mapping[str, Any]) -> RequestProfile:
        """The profile of a valid request."""
        return self.profiles[request[self.selector]]


@dataclass(frozen=True)
class Reading:
    """An operation that reads a task.

    Attributes:
        parameter: the path parameter that carries the task's ID.
        found: the status of a snapshot.
        lifecycle: how the task lives.
    """

    parameter: str
    found: int
    lifecycle: Lifecycle
    node: Node


@dataclass(frozen=True)
class Operation:
    """An operation of the API.

    Attributes:
        security: the names of the schemes of which one suffices; empty if it is open.
        errors: the documented errors.
        responses: every documented response by status ("200", "4XX", "default").
        task: what it does with a task, if anything.
    """

    id: str
    method: str
    path: str
    security: tuple[str, ...]
    errors: Mapping[When, ErrorResponse]
    responses: Mapping[str, Node]
    task: Submission | Reading | None
    node: Node


@dataclass(frozen=True)
class State:
    """A state of a task.

    Attributes:
        status: the value of the snapshot's status field.
        next: the states that may follow; none for a terminal state.
        carries: what the snapshot carries in a terminal state.
        refund: whether the price is paid back.
    """

    name: str
    status: Any
    next: tuple[str, ...]
    carries: Carries | None
    refund: bool
    node: Node

    @property
    def terminal(self) -> bool:
        """Whether the task has ended."""
        return not self.next


@dataclass(frozen=True)
class Fields:
    """The snapshot fields that play a part in the lifecycle, by the names the API gives them."""

    id: str
    type: str
    status: str
    credits: str
    refunded: str
    created: str
    updated: str
    error_code: str
    error_message: str


@dataclass(frozen=True)
class Timing:
    """How long things take, in seconds.

    Attributes:
        poll: the recommended time between two reads.
        recheck: the service asks its provider at most this often.
        deadline: the longest a task takes.
    """

    poll: float
    recheck: float
    deadline: float


@dataclass(frozen=True)
class Shape:
    """One shape of the snapshot: the schema that holds for some states and types."""

    name: str
    node: Node
    statuses: tuple[Any, ...]
    types: tuple[str, ...] | None

    def fits(self, status: Any, type: str) -> bool:
        """Whether a task of this type in this status has the shape."""
        return status in self.statuses and (self.types is None or type in self.types)


@dataclass(frozen=True)
class Lifecycle:
    """How a task lives: its states, and the snapshot's fields.

    Attributes:
        fields: which snapshot field plays which part.
        echoes: the fields that repeat the request's.
        initial: the state a task starts in.
        states: by name.
        error_codes: the documented error codes, each with a message.
        shapes: the shapes a snapshot may have.
    """

    fields: Fields
    echoes: tuple[str, ...]
    initial: State
    states: Mapping[str, State]
    timing: Timing
    error_codes: Mapping[str, str]
    shapes: tuple[Shape, ...]
    node: Node

    @property
    def terminal(self) -> tuple[State, ...]:
        """The states in which a task has ended."""
        return tuple(state for state in self.states.values() if state.terminal)

    def ending(self, carries: Carries) -> State:
        """The terminal state that carries a result, or an error."""
        return next(state for state in self.terminal if state.carries is carries)

    def of_status(self, status: Any) -> State | None:
        """The state with this value of the status field, or None if there is none."""
        for state in self.states.values():
            if state.status == status and type(state.status) is type(status):
                return state
        return None

    def path_to(self, name: str) -> tuple[State, ...]:
        """The shortest way from the initial state to the named one, both included.

        Raises:
            KeyError: if no transition leads there.
        """
        return self._ways[name]

    @cached_property
    def _ways(self) -> Mapping[str, tuple[State, ...]]:
        ways: dict[str, tuple[State, ...]] = {self.initial.name: (self.initial,)}
        reached = [self.initial]
        for state in reached:
            for follower in map(self.states.__getitem__, state.next):
                if follower.name not in ways:
                    ways[follower.name] = (*ways[state.name], follower)
                    reached.append(follower)
        return ways


@dataclass(frozen=True)
class OpenQuestion:
    """Something a reviewer has to decide: `rules` name what it concerns, `places` are the JSON pointers to that."""

    id: str
    kind: str
    question: str
    choice: str
    rules: tuple[str, ...]
    places: tuple[str, ...]
    node: Node


@dataclass(frozen=True)
class Fallback:
    """What is answered outside the documented operations."""

    status: int
    body: Mapping[str, Any]


@dataclass(frozen=True)
class Conventions:
    """What holds for every operation."""

    unknown_path: Fallback
    unknown_method: Fallback
    invalid_text: int
    node: Node


@dataclass(frozen=True)
class Contract:
    """A contract, read and checked."""

    document: Document
    title: str
    version: str
    operations: Mapping[str, Operation]
    security_schemes: Mapping[str, SecurityScheme]
    lifecycle: Lifecycle
    conventions: Conventions
    questions: tuple[OpenQuestion, ...]

    def submissions(self) -> Iterator[tuple[Operation, Submission]]:
        """The operations that submit a task."""
        for operation in self.operations.values():
            if isinstance(operation.task, Submission):
                yield operation, operation.task

    def readings(self) -> Iterator[tuple[Operation, Reading]]:
        """The operations that read a task."""
        for operation in self.operations.values():
            if isinstance(operation.task, Reading):
                yield operation, operation.task
