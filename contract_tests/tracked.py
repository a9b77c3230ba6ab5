"""The oracle of a task's life: what each further snapshot must have in common with what came before.

What a single snapshot may look like is the judge's business. Here a task is followed: it repeats its submission, goes
only along the declared transitions, and once it has ended it never changes, but for a refund that is still due.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from contract.clause import Kind
from contract.model import Lifecycle, State, Submission
from contract_tests.hooks import Account
from contract_tests.wire import Exchange

Breach = tuple[str, str]
"""The ID of a broken clause, and what was expected."""


@dataclass
class Tracked:
    """A task that was accepted, and what has been seen of it since.

    Attributes:
        body: the request that submitted it.
        answer: the answer to that.
        account: whose task it is.
        found: the status of a snapshot.
        snapshots: each different snapshot, in the order they were seen, with the time of the first sight.
    """

    lifecycle: Lifecycle
    submission: Submission
    operation: str
    body: Mapping[str, Any]
    answer: Mapping[str, Any]
    account: Account
    accepted_at: float
    found: int
    snapshots: list[tuple[float, Mapping[str, Any]]] = field(default_factory=list)
    reads: int = 0

    @property
    def id(self) -> str:
        """The task's ID."""
        return str(self.answer.get(self.lifecycle.fields.id))

    @property
    def credits(self) -> Any:
        """What the submission was charged, as its answer says."""
        return self.answer.get(self.lifecycle.fields.credits)

    @property
    def state(self) -> State | None:
        """The state it was last seen in, if it is a declared one."""
        if not self.snapshots:
            return self.lifecycle.initial
        return self.lifecycle.of_status(self.snapshots[-1][1].get(self.lifecycle.fields.status))

    @property
    def ended(self) -> bool:
        """Whether it was seen in a terminal state."""
        return self.state is not None and self.state.terminal

    @property
    def refunded(self) -> bool:
        """Whether its last snapshot says that it is refunded."""
        return bool(self.snapshots) and self.snapshots[-1][1].get(self.lifecycle.fields.refunded) is True

    def observe(self, exchange: Exchange) -> Iterator[Breach]:
        """Take in one read of the task; gives every clause that it breaks."""
        snapshot = exchange.json()
        if exchange.status != self.found or not isinstance(snapshot, dict):
            yield f"lifecycle.{Kind.IDENTITY}", f"the snapshot of the task {self.id}, submitted by this caller"
            return
        self.reads += 1
        yield from self.repeats(snapshot)
        yield from times(self.lifecycle, snapshot)
        if self.snapshots:
            yield from follows(self.lifecycle, self.snapshots[-1][1], snapshot)
        if not self.snapshots or self.snapshots[-1][1] != snapshot:
            self.snapshots.append((exchange.started, snapshot))

    def held(self) -> Iterator[str]:
        """The clauses that this task, having broken none, has shown to hold."""
        if not self.reads:
            return
        yield from (f"lifecycle.{kind}" for kind in (Kind.IDENTITY, Kind.TYPE, Kind.CHARGED, Kind.UPDATED))
        yield from (f"lifecycle.{Kind.ECHO}.{name}" for name in self.lifecycle.echoes)
        if self.reads > 1:
            yield f"lifecycle.{Kind.CREATED}"
        if self.ended:
            yield from (f"lifecycle.{kind}" for kind in (Kind.TRANSITIONS, Kind.DEADLINE))

    def repeats(self, snapshot: Mapping[str, Any]) -> Iterator[Breach]:
        """What a snapshot breaks that must repeat the submission."""
        fields = self.lifecycle.fields
        for name in self.lifecycle.echoes:
            if snapshot.get(name) != self.body.get(name):
                yield f"lifecycle.{Kind.ECHO}.{name}", f"`{name}` exactly as submitted: {self.body.get(name)!r:.200}"
        for name, kind, value in (
            (fields.id, Kind.IDENTITY, self.id),
            (fields.type, Kind.TYPE, self.submission.type),
            (fields.credits, Kind.CHARGED, self.credits),
        ):
            if snapshot.get(name) != value:
                yield f"lifecycle.{kind}", f"`{name}` {value!r}"


def times(lifecycle: Lifecycle, snapshot: Mapping[str, Any]) -> Iterator[Breach]:
    """What the times of one snapshot break."""
    fields = lifecycle.fields
    created, updated = moment(snapshot.get(fields.created)), moment(snapshot.get(fields.updated))
    if created and updated and updated < created:
        yield f"lifecycle.{Kind.UPDATED}", f"`{fields.updated}` not before `{fields.created}`"


def follows(lifecycle: Lifecycle, before: Mapping[str, Any], snapshot: Mapping[str, Any]) -> Iterator[Breach]:
    """What a snapshot breaks that was made after another one of the same task."""
    fields = lifecycle.fields
    if snapshot.get(fields.created) != before.get(fields.created):
        was = before.get(fields.created)
        yield f"lifecycle.{Kind.CREATED}", f"`{fields.created}` {was!r}, as in an earlier snapshot"
    state = lifecycle.of_status(before.get(fields.status))
    now = lifecycle.of_status(snapshot.get(fields.status))
    if state is None or now is None:
        return  # the judge has spoken of it
    if state.terminal:
        yield from _stays(lifecycle, state, now, before, snapshot)
        return
    if now is not state and not _reaches(lifecycle, state, now):
        yield f"lifecycle.{Kind.TRANSITIONS}", f"a state that follows {state.name}, not {now.name}"
    earlier, later = moment(before.get(fields.updated)), moment(snapshot.get(fields.updated))
    if earlier and later and later < earlier:
        yield f"lifecycle.{Kind.UPDATED}", f"`{fields.updated}` not before {before.get(fields.updated)}"


def _stays(
    lifecycle: Lifecycle, state: State, now: State, before: Mapping[str, Any], snapshot: Mapping[str, Any]
) -> Iterator[Breach]:
    fields = lifecycle.fields
    if now is not state:
        yield f"lifecycle.{state.name}.{Kind.FINAL}", f"the task stays {state.name}, and is not {now.name}"
        yield f"lifecycle.{Kind.TRANSITIONS}", f"no state follows {state.name}, not {now.name} either"
        return
    due = state.refund and before.get(fields.refunded) is False and snapshot.get(fields.refunded) is True
    may_change = {fields.refunded, fields.updated} if due else set()
    changed = [k for k in {**before, **snapshot} if before.get(k) != snapshot.get(k) and k not in may_change]
    if changed:
        names = ", ".join(f"`{name}`" for name in sorted(changed))
        yield (
            f"lifecycle.{state.name}.{Kind.FINAL}",
            f"the snapshot of a {state.name} task unchanged, also in {names}",
        )


def _reaches(lifecycle: Lifecycle, state: State, other: State) -> bool:
    seen, waiting = set(), list(state.next)
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            waiting += lifecycle.states[name].next
    return other.name in seen


def moment(value: Any) -> datetime | None:
    """A timestamp, or None if it is none; whether it should be one is the judge's business."""
    if not isinstance(value, str):
        return None
    try:
        time = datetime.fromisoformat(value)
    except ValueError:
        return None
    return time if time.tzinfo else None
