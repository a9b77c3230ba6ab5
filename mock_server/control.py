"""What can be done to the mock: one method for each operation of `control.yaml`, named like it.

Each takes what the document says that it takes, and gives what the document says that it gives, as plain JSON.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from contract.model import Contract
from mock_server import ids
from mock_server.accounts import MOST_CREDITS, Account
from mock_server.clock import REAL, Clock
from mock_server.exchanges import Exchanges
from mock_server.ledger import entries_of, top_up
from mock_server.service import Service
from mock_server.snapshot import state_at, timestamp
from mock_server.state import StateError, read_state, state_of
from mock_server.store import Admin, Caller, Holder, Store, TooManyCreditsError
from mock_server.task import HELD, MICROSECONDS, Plan, Task

Json = dict[str, Any]


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
        fixtures: Callable[[], None],
    ) -> None:
        """Make the control.

        Args:
            fixtures: adds the accounts of the fixtures.
        """
        self._contract = contract
        self._store = store
        self._admin = Admin(store)
        self._service = service
        self._planner = service.planner
        self._scenarios = service.scenarios
        self._machine = service.machine
        self._exchanges = exchanges
        self._fixtures = fixtures
        self.problem: str | None = None
        """What is wrong with the files now, while the last good ones are served."""
        self.changes = 0
        """Counts what was changed, for whoever shows it."""

    def about(self) -> Json:
        """What is played."""
        return {"mock": f"{self._contract.title} {self._contract.version}", "problem": self.problem}

    # ---------------------------------------------------------------- accounts

    def list_accounts(self, after: str = "", limit: int = 100) -> Json:
        """A page of accounts."""
        holders = self._admin.holders(after=after, limit=limit)
        following = holders[-1].name if len(holders) == limit else None
        return {"accounts": [self._account(holder) for holder in holders], "next": following}

    def create_account(self, body: Json) -> tuple[Json, int]:
        """Make an account with fresh credentials."""
        name = body.get("name") or f"account-{secrets.token_hex(8)}"
        keys = {scheme: f"sk_mock_{secrets.token_hex(16)}" for scheme in self._contract.security_schemes}
        if not self._admin.create(Account(name, body["credits"], keys)):
            raise ControlError(HTTPStatus.CONFLICT, f"there is an account {name!r} already")
        self.changes += 1
        return self.get_account(name), HTTPStatus.CREATED

    def who_am_i(self, authorization: str) -> Json:
        """The account of a bearer key."""
        caller = self._bearer(authorization)
        if caller is None:
            raise ControlError(HTTPStatus.UNAUTHORIZED, "no account has this key")
        return self.get_account(caller.account)

    def get_account(self, account: str) -> Json:
        """One account."""
        return self._account(self._holder(account))

    def delete_account(self, account: str) -> tuple[None, int]:
        """Delete an account."""
        self._changed(found=self._admin.delete(account), account=account)
        return None, HTTPStatus.NO_CONTENT

    def top_up(self, account: str, body: Json) -> Json:
        """Add credits to an account."""
        now = self._now(self._holder(account))
        entry = top_up(ids.new_id("top", now), account, body["credits"], now)
        try:
            self._changed(found=self._admin.top_up(entry), account=account)
        except TooManyCreditsError as error:
            message = f"an account can have at most {MOST_CREDITS:,} credits; this one has {error.args[0]:,}"
            raise ControlError(HTTPStatus.CONFLICT, message) from error
        return self.get_account(account)

    def get_ledger(self, account: str, limit: int = 100) -> Json:
        """The newest entries of an account, each with the balance after it."""
        holder = self._holder(account)
        now = self._now(holder)
        balance = self._store.balance(account, now)
        entries = []
        after = balance
        for entry in reversed(self._admin.ledger(account, now, limit)):
            at = timestamp(entry.counts_from)
            entries.append({"kind": entry.kind, "amount": entry.amount, "balance": after, "at": at, "task": entry.task})
            after -= entry.amount
        return {"opening": holder.opening, "balance": balance, "entries": entries[::-1]}

    # ------------------------------------------------------------------- clock

    def get_clock(self, account: str | None = None) -> Json:
        """What time it is."""
        if account is None:
            return self._clock(self._admin.clock(), own=False)
        holder = self._holder(account)
        return self._clock(holder.clock, own=holder.own)

    def set_clock(self, body: Json, account: str | None = None) -> Json:
        """Freeze, set the speed, or go back to real time."""
        machine = self._machine()
        if "real" in body:
            return self._turn(account, lambda _: None, machine)
        return self._turn(account, lambda clock: clock.paced(machine, body["speed"]), machine)

    def advance_clock(self, body: Json, account: str | None = None) -> Json:
        """Let time pass at once."""
        machine = self._machine()
        return self._turn(account, lambda clock: clock.advanced(machine, body["seconds"]), machine)

    # ------------------------------------------------------------------- tasks

    def list_tasks(self, account: str | None = None, after: str | None = None, limit: int = 100) -> Json:
        """A page of tasks, newest first."""
        if account is not None:
            self._holder(account)
        found = self._admin.tasks(account, after=after, limit=limit)
        shown = [self._task(task, clock) for task, clock in found]
        following = found[-1][0].id if len(found) == limit else None
        return {"tasks": [task for task in shown if task], "next": following}

    def show_task(self, task: str) -> Json:
        """One task."""
        found = self._find(task)
        shown = self._task(found, self._store.clock(found.account))
        if shown is None:
            raise ControlError(HTTPStatus.NOT_FOUND, f"the contract does not know the kind of task {task!r} any more")
        return shown

    def complete_task(self, task: str) -> Json:
        """Complete a task now."""
        return self._replan(task, lambda _task, now: self._planner.success(now))

    def fail_task(self, task: str, body: Json | None = None) -> Json:
        """Fail a task now."""
        said = body or {}
        code, message = said.get("errorCode"), said.get("errorMessage")
        return self._replan(task, lambda _task, now: self._planner.failure(now, code, message))

    def hold_task(self, task: str) -> Json:
        """Keep a task at work until it is ended by hand."""
        return self._replan(task, lambda _task, _now: self._planner.success(HELD))

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
        self._changed(found=self._admin.switch(account, name), account=account)
        return self._listed(name or (self._admin.scenario() if account else None))

    # --------------------------------------------------------------- exchanges

    def list_exchanges(self, account: str | None = None, limit: int = 100) -> Json:
        """The last exchanges, newest first."""
        return {"exchanges": [self._exchanges.shown(e) for e in self._exchanges.last(account, limit)]}

    def export_exchanges(self, account: str | None = None) -> Json:
        """The last exchanges as a HAR file."""
        return self._exchanges.har(account)

    def get_exchange(self, exchange: int) -> Json:
        """One exchange."""
        found = self._exchanges.find(exchange)
        if found is None:
            raise ControlError(HTTPStatus.NOT_FOUND, f"the exchange {exchange} is not kept, or not any more")
        return self._exchanges.shown(found)

    # ------------------------------------------------------------------- state

    def reset(self, account: str | None = None) -> tuple[None, int]:
        """Back to the fixtures, or one account back to its beginning."""
        if account is not None:
            self._changed(found=self._admin.restart(account), account=account)
        else:
            self._admin.clear()
            self._fixtures()
            self.changes += 1
        self._exchanges.clear(account)
        return None, HTTPStatus.NO_CONTENT

    def export_state(self) -> Json:
        """Everything that the mock knows."""
        return state_of(self._contract, self._admin.dump(), self._machine())

    def import_state(self, body: Json) -> tuple[None, int]:
        """Put a saved state in place of this one."""
        try:
            self._admin.load(read_state(self._contract, body))
        except StateError as error:
            raise ControlError(HTTPStatus.BAD_REQUEST, f"this state cannot be taken over: {error}") from error
        self._exchanges.clear()
        self.changes += 1
        return None, HTTPStatus.NO_CONTENT

    # ------------------------------------------------------------------ inside

    def _holder(self, account: str) -> Holder:
        found = self._admin.holders([account])
        if not found:
            raise _no_account(account)
        return found[0]

    def _now(self, holder: Holder) -> int:
        return holder.clock.at(self._machine())

    def _account(self, holder: Holder) -> Json:
        return {
            "name": holder.name,
            "balance": self._store.balance(holder.name, self._now(holder)),
            "credentials": dict(holder.credentials),
            "clock": self._clock(holder.clock, own=holder.own),
            "scenario": self._scenarios.named(holder.scenario).name,
        }

    def _bearer(self, authorization: str) -> Caller | None:
        name, _, secret = authorization.partition(" ")
        for scheme in self._contract.security_schemes.values():
            if scheme.type == "http" and scheme.scheme == name.lower():
                return self._store.caller(scheme.name, secret.strip())
        return None

    def _clock(self, clock: Clock, *, own: bool) -> Json:
        now = timestamp(clock.at(self._machine()))
        return {"now": now, "speed": clock.speed, "real": clock == REAL, "own": own}

    def _turn(self, account: str | None, change: Callable[[Clock], Clock | None], machine: int) -> Json:
        try:
            clock = self._admin.turn(account, change, machine)
        except KeyError as error:
            raise _no_account(str(account)) from error
        self.changes += 1
        return self._clock(clock, own=account is not None and self._holder(account).own)

    def _find(self, task_id: str) -> Task:
        task = self._store.task(task_id) if ids.may_be_task_id(task_id) else None
        if task is None:
            raise ControlError(HTTPStatus.NOT_FOUND, f"no task {task_id!r}")
        return task

    def _task(self, task: Task, clock: Clock) -> Json | None:
        """A task as its keeper sees it; None for one that an earlier contract made."""
        now = clock.at(self._machine())
        snapshot = self._service.shown(task, now)
        if snapshot is None:
            return None
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
            "snapshot": snapshot,
        }

    def _replan(self, task_id: str, plan: Callable[[Task, int], Plan]) -> Json:
        task = self._find(task_id)
        now = self._store.clock(task.account).at(self._machine())
        changed = task.planned(plan(task, now))
        if not self._admin.replan(changed, entries_of(changed, self._contract.lifecycle), now):
            raise ControlError(HTTPStatus.CONFLICT, f"the task {task_id} has ended, and what has ended stays")
        self.changes += 1
        return self.show_task(task_id)

    def _listed(self, current: str | None) -> Json:
        known = [{"name": scenario.name, "title": scenario.title} for scenario in self._scenarios.known.values()]
        return {"current": self._scenarios.named(current).name, "scenarios": known}

    def _changed(self, *, found: bool, account: str | None) -> None:
        if not found:
            raise _no_account(str(account))
        self.changes += 1


def _no_account(account: str) -> ControlError:
    return ControlError(HTTPStatus.NOT_FOUND, f"no account {account!r}")
