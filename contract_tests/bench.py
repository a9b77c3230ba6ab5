"""What a test works with: accounts, and requests whose answers are judged, tracked and paid for.

A `Bench` is one test's view of the session, with a record of its own.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from contract.clause import Kind
from contract.model import Carries, Operation, Reading, Submission
from contract_tests.case import encode
from contract_tests.cases import Cases
from contract_tests.hooks import Account, headers_for
from contract_tests.purse import Purse
from contract_tests.session import Session
from contract_tests.tracked import Tracked
from contract_tests.verdicts import Finding, NotExercised, Record
from contract_tests.wire import JSON, Exchange, Request

_FIRST_POLL = 0.04
_POLL_GROWTH = 1.4


class Bench:
    """One test's tools. Whatever it finds out goes into its record."""

    def __init__(self, session: Session, purse: Purse) -> None:
        self.session = session
        self.contract = session.contract
        self.clauses = session.clauses
        self.hooks = session.hooks
        self.purse = purse
        self.record = Record()
        self._about: list[str] = []
        self._submitted: Request | None = None

    # -------------------------------------------------------------- verdicts

    def about(self, *clauses: str) -> None:
        """Say what the test is about: these clauses are not exercised if it ends early."""
        self._about += [clause for clause in clauses if clause in self.clauses]

    def ended_early(self, reason: str) -> None:
        """Note why the test did not get to its end."""
        for clause in self._about:
            self.record.unexercised.setdefault(clause, reason)

    def ids(self, kind: Kind, operation: str | None = None, **subject: Any) -> list[str]:
        """The IDs of the clauses of a kind."""
        return [
            clause.id
            for clause in self.clauses.values()
            if clause.kind is kind
            and (operation is None or clause.operation == operation)
            and all(getattr(clause, key) == value for key, value in subject.items())
        ]

    def id(self, kind: Kind, operation: str | None = None, **subject: Any) -> str:
        """The ID of the one clause of a kind.

        Raises:
            NotExercised: if the contract has no such clause.
        """
        found = self.ids(kind, operation, **subject)
        if not found:
            raise NotExercised(f"the contract has no clause about {kind}")
        return found[0]

    def held(self, *clauses: str) -> None:
        """Note that clauses held."""
        self.record.held.update(clauses)

    def broken(self, clause: str, expected: str, exchange: Exchange) -> None:
        """Note a breach that one exchange shows."""
        self.record.findings.append(self.session.judge.finding(clause, expected, exchange))

    def wrong(self, clause: str, expected: str, came: str, steps: Sequence[str]) -> None:
        """Note a breach that takes several steps to see; the last submission among them is shown in full."""
        lines = [f"{number}. {step}" for number, step in enumerate(steps, 1)]
        if self._submitted is not None:
            lines.append(self.session.judge.curl(self._submitted))
        self.record.findings.append(Finding(clause, expected, came, "\n".join(lines)))

    def expect(self, clause: str, ok: object, expected: str, exchange: Exchange) -> bool:
        """Note that a clause held, or that an exchange shows a breach of it."""
        if ok:
            self.held(clause)
        else:
            self.broken(clause, expected, exchange)
        return bool(ok)

    # -------------------------------------------------------------- accounts

    def main(self) -> Account:
        """An account with plenty of credits, or the one that was given."""
        settings = self.session.settings
        account = self.session.account("main", self._secrets(settings.key, settings.cookie))
        if account is None:
            raise NotExercised("no key was given, and no hook new_account")
        return account

    def second(self) -> Account:
        """Another account."""
        account = self.session.account("second", self._secrets(self.session.settings.second_key))
        if account is None:
            raise NotExercised("no second key was given, and no hook new_account")
        return account

    def fresh(self, credits: int) -> Account:
        """An account of its own, with exactly so many credits."""
        return self.hooks.new_account(credits)

    @property
    def funded(self) -> bool:
        """Whether the main account was made by the hook, and so has all that the tests need and nobody else's doing."""
        return not self.session.settings.key and self.hooks.has("new_account")

    def counted(self) -> tuple[Account, int | None]:
        """An account on which nothing happens but what its users tell `counted_now`, and its balance, if it shows.

        Asking for a balance before and after each of hundreds of requests would double the run's time.
        """
        if not (self.funded and self.hooks.has("balance")):
            return self.main(), None
        account = self.session.account("counted", {})
        if account is None:
            raise NotExercised("no hook new_account")
        if self.session.counted is None:
            self.session.counted = self.hooks.balance(account)
        return account, self.session.counted

    def counted_now(self) -> int:
        """The balance of the counted account now."""
        account, _ = self.counted()
        self.session.counted = self.hooks.balance(account)
        return self.session.counted

    def explained(self, account: Account, more: int) -> bool:
        """Whether an account that has so many credits more than it should has them from tasks that failed unasked.

        For the counted account only those count that were not there when its balance was last expected.
        """
        if more <= 0:
            return False
        tasks = [task for task in self.session.tasks if task.account is account]
        self.read_all([task for task in tasks if not task.ended])
        returned = sum(
            task.credits
            for task in tasks
            if task.state is not None
            and task.state.refund
            and isinstance(task.credits, int)
            and encode(task.body) not in self.session.to_fail
        )
        before = 0
        if account is self.session.accounts.get("counted"):
            before, self.session.unasked = self.session.unasked, returned
        return more <= returned - before

    def balance(self, account: Account) -> int | None:
        """The balance of an account, or None if there is no hook to see it."""
        return self.hooks.balance(account) if self.hooks.has("balance") else None

    def _secrets(self, key: str, cookie: str = "") -> dict[str, str]:
        secrets = {}
        for scheme in self.contract.security_schemes.values():
            if scheme.type == "http" and key:
                secrets[scheme.name] = key
            if scheme.location == "cookie" and cookie:
                secrets[scheme.name] = cookie
        return secrets

    # -------------------------------------------------------------- requests

    def credentials(self, account: Account, scheme: str | None = None) -> dict[str, str]:
        """The headers by which an account shows who it is."""
        for known in self.contract.security_schemes.values():
            secret = account.secret(known.name)
            if secret is not None and scheme in (None, known.name):
                headers = headers_for(known, secret)
                if headers is not None:
                    return headers
        raise NotExercised(f"no credentials of the scheme {scheme}")

    def submission_request(
        self, operation: Operation, body: Any, headers: Mapping[str, str], content_type: str = JSON
    ) -> Request:
        """A request that submits a body: JSON, or bytes that are sent as they are."""
        return Request(
            operation.method,
            operation.path,
            {**headers, "Content-Type": content_type},
            body if isinstance(body, bytes) else encode(body),
            operation.id,
        )

    def read_request(self, operation: Operation, task_id: str, headers: Mapping[str, str]) -> Request:
        """A request that reads a task."""
        reading = operation.task
        if not isinstance(reading, Reading):
            raise NotExercised(f"{operation.id} reads no task")
        path = operation.path.replace("{" + reading.parameter + "}", quote(task_id, safe="", errors="replace"))
        return Request(operation.method, path, dict(headers), None, operation.id)

    def send(self, request: Request, *, cost: int = 0, judged: bool = True) -> Exchange:
        """Send a request, and judge the answer."""
        return self.send_all([request], cost=cost, judged=judged)[0]

    def send_all(self, requests: Sequence[Request], *, cost: int = 0, judged: bool = True) -> list[Exchange]:
        """Send requests at the same time, and judge the answers.

        Args:
            cost: the most that they may cost together.
            judged: whether the contract says anything of the answers.
        """
        submissions = [request for request in requests if self._submission_of(request)]
        if cost or submissions:
            self.purse.reserve(cost)
        self._submitted = submissions[-1] if submissions else self._submitted
        exchanges = self.session.target.send_all(requests)
        charged = sum(self._pay(exchange, paid=cost > 0) for exchange in exchanges)
        if charged > cost:
            self.purse.surprise(charged - cost)
        for exchange in exchanges if judged else ():
            self.session.judge.judge(exchange, self.record)
        return exchanges

    def _submission_of(self, request: Request) -> Submission | None:
        operation = self.contract.operations.get(request.operation or "")
        return operation.task if operation is not None and isinstance(operation.task, Submission) else None

    def _pay(self, exchange: Exchange, *, paid: bool) -> int:
        """Pay for a submission; gives what it cost.

        Whoever must not spend too much believes the worst: a submission of which nothing was heard, or not what it
        cost, has cost what it should.
        """
        submission, status = self._submission_of(exchange.request), exchange.status
        if submission is None or not (paid if status is None else status // 100 == 2):  # noqa: PLR2004 - HTTP's class of success
            return 0
        answer = exchange.json()
        used = answer.get(self.contract.lifecycle.fields.credits) if isinstance(answer, dict) else None
        if type(used) is not int or used < 1:
            used = self._price_of(submission, exchange.request.json())
        if used:
            self.purse.debit(used)
            self.session.events.append({"time": exchange.started, "what": "debit", "credits": used})
        return used

    def _price_of(self, submission: Submission, body: Any) -> int:
        try:
            return submission.profile_of(body).price.of(body)
        except (KeyError, TypeError):
            return max(profile.price.most for profile in submission.profiles.values())

    def accepted(self, operation: Operation, exchange: Exchange) -> bool:
        """Whether a submission was accepted."""
        return isinstance(operation.task, Submission) and exchange.status == operation.task.accepted

    def submit(self, operation: Operation, body: Any, account: Account, *, price: int = 0) -> Tracked | None:
        """Submit a request that must be accepted, and follow its task from now on.

        Args:
            price: what it costs, by the contract.

        Returns:
            the task, or None if the submission was not accepted.

        Raises:
            NotExercised: if the account that was given has run out of credits.
        """
        exchange = self.send(self.submission_request(operation, body, self.credentials(account)), cost=price)
        if self.ran_out(operation, exchange):
            raise NotExercised("the account has run out of credits")
        return self.track(operation, body, account, exchange)

    def track(self, operation: Operation, body: Any, account: Account, exchange: Exchange) -> Tracked | None:
        """Follow the task of a submission, if it was accepted."""
        if not self.accepted(operation, exchange):
            return None
        submission, answer = operation.task, exchange.json()
        if not isinstance(submission, Submission) or not isinstance(answer, dict):
            return None
        reading = self.reading_of(submission).task
        found = reading.found if isinstance(reading, Reading) else submission.accepted
        tracked = Tracked(
            self.contract.lifecycle, submission, operation.id, body, answer, account, exchange.started, found
        )
        unique = f"lifecycle.{Kind.UNIQUE}"
        self.expect(
            unique, tracked.id not in self.session.ids, f"an ID that no other task has, not {tracked.id}", exchange
        )
        self.session.ids.add(tracked.id)
        status = answer.get(self.contract.lifecycle.fields.status)
        initial = self.contract.lifecycle.initial.status
        self.expect(f"lifecycle.{Kind.INITIAL}", status == initial, f"the status {initial}", exchange)
        self.session.tasks.append(tracked)
        return tracked

    def ran_out(self, operation: Operation, exchange: Exchange) -> bool:
        """Whether a given account, of which nobody knows the balance, has run out of credits."""
        return not self.funded and exchange.status in {
            error.status for error in operation.errors.values() if error.price is not None
        }

    def reading_of(self, submission: Submission) -> Operation:
        """The operation that reads the tasks of a submission."""
        return self.contract.operations[submission.reads]

    # ----------------------------------------------------------------- tasks

    def failing(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """A request body, changed so that its task will fail."""
        changed = self.hooks.failing_request(body)
        self.session.to_fail.add(encode(changed))
        return changed

    def read_all(self, tasks: Sequence[Tracked], times: int = 1, crowd: int = 0) -> list[Exchange]:
        """Read tasks, all at the same time, and hold what comes against what is known of them.

        Args:
            times: how often each is read; more than once only if it has ended, since the order of answers is open.
            crowd: how many more read each at the same moment; their answers are only judged.

        Returns:
            the exchanges, task by task, without the crowd's.
        """
        requests = [
            self.read_request(self.reading_of(task.submission), task.id, self.credentials(task.account))
            for task in tasks
            for _ in range(times)
        ]
        exchanges = self.send_all([*requests, *requests * crowd])[: len(requests)]
        for index, exchange in enumerate(exchanges):
            self.observe(tasks[index // times], exchange)
        return exchanges

    def observe(self, task: Tracked, exchange: Exchange) -> None:
        """Hold what came of a read against what is known of the task."""
        was, had = task.ended, task.refunded
        breaches = list(task.observe(exchange))
        for clause, expected in breaches:
            self.broken(clause, expected, exchange)
        if not breaches:
            self.held(*task.held())
        state = task.state
        if task.ended and not was and state is not None:
            self.session.events.append(
                {"time": exchange.started, "what": state.name, "task": task.id, "accepted": task.accepted_at}
            )
        if task.refunded and not had and isinstance(task.credits, int):
            self.purse.refund(task.credits)
            self.session.events.append({"time": exchange.started, "what": "refund", "credits": task.credits})

    def wait(self, tasks: Sequence[Tracked], crowd: int = 0) -> None:
        """Read tasks until all of them have ended, with a crowd that reads them at the same moments.

        Raises:
            NotExercised: if some do not end in time.
        """
        deadline = time.monotonic() + self.session.deadline
        if self.session.endless:
            deadline = time.monotonic()
        pause = self.session.settings.poll_interval or _FIRST_POLL
        clause = f"lifecycle.{Kind.DEADLINE}"
        waiting = [task for task in tasks if not task.ended]
        while waiting:
            exchanges = self.read_all(waiting, crowd=crowd)
            if all(exchange.status != task.found for exchange, task in zip(exchanges, waiting, strict=True)):
                raise NotExercised("the tasks cannot be read")
            late = [(task, e) for task, e in zip(waiting, exchanges, strict=True) if not task.ended]
            waiting = [task for task, _ in late]
            if late and time.monotonic() > deadline:
                if not self.session.endless:
                    self.broken(clause, f"a task that ends within {self.session.deadline:g} seconds", late[0][1])
                self.session.endless = True
                raise NotExercised("tasks do not end in time")
            if waiting:
                time.sleep(pause)
                if self.session.settings.poll_interval is None:
                    pause = min(pause * _POLL_GROWTH, self.contract.lifecycle.timing.poll)

    def wait_for_refund(self, tasks: Sequence[Tracked]) -> None:
        """Wait until failed tasks show their refund, which may come "shortly" after the failure.

        That is taken to mean: the next time that the service looks after its tasks.
        """
        grace = min(self.contract.lifecycle.timing.recheck, self.session.deadline)
        end = time.monotonic() + (0 if self.session.stingy else grace)
        waiting = [task for task in tasks if not task.refunded]
        pause = _FIRST_POLL * 4
        while waiting and time.monotonic() < end:
            time.sleep(pause)
            pause = min(pause * _POLL_GROWTH, self.contract.lifecycle.timing.poll)
            self.read_all(waiting)
            waiting = [task for task in waiting if not task.refunded]
        self.session.stingy |= bool(waiting)

    # ------------------------------------------------------------------ cases

    def cases(self, operation: Operation) -> Cases:
        """The cases that the contract suggests for an operation."""
        if operation.id not in self.session.cases:
            raise NotExercised(f"{operation.id} submits no task")
        return self.session.cases[operation.id]

    def failed_name(self) -> str:
        """The name of the state of a failed task."""
        return self.contract.lifecycle.ending(Carries.ERROR).name
