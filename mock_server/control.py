"""What can be done to the mock: one method for each operation of `control.yaml`, named like it.

Each takes what the document says that it takes, and gives what the document says that it gives, as plain JSON.
What cannot be done is a `ControlError`.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any

from contract.model import Contract
from contract.pricing import MOST_CREDITS
from mock_server import ids
from mock_server.accounts import Account
from mock_server.clock import REAL, Clock
from mock_server.exchanges import Exchanges
from mock_server.ledger import Entry, entries_of, top_up
from mock_server.service import Service
from mock_server.snapshot import state_at, timestamp
from mock_server.state import StateError, read_state, state_of
from mock_server.store import Admin, Change, Holder, Store, StoreError, TooManyCreditsError
from mock_server.task import HELD, MICROSECONDS, Plan, Task

Json = dict[str, Any]

_NAME = re.compile("[A-Za-z0-9][A-Za-z0-9._-]*")


class ControlError(Exception):
    """A request that cannot be carried out: the status of the answer, and what is wrong."""

    def __init__(self, status: HTTPStatus, message: str) -> None:
        self.status = status
        super().__init__(message)


class Control:
    """Controls one mock."""

    def __init__(
        self,
        contract: Contract,
        store: Store,
        service: Service,
        exchanges: Exchanges,
        fixtures: Callable[[], Sequence[Account]],
    ) -> None:
        """Make the control.

        Args:
            fixtures: gives the accounts of the fixtures.
        """
        self._contract = contract
        self._store = store
        self._admin = Admin(store)
        self._service = service
        self._planner = service.planner
        self._scenarios = service.scenarios
        self._machine = service.machine
        self._exchanges = exchanges
        self._journal = exchanges.journal
        self._fixtures = fixtures
        self.problem: str | None = None
        """What is wrong with the files now, while the last good ones are served."""

    def about(self) -> Json:
        """What is played."""
        return {"mock": f"{self._contract.title} {self._contract.version}", "problem": self.problem}

    # ---------------------------------------------------------------- accounts

    def list_accounts(self, after: str = "", limit: int = 100) -> Json:
        """A page of accounts."""
        holders = self._admin.holders(self._machine, after=after, limit=limit)
        following = holders[-1].name if len(holders) == limit else None
        return {"accounts": [self._account(holder) for holder in holders], "next": following}

    def create_account(self, body: Json) -> tuple[Json, int]:
        """Make an account with fresh credentials."""
        name = body.get("name") or f"account-{secrets.token_hex(8)}"
        if not _NAME.fullmatch(name):  # JSON Schema in Python lets a line break pass at the end
            raise ControlError(HTTPStatus.BAD_REQUEST, f"name: {name!r} does not match {_NAME.pattern}")
        keys = {scheme: f"sk_mock_{secrets.token_hex(16)}" for scheme in self._contract.security_schemes}
        if not self._admin.create(Account(name, body["credits"], keys)):
            raise ControlError(HTTPStatus.CONFLICT, f"there is an account {name!r} already")
        self._journal.changed()
        return self.get_account(name), HTTPStatus.CREATED

    def who_am_i(self, authorization: str) -> Json:
        """The account of a bearer key."""
        name, _, secret = authorization.partition(" ")
        for scheme in self._contract.security_schemes.values():
            if scheme.type == "http" and scheme.scheme == name.lower():
                caller = self._store.caller(scheme.name, secret.strip())
                if caller is not None:
                    return self.get_account(caller.account)
        raise ControlError(HTTPStatus.UNAUTHORIZED, "no account has this key")

    def get_account(self, account: str) -> Json:
        """One account."""
        return self._account(self._holder(account))

    def delete_account(self, account: str) -> tuple[None, int]:
        """Delete an account."""
        with _known(account):
            self._admin.delete(account)
        self._journal.changed()
        return None, HTTPStatus.NO_CONTENT

    def top_up(self, account: str, body: Json) -> Json:
        """Add credits to an account."""
        try:
            with _known(account):
                self._admin.top_up(
                    account, self._machine, lambda now: top_up(ids.new_id("top", now), account, body["credits"], now)
                )
        except TooManyCreditsError as error:
            message = f"an account can have at most {MOST_CREDITS:,} credits; this one has {error.args[0]:,}"
            raise ControlError(HTTPStatus.CONFLICT, message) from error
        self._journal.changed()
        return self.get_account(account)

    def get_ledger(self, account: str, limit: int = 100) -> Json:
        """The newest entries of an account, each with the balance after it."""
        with _known(account):
            ledger = self._admin.ledger(account, self._machine, limit)
        entries = []
        after = ledger.balance
        for entry in reversed(ledger.entries):
            at = timestamp(entry.counts_from)
            entries.append({"kind": entry.kind, "amount": entry.amount, "balance": after, "at": at, "task": entry.task})
            after -= entry.amount
        return {"opening": ledger.opening, "balance": ledger.balance, "entries": entries[::-1]}

    # ------------------------------------------------------------------- clock

    def get_clock(self, account: str | None = None) -> Json:
        """What time it is."""
        if account is None:
            return self._clock(self._admin.clock(), own=False)
        holder = self._holder(account)
        return self._clock(holder.clock, own=holder.own)

    def set_clock(self, body: Json, account: str | None = None) -> Json:
        """Freeze, set the speed, or go back to real time."""
        if "real" in body:
            return self._turn(account, lambda _clock, _machine: None)
        return self._turn(account, lambda clock, machine: clock.paced(machine, body["speed"]))

    def advance_clock(self, body: Json, account: str | None = None) -> Json:
        """Let time pass at once."""
        return self._turn(account, lambda clock, machine: clock.advanced(machine, body["seconds"]))

    # ------------------------------------------------------------------- tasks

    def list_tasks(self, account: str | None = None, after: str | None = None, limit: int = 100) -> Json:
        """A page of tasks, newest first."""
        if account is not None:
            self._holder(account)
        machine = self._machine()
        found = self._admin.tasks(account, after=after, limit=limit)
        shown = [self._task(task, clock.at(machine)) for task, clock in found if self._service.plays(task)]
        following = found[-1][0].id if len(found) == limit else None
        return {"tasks": shown, "next": following}

    def show_task(self, task: str) -> Json:
        """One task."""
        return self._task(*self._find(task))

    def complete_task(self, task: str) -> Json:
        """Complete a task now."""
        return self._replan(task, self._planner.success)

    def fail_task(self, task: str, body: Json | None = None) -> Json:
        """Fail a task now."""
        said = body or {}
        code, message = said.get("errorCode"), said.get("errorMessage")
        return self._replan(task, lambda now: self._planner.failure(now, code, message))

    def hold_task(self, task: str) -> Json:
        """Keep a task at work until it is ended by hand."""
        return self._replan(task, lambda _now: self._planner.success(HELD))

    # --------------------------------------------------------------- scenarios

    def list_scenarios(self) -> Json:
        """The scenarios that there are."""
        return self._listed(self._admin.scenario())

    def set_scenario(self, body: Json, account: str | None = None) -> Json:
        """Switch the scenario of all, or of one account."""
        name = body.get("name")
        if name is not None and name not in self._scenarios.known:
            there_are = ", ".join(self._scenarios.known)
            raise ControlError(HTTPStatus.BAD_REQUEST, f"there is no scenario {name!r}; there are {there_are}")
        with _known(account):
            self._admin.switch(account, name)
        self._journal.changed()
        return self._listed(name or (self._admin.scenario() if account else None))

    # --------------------------------------------------------------- exchanges

    def list_exchanges(self, account: str | None = None, limit: int = 100) -> Json:
        """The last exchanges, newest first."""
        return {"exchanges": [self._exchanges.shown(e) for e in self._exchanges.last(account, limit)]}

    def export_exchanges(self, account: str | None = None) -> Json:
        """The last exchanges as a HAR file."""
        return self._exchanges.har(account)

    def get_exchange(self, exchange: str) -> Json:
        """One exchange."""
        found = self._exchanges.find(int(exchange))
        if found is None:
            raise ControlError(HTTPStatus.NOT_FOUND, f"the exchange {exchange} is not kept, or not any more")
        return self._exchanges.shown(found)

    # ------------------------------------------------------------------- state

    def reset(self, account: str | None = None) -> tuple[None, int]:
        """Back to the fixtures, or one account back to its beginning."""
        if account is not None:
            with _known(account):
                self._admin.restart(account)
        else:
            self._admin.reset(self._fixtures())
        self._journal.changed()
        self._exchanges.clear(account)
        return None, HTTPStatus.NO_CONTENT

    def export_state(self) -> Json:
        """Everything that the mock knows."""
        return state_of(self._contract, self._admin.dump(), self._machine())

    def import_state(self, body: Json) -> tuple[None, int]:
        """Put a saved state in place of this one."""
        try:
            self._admin.load(read_state(self._contract, body))
        except (StateError, StoreError) as error:
            raise ControlError(HTTPStatus.BAD_REQUEST, f"this state cannot be taken over: {error}") from error
        self._exchanges.clear()
        self._journal.changed()
        return None, HTTPStatus.NO_CONTENT

    # ------------------------------------------------------------------ inside

    def _holder(self, account: str) -> Holder:
        with _known(account):
            return self._admin.holder(account, self._machine)

    def _account(self, holder: Holder) -> Json:
        return {
            "name": holder.name,
            "balance": holder.balance,
            "credentials": dict(holder.credentials),
            "clock": self._clock(holder.clock, own=holder.own),
            "scenario": self._scenarios.named(holder.scenario).name,
        }

    def _clock(self, clock: Clock, *, own: bool) -> Json:
        now = timestamp(clock.at(self._machine()))
        return {"now": now, "speed": clock.speed, "real": clock == REAL, "own": own}

    def _turn(self, account: str | None, change: Change) -> Json:
        with _known(account):
            clock = self._admin.turn(account, change, self._machine)
        self._journal.changed()
        return self._clock(clock, own=account is not None and self._holder(account).own)

    def _find(self, task_id: str) -> tuple[Task, int]:
        """A task that the contract knows, and what time it is for it."""
        machine = self._machine()
        found = self._store.task(task_id) if ids.may_be_task_id(task_id) else None
        if found is None:
            raise ControlError(HTTPStatus.NOT_FOUND, f"no task {task_id!r}")
        if not self._service.plays(found[0]):
            message = f"the contract does not know the kind of task {task_id!r} any more"
            raise ControlError(HTTPStatus.NOT_FOUND, message)
        return found[0], found[1].at(machine)

    def _task(self, task: Task, now: int) -> Json:
        """A task as its keeper sees it."""
        state, _ = state_at(self._contract.lifecycle, task, now)
        going_on = not task.has_ended(now)
        return {
            "id": task.id,
            "account": task.account,
            "state": state.name,
            "terminal": state.terminal,
            "held": going_on and task.plan.held,
            "secondsLeft": (task.plan.ends_at - now) / MICROSECONDS if going_on and not task.plan.held else None,
            "credits": task.credits,
            "snapshot": self._service.shown(task, now),
        }

    def _replan(self, task_id: str, plan: Callable[[int], Plan]) -> Json:
        task, _ = self._find(task_id)

        def planned(now: int) -> tuple[Task, Sequence[Entry]]:
            made = task.planned(plan(now), now)
            return made, entries_of(made, self._contract.lifecycle)

        with _known(task.account):
            changed = self._admin.replan(task, self._machine, planned)
        if changed is None:
            raise ControlError(HTTPStatus.CONFLICT, f"the task {task_id} has ended, and what has ended stays")
        self._journal.changed()
        return self.show_task(task_id)

    def _listed(self, current: str | None) -> Json:
        known = [{"name": scenario.name, "title": scenario.title} for scenario in self._scenarios.known.values()]
        return {"current": self._scenarios.named(current).name, "scenarios": known}


@contextmanager
def _known(account: str | None) -> Iterator[None]:
    """The store's word that there is no such account, as an answer."""
    try:
        yield
    except KeyError as error:
        raise _no_account(str(account)) from error


def _no_account(account: str) -> ControlError:
    return ControlError(HTTPStatus.NOT_FOUND, f"no account {account!r}")
