"""A client of the control API: what tests in Python do to a mock.

    MockServer     a mock
    Account        one of its accounts
    Clock          the time of all accounts, or of one
    Task           a task of any account

are handles. They hold an address or a name, and whatever they say is asked for at that moment.

    Ledger, Entry  what moved an account's credits
    Exchange       a request and its answer

are values: how it was when it was asked for. Whatever goes wrong is a `MockServerError`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import cached_property
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

from mock_server.asking import TIMEOUT, Asking, Entry, Exchange, Json, Ledger, MockServerError, bearer, moment

__all__ = ["Account", "Clock", "Entry", "Exchange", "Ledger", "MockServer", "MockServerError", "Task"]


class MockServer:
    """A mock that is running.

    Attributes:
        url: where it listens, without a slash at the end.
        clock: the time of all accounts that have no clock of their own.
    """

    def __init__(self, url: str, *, token: str | None = None, timeout: float = TIMEOUT) -> None:
        """Get hold of a mock. Nothing is asked of it yet.

        Args:
            token: its control token, where it listens beyond loopback.
            timeout: how long to wait for an answer, in seconds.
        """
        self.url = url.rstrip("/")
        self._control = Asking(self.url, token, timeout)
        self.clock = Clock(self._control, None)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"MockServer({self.url!r})"

    def close(self) -> None:
        """Close the connections. The mock goes on."""
        self._control.close()

    def about(self) -> str:
        """The title and the version of the contract that is played."""
        return str(self._control.ask("GET", "/")["mock"])

    @property
    def problem(self) -> str | None:
        """With `--watch`: what is wrong with the files now, while the last good ones are played."""
        problem: str | None = self._control.ask("GET", "/")["problem"]
        return problem

    def account(self, credits: int = 1_000_000, name: str | None = None) -> Account:
        """Make an account, with credentials of its own.

        Args:
            credits: its opening balance.
            name: letters, digits, `.`, `_` and `-`; by default a name that nobody else has.

        Raises:
            MockServerError: if there is an account of that name, with the status 409.
        """
        body = {"credits": credits} if name is None else {"credits": credits, "name": name}
        return Account(self._control, self._control.ask("POST", "/accounts", json=body))

    def accounts(self) -> list[Account]:
        """All accounts, those of the fixtures too, by name."""
        return [Account(self._control, account) for account in self._control.pages("/accounts", "accounts")]

    def tasks(self) -> list[Task]:
        """The tasks of all accounts, newest first."""
        return [Task(self._control, task["id"]) for task in self._control.pages("/tasks", "tasks")]

    def task(self, id: str) -> Task:
        """The task with this ID, such as an answer of the API names it."""
        return Task(self._control, id)

    def scenarios(self) -> list[str]:
        """The names of the scenarios that there are."""
        return [scenario["name"] for scenario in self._control.ask("GET", "/scenarios")["scenarios"]]

    def scenario(self, name: str | None) -> None:
        """Switch the scenario of all accounts that have none of their own.

        Args:
            name: None goes back to the scenario of the start.
        """
        self._control.switch(None, name)

    def exchanges(self, limit: int = 100) -> list[Exchange]:
        """The last requests of all accounts, newest first."""
        return self._control.exchanges(None, limit)

    def har(self) -> Json:
        """The last exchanges as a HAR file, without credentials."""
        return dict(self._control.ask("GET", "/exchanges.har"))

    def reset(self) -> None:
        """Go back to the fixtures: their accounts alone, no tasks, real time, the scenario of the start."""
        self._control.ask("POST", "/reset")

    def export_state(self) -> Json:
        """Everything that the mock knows but for the exchanges, as plain JSON."""
        return dict(self._control.ask("GET", "/state"))

    def import_state(self, state: Mapping[str, Any]) -> None:
        """Put a saved state in place of this one. The clocks are frozen at the moment when it was saved."""
        self._control.ask("PUT", "/state", json=dict(state))


class Account:
    """An account of a mock.

    Attributes:
        name: identifies it.
        credentials: for each security scheme of the contract the secret that opens the account.
        clock: its time; that of all, until it is changed here.
    """

    def __init__(self, control: Asking, shown: Json) -> None:
        self._control = control
        self.name: str = shown["name"]
        self.credentials: Mapping[str, str] = dict(shown["credentials"])
        self.clock = Clock(control, self.name)

    def __repr__(self) -> str:
        return f"Account({self.name!r})"

    @cached_property
    def key(self) -> str:
        """Its bearer key: the one of its credentials that a client presents as `Authorization: Bearer`.

        Raises:
            MockServerError: if it has none; then use `credentials`.
        """
        for secret in self.credentials.values():
            if self._control.opens(secret) == self.name:
                return secret
        raise MockServerError(f"no bearer key opens the account {self.name!r}; it has {', '.join(self.credentials)}")

    @property
    def headers(self) -> dict[str, str]:
        """The headers with which a request is this account's."""
        return bearer(self.key)

    @property
    def balance(self) -> int:
        """Its credits."""
        return int(self._control.ask("GET", self._path)["balance"])

    def ledger(self, limit: int = 1000) -> Ledger:
        """What moved its credits, oldest first; of many entries the newest."""
        shown = self._control.ask("GET", f"{self._path}/ledger", limit=limit)
        entries = (
            Entry(entry["kind"], entry["amount"], entry["balance"], moment(entry["at"]), entry["task"])
            for entry in shown["entries"]
        )
        return Ledger(shown["opening"], shown["balance"], tuple(entries))

    def top_up(self, credits: int) -> None:
        """Add credits."""
        self._control.ask("POST", f"{self._path}/credits", json={"credits": credits})

    def tasks(self) -> list[Task]:
        """Its tasks, newest first."""
        shown = self._control.pages("/tasks", "tasks", account=self.name)
        return [Task(self._control, task["id"]) for task in shown]

    def scenario(self, name: str | None) -> None:
        """Switch its scenario, and nobody else's.

        Args:
            name: None follows the scenario of all again.
        """
        self._control.switch(self.name, name)

    def exchanges(self, limit: int = 100) -> list[Exchange]:
        """Its last requests, newest first."""
        return self._control.exchanges(self.name, limit)

    def reset(self) -> None:
        """Go back to its opening balance, without tasks, with the clock and the scenario of all."""
        self._control.ask("POST", "/reset", account=self.name)

    def delete(self) -> None:
        """Delete the account, its ledger and its tasks."""
        self._control.ask("DELETE", self._path)

    @property
    def _path(self) -> str:
        return f"/accounts/{quote(self.name, safe='')}"


