"""What an exchange shows by itself, and beside those before it: exchange in, findings out.

Whoever watches knows neither balances nor whose a key is, and not in which order a server dealt with requests that were
under way at the same time. So an answer is held against an earlier one only where that had come before this one's
request was sent, and against what only its own caller can have done.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from contract.clause import Clause, Kind
from contract.model import Contract, Operation, Reading, Submission, When
from contract_tests.hooks import Account
from contract_tests.judge import SERVER_ERROR, Judge
from contract_tests.tracked import Breach, Tracked, follows, times
from contract_tests.traffic.routes import Route
from contract_tests.traffic.submitted import Submissions, Submitted
from contract_tests.verdicts import Record
from contract_tests.wire import Exchange, NoAnswer

SOMEBODY = ""
"""The fingerprint of a caller whose credentials were not to be seen."""
_MOST_TASKS = 8192
_MOST_SNAPSHOTS = 6
_MOST_EVENTS = 8192


@dataclass(frozen=True)
class Sighting:
    """An exchange that passed.

    Attributes:
        caller: a fingerprint of the credentials, or None if there were none that the contract knows.
        unchecked: why it cannot be checked, or empty.
        origin: scheme and authority of the server.
    """

    exchange: Exchange
    route: Route
    caller: str | None = None
    unchecked: str = ""
    origin: str = ""

    @property
    def answered(self) -> float:
        """When the answer had come, in seconds since 1970."""
        return self.exchange.started + self.exchange.seconds


@dataclass
class _Seen:
    """A task: what submitted it, if that was seen, and its latest snapshots, each with the time it was answered."""

    tracked: Tracked | None = None
    accepted: float = 0.0
    caller: str | None = None
    snapshots: list[tuple[float, Mapping[str, Any]]] = field(default_factory=list)
    unpaid: float | None = None
    """When it was first seen to have failed without its refund."""
    credits: int = 0
    ended: bool = False
    refunded: bool = False


class Observer:
    """Holds what passes against one contract.

    Attributes:
        spent, refunded: the credits that answers said were debited and given back.
        events: the last debits, refunds and ends of tasks, in the order they were seen.
    """

    def __init__(
        self,
        contract: Contract,
        clauses: Mapping[str, Clause],
        judge: Judge,
        *,
        deadline: float | None = None,
        slack: float = 0.0,
    ) -> None:
        """Prepare to watch.

        Args:
            deadline: seconds in which a task must end; by default the contract's.
            slack: how inexact the times are, in seconds.
        """
        timing = contract.lifecycle.timing
        self._contract = contract
        self._life = contract.lifecycle
        self._clauses = clauses
        self._judge = judge
        self._submissions = Submissions(clauses)
        self._deadline = timing.deadline if deadline is None else deadline
        self._grace = min(timing.recheck, self._deadline)
        self._slack = slack
        self._tasks: OrderedDict[str, _Seen] = OrderedDict()
        self.spent = 0
        self.refunded = 0
        self.events: deque[Mapping[str, Any]] = deque(maxlen=_MOST_EVENTS)

    def observe(self, sighting: Sighting) -> Record:
        """Take in an exchange; gives what it shows.

        Raises:
            NotExercised: if a gateway, and not the server, has answered.
        """
        record = Record()
        operation, exchange = sighting.route.operation, sighting.exchange
        if operation is None:
            self._outside(sighting, record)
            return record
        self._judge.judge(exchange, record)
        if isinstance(exchange.answer, NoAnswer) or exchange.answer.status >= SERVER_ERROR:
            return record
        if sighting.caller is None and operation.security:
            self._stranger(operation, sighting, record)
            return record
        if isinstance(operation.task, Submission):
            self._submission(operation, operation.task, sighting, record)
        elif isinstance(operation.task, Reading):
            self._reading(operation, operation.task, sighting, record)
        return record

    def _expect(self, record: Record, clause: str, ok: object, expected: str, exchange: Exchange) -> None:
        if ok:
            self._held(record, clause)
        else:
            self._broken(record, clause, expected, exchange)

    def _held(self, record: Record, clause: str) -> None:
        record.held.add(self._clauses[clause].id)

    def _broken(self, record: Record, clause: str, expected: str, exchange: Exchange) -> None:
        record.findings.append(self._judge.finding(self._clauses[clause].id, expected, exchange))

    def _outside(self, sighting: Sighting, record: Record) -> None:
        status = sighting.exchange.status
        if sighting.route.known and status is not None:
            wanted = "no error of the server"
            self._expect(record, "conventions.unknownMethod", status < SERVER_ERROR, wanted, sighting.exchange)

    def _stranger(self, operation: Operation, sighting: Sighting, record: Record) -> None:
        """A request without credentials is refused as such, before anything else is looked at."""
        error = operation.errors.get(When.UNAUTHENTICATED)
        exchange = sighting.exchange
        if error is None or str(exchange.status) not in operation.responses:
            return
        clause = f"{operation.id}.{error.status}"
        for other in operation.errors.values():
            order = f"{operation.id}.order.{error.status}-{other.status}"
            if other.status == exchange.status and order in self._clauses:
                clause = order
        wanted = f"{error.status}: the request has no credentials that the contract knows"
        self._expect(record, clause, exchange.status == error.status, wanted, exchange)

    # ------------------------------------------------------------- submissions

    def _submission(self, operation: Operation, task: Submission, sighting: Sighting, record: Record) -> None:
        exchange = sighting.exchange
        submitted = self._submissions.read(operation, task, exchange.request)
        accepted = exchange.status == task.accepted
        if submitted is not None:
            if submitted.broken:
                self._invalid(operation, submitted, exchange, record, accepted=accepted)
            else:
                self._valid(operation, submitted, exchange, record, accepted=accepted)
        if accepted:
            self._accepted(operation, task, submitted, sighting, record)

    def _invalid(
        self, operation: Operation, submitted: Submitted, exchange: Exchange, record: Record, *, accepted: bool
    ) -> None:
        invalid = operation.errors[When.INVALID]
        if accepted:
            for clause, message in submitted.broken:
                self._broken(record, clause, f"{invalid.status}, a refusal: {message:.300}", exchange)
            return
        if exchange.status == invalid.status:
            self._held(record, f"{operation.id}.{invalid.status}")
            self._details(operation, submitted, exchange, record)
            return
        for error in operation.errors.values():
            clause = f"{operation.id}.order.{invalid.status}-{error.status}"
            if error.status == exchange.status and clause in self._clauses:
                self._broken(record, clause, f"{invalid.status}: {submitted.broken[0][1]:.300}", exchange)

    def _details(self, operation: Operation, submitted: Submitted, exchange: Exchange, record: Record) -> None:
        """A refusal names the fields that are wrong, and none that the request has and that is right."""
        named = self._named(operation, exchange)
        prefix = f"{operation.id}.{submitted.profile.name}." if submitted.profile else ""
        if named is None or not prefix:
            return
        wrong = {c.removeprefix(prefix).split(".")[0] for c, _ in submitted.broken if c.startswith(prefix)}
        right = {name for name in set(named) - wrong if name in submitted.body}
        if wrong:
            expected = f"a message for {', '.join(sorted(wrong))}, and for no field that is right"
            clause = f"{operation.id}.{exchange.status}.{operation.errors[When.INVALID].details}"
            self._expect(record, clause, wrong <= set(named) and not right, expected, exchange)

    def _named(self, operation: Operation, exchange: Exchange) -> list[str] | None:
        """The fields that a refusal names, or None if it cannot be told."""
        answer = exchange.json()
        details = answer.get(operation.errors[When.INVALID].details) if isinstance(answer, dict) else None
        maps = [value for value in details.values() if isinstance(value, dict)] if isinstance(details, dict) else []
        if len(maps) != 1:
            return None
        return [name.replace("/", ".").replace("[", ".").split(".")[0] for name in maps[0]]

    def _valid(
        self, operation: Operation, submitted: Submitted, exchange: Exchange, record: Record, *, accepted: bool
    ) -> None:
        answer = exchange.json()
        if accepted and isinstance(answer, dict):
            used = answer.get(self._life.fields.credits)
            clause = self._submissions.price_clause(operation, submitted)
            if type(used) is int:  # of anything else the judge has spoken
                self._expect(record, clause, used == submitted.price, f"a price of {submitted.price} credits", exchange)
            return
        invalid = operation.errors[When.INVALID]
        if exchange.status == invalid.status:
            clause = self._submissions.refused(operation, submitted, self._named(operation, exchange) or [])
            self._broken(record, clause, "the request accepted: it breaks no rule", exchange)
        short = operation.errors.get(When.INSUFFICIENT)
        if short is not None and exchange.status == short.status and short.price and isinstance(answer, dict):
            stated = answer.get(short.price)
            if type(stated) is int:
                self._expect(
                    record,
                    f"{operation.id}.{short.status}.{short.price}",
                    stated == submitted.price,
                    f"`{short.price}` {submitted.price}, the price",
                    exchange,
                )

    def _accepted(
        self, operation: Operation, task: Submission, submitted: Submitted | None, sighting: Sighting, record: Record
    ) -> None:
        exchange, answer = sighting.exchange, sighting.exchange.json()
        name = answer.get(self._life.fields.id) if isinstance(answer, dict) else None
        if not isinstance(name, str):
            return
        known = self._tasks.get(name)
        # what was seen before may be of this very task: its answer and a read of it may cross
        fresh = known is None or (known.tracked is None and not known.accepted and not self._precede(known, sighting))
        self._expect(record, f"lifecycle.{Kind.UNIQUE}", fresh, f"an ID that no other task has, not {name}", exchange)
        initial = self._life.initial.status
        self._expect(
            record,
            f"lifecycle.{Kind.INITIAL}",
            answer.get(self._life.fields.status) == initial,
            f"the status {initial}",
            exchange,
        )
        tracked, used = None, answer.get(self._life.fields.credits)
        credits = used if type(used) is int else 0
        if credits:
            self.spent += credits
            self.events.append({"time": sighting.answered, "what": "debit", "credits": credits})
        if submitted is not None and not submitted.broken and type(used) is int:
            reading = self._contract.operations[task.reads].task
            found = reading.found if isinstance(reading, Reading) else task.accepted
            tracked = Tracked(
                self._life, task, operation.id, submitted.body, answer, Account({}), exchange.started, found
            )
        self._tasks[name] = _Seen(tracked, sighting.answered, sighting.caller, credits=credits)
        self._forget()

    # ------------------------------------------------------------------- reads

    def _reading(self, operation: Operation, reading: Reading, sighting: Sighting, record: Record) -> None:
        name, exchange = str(sighting.route.task), sighting.exchange
        seen = self._tasks.get(name)
        unknown = operation.errors.get(When.UNKNOWN_TASK)
        if seen is not None and unknown is not None and exchange.status == unknown.status:
            self._lost(name, seen, sighting, record)
            return
        snapshot = exchange.json()
        if exchange.status != reading.found or not isinstance(snapshot, dict):
            return
        if seen is None:
            seen = self._tasks[name] = _Seen()
            self._forget()
        self._tasks.move_to_end(name)
        breaches = dict(reversed(list(self._breaches(name, seen, snapshot, sighting))))
        for clause, expected in breaches.items():
            self._broken(record, clause, expected, exchange)
        if not breaches:
            for clause in self._shown(seen, snapshot):
                self._held(record, clause)
        if snapshot.get(self._life.fields.id) == name:  # one of another task says nothing of this one
            self._remember(name, seen, snapshot, sighting)

    def _lost(self, name: str, seen: _Seen, sighting: Sighting, record: Record) -> None:
        """A task that is not found is a breach only for who submitted it."""
        theirs = seen.caller == sighting.caller and seen.caller not in (None, SOMEBODY)
        if theirs and seen.accepted and self._before(seen.accepted, sighting):
            wanted = f"the snapshot of the task {name}, submitted by this caller"
            self._broken(record, f"lifecycle.{Kind.IDENTITY}", wanted, sighting.exchange)

    def _owes(self, snapshot: Mapping[str, Any]) -> bool:
        """Whether a snapshot says that its task has failed, and that its refund is still to come."""
        state = self._life.of_status(snapshot.get(self._life.fields.status))
        return state is not None and state.refund and snapshot.get(self._life.fields.refunded) is False

    def _remember(self, name: str, seen: _Seen, snapshot: Mapping[str, Any], sighting: Sighting) -> None:
        if snapshot not in [known for _, known in seen.snapshots]:
            seen.snapshots = [*seen.snapshots, (sighting.answered, snapshot)][-_MOST_SNAPSHOTS:]
        if seen.unpaid is None and self._owes(snapshot):
            seen.unpaid = sighting.answered
        self._chronicle(name, seen, snapshot, sighting)

    def _chronicle(self, name: str, seen: _Seen, snapshot: Mapping[str, Any], sighting: Sighting) -> None:
        """Note the end of a task whose beginning was seen, and its refund."""
        state = self._life.of_status(snapshot.get(self._life.fields.status))
        if state is None or not state.terminal or not seen.accepted:
            return
        if not seen.ended:
            seen.ended = True
            self.events.append({"time": sighting.answered, "what": state.name, "task": name, "accepted": seen.accepted})
        if state.refund and not seen.refunded and snapshot.get(self._life.fields.refunded) is True:
            seen.refunded = True
            self.refunded += seen.credits
            self.events.append({"time": sighting.answered, "what": "refund", "credits": seen.credits})

    def _breaches(self, name: str, seen: _Seen, snapshot: Mapping[str, Any], sighting: Sighting) -> Iterator[Breach]:
        life = self._life
        yield from times(life, snapshot)
        if snapshot.get(life.fields.id) != name:
            yield f"lifecycle.{Kind.IDENTITY}", f"`{life.fields.id}` {name!r}"
        if seen.tracked is not None:
            yield from seen.tracked.repeats(snapshot)
        for answered, before in seen.snapshots:
            if self._before(answered, sighting):
                yield from follows(life, before, snapshot)
        state = life.of_status(snapshot.get(life.fields.status))
        if state is None:
            return
        sent = sighting.exchange.started
        if not state.terminal and seen.accepted and sent - seen.accepted > self._deadline + self._slack:
            yield f"lifecycle.{Kind.DEADLINE}", f"a task that ends within {self._deadline:g} seconds"
        if seen.unpaid is not None and self._owes(snapshot) and sent - seen.unpaid > self._grace + self._slack:
            wanted = f"`{life.fields.refunded}` true {self._grace:g} seconds after the failure"
            yield f"lifecycle.{state.name}.{Kind.REFUND_FLAG}", wanted

    def _shown(self, seen: _Seen, snapshot: Mapping[str, Any]) -> Iterator[str]:
        life = self._life
        state = life.of_status(snapshot.get(life.fields.status))
        yield from (f"lifecycle.{kind}" for kind in (Kind.IDENTITY, Kind.UPDATED))
        if seen.tracked is not None:
            yield from (f"lifecycle.{kind}" for kind in (Kind.TYPE, Kind.CHARGED))
            yield from (f"lifecycle.{Kind.ECHO}.{name}" for name in life.echoes)
        if seen.snapshots:
            yield f"lifecycle.{Kind.CREATED}"
        if state is None or not state.terminal:
            return
        if seen.accepted:
            yield from (f"lifecycle.{kind}" for kind in (Kind.TRANSITIONS, Kind.DEADLINE))
        if snapshot in [known for _, known in seen.snapshots]:
            yield f"lifecycle.{state.name}.{Kind.FINAL}"
        if state.refund and snapshot.get(life.fields.refunded) is True:
            yield f"lifecycle.{state.name}.{Kind.REFUND_FLAG}"

    def _before(self, answered: float, sighting: Sighting) -> bool:
        """Whether something had been answered before a request was sent."""
        return answered + self._slack < sighting.exchange.started

    def _precede(self, seen: _Seen, sighting: Sighting) -> bool:
        return any(self._before(answered, sighting) for answered, _ in seen.snapshots)

    def _forget(self) -> None:
        while len(self._tasks) > _MOST_TASKS:
            self._tasks.popitem(last=False)