class Clock:
    """The time of an account, or of all. Each change gives the moment that it is then."""

    def __init__(self, control: Asking, account: str | None) -> None:
        self._control = control
        self._account = account

    @property
    def now(self) -> datetime:
        """The moment, in UTC."""
        return self._ask("GET", "/clock")

    def freeze(self) -> datetime:
        """Let the time stand still, until it is advanced, or given a speed again."""
        return self.speed(0)

    def advance(self, seconds: float | timedelta) -> datetime:
        """Let time pass at once. What is due by then has happened; a frozen clock stays frozen."""
        passed = seconds.total_seconds() if isinstance(seconds, timedelta) else seconds
        return self._ask("POST", "/clock/advance", {"seconds": passed})

    def speed(self, factor: float) -> datetime:
        """Let time pass so many times as fast as it does."""
        return self._ask("PUT", "/clock", {"speed": factor})

    def real(self) -> datetime:
        """Go back to the machine's time; an account to the clock of all."""
        return self._ask("PUT", "/clock", {"real": True})

    def _ask(self, method: str, path: str, body: Json | None = None) -> datetime:
        return moment(self._control.ask(method, path, json=body, account=self._account)["now"])


class Task:
    """A task of a mock.

    Attributes:
        id: identifies it, in the API too.
    """

    def __init__(self, control: Asking, id: str) -> None:
        self._control = control
        self.id = id

    def __repr__(self) -> str:
        return f"Task({self.id!r})"

    @property
    def account(self) -> str:
        """The name of the account that submitted it."""
        return str(self._shown["account"])

    @property
    def state(self) -> str:
        """The contract's name of the state that it is in."""
        return str(self._shown["state"])

    @property
    def held(self) -> bool:
        """Whether it waits for somebody to end it."""
        return bool(self._shown["held"])

    @property
    def seconds_left(self) -> float | None:
        """How long until it ends by itself; None if it has ended, or is held."""
        seconds: float | None = self._shown["secondsLeft"]
        return seconds

    @property
    def credits(self) -> int:
        """What was debited for it."""
        return int(self._shown["credits"])

    @property
    def snapshot(self) -> Json:
        """What the API shows of it to its owner."""
        return dict(self._shown["snapshot"])

    def complete(self) -> None:
        """Complete it now.

        Raises:
            MockServerError: if it has ended, with the status 409.
        """
        self._do("complete")

    def fail(self, code: str | None = None, message: str | None = None) -> None:
        """Fail it now. Its credits come back at once.

        Args:
            code: by default the contract's first.
            message: by default the one that belongs to the code.

        Raises:
            MockServerError: if it has ended, with the status 409.
        """
        said = {"errorCode": code, "errorMessage": message}
        self._do("fail", {name: text for name, text in said.items() if text is not None})

    def hold(self) -> None:
        """Keep it at work until it is completed or failed.

        Raises:
            MockServerError: if it has ended, with the status 409.
        """
        self._do("hold")

    @property
    def _shown(self) -> Json:
        return dict(self._control.ask("GET", self._path))

    @property
    def _path(self) -> str:
        return f"/tasks/{quote(self.id, safe='')}"

    def _do(self, what: str, body: Json | None = None) -> None:
        self._control.ask("POST", f"{self._path}/{what}", json=body)
