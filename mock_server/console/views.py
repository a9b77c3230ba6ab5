"""What the console shows, as plain data for its templates."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final
from urllib.parse import urlencode

from contract.model import Carries, Contract
from mock_server.console.chart import ledger_chart
from mock_server.control import Control, ControlError, Json
from mock_server.store import Journal
from mock_server.urls import CONSOLE, EVENTS, PICTURES

TASKS_PAGE: Final = 50
ACCOUNTS_PAGE: Final = 20
EXCHANGES_PAGE: Final = 50
LEDGER_PAGE: Final = 50
_LONGEST_TEXT: Final = 300


@dataclass(frozen=True)
class View:
    """What somebody looks at.

    Attributes:
        account: only this one.
        after: where the page of tasks before ended.
        accounts: where the page of accounts before ended.
        exchange: the one that is inspected.
    """

    account: str | None = None
    after: str | None = None
    accounts: str | None = None
    exchange: str | None = None

    @classmethod
    def of(cls, query: Mapping[str, str]) -> View:
        """What a query asks to see."""
        said = (query.get(name) for name in ("account", "after", "accounts", "exchange"))
        return cls(*(text.replace("\0", "\ufffd") or None if text else None for text in said))

    def path(self, path: str = "", **changes: str | None) -> str:
        """A path of the console from here, with the same things in view but for the changes."""
        said = {name: value for name, value in vars(replace(self, **changes)).items() if value}
        return f"{CONSOLE}{path}" + (f"?{urlencode(said)}" if said else "")


class Views:
    """Makes views of a mock."""

    def __init__(self, contract: Contract, control: Control, journal: Journal) -> None:
        self._control = control
        self._journal = journal
        self._lifecycle = contract.lifecycle
        submissions = [submission for _, submission in contract.submissions()]
        self._selectors = {submission.selector for submission in submissions}
        self._results = {submission.result.field for submission in submissions}

    def page(self, view: View) -> Json:
        """All that the page shows.

        Raises:
            ControlError: if there is no such account.
        """
        seen = self.fingerprint(view)
        tasks = self._control.list_tasks(view.account, view.after, TASKS_PAGE)
        said = {"account": view.account, "after": view.after, "seen": seen}
        return {
            "view": view,
            "about": self._control.about(),
            "events": f"{EVENTS}?{urlencode({name: value for name, value in said.items() if value})}",
            "clock": self._control.get_clock(view.account),
            "scenarios": self._control.list_scenarios(),
            "error_codes": self._lifecycle.error_codes,
            "tasks": [self._task(task) for task in tasks["tasks"]],
            "older_tasks": tasks["next"],
            "exchanges": self._exchanges_of(view),
            "inspected": self._inspected(view),
            **(self._account(view.account) if view.account else self._accounts(view)),
        }

    def fingerprint(self, view: View) -> str:
        """A short text that changes when there is something else to see."""
        try:
            tasks = self._control.list_tasks(view.account, view.after, TASKS_PAGE)["tasks"]
        except ControlError:
            tasks = []
        seen = [
            self._journal.marker(),
            self._control.problem,
            [(task["id"], task["state"], task["held"], _whole(task["secondsLeft"])) for task in tasks],
        ]
        return hashlib.sha256(json.dumps(seen).encode()).hexdigest()[:16]

    def _accounts(self, view: View) -> Json:
        page = self._control.list_accounts(view.accounts or "", ACCOUNTS_PAGE)
        return {"accounts": page["accounts"], "more_accounts": page["next"]}

    def _account(self, name: str) -> Json:
        account = self._control.get_account(name)
        ledger = self._control.get_ledger(name, LEDGER_PAGE)
        return {"account": account, "ledger": ledger, "chart": ledger_chart(ledger)}

    def _task(self, task: Json) -> Json:
        snapshot, fields = task["snapshot"], self._lifecycle.fields
        carries = self._lifecycle.states[task["state"]].carries
        echoes = self._lifecycle.echoes
        text = "\n".join(str(snapshot[name]) for name in echoes if name not in self._selectors)
        return {
            **task,
            "title": " ".join(str(snapshot[name]) for name in echoes if name in self._selectors),
            "text": text if len(text) <= _LONGEST_TEXT else f"{text[:_LONGEST_TEXT]}…",
            "tone": {Carries.RESULT: "good", Carries.ERROR: "bad", None: "held" if task["held"] else "busy"}[carries],
            "left": duration(task["secondsLeft"]),
            "created": snapshot[fields.created],
            "refunded": snapshot[fields.refunded],
            "error_code": snapshot.get(fields.error_code),
            "error_message": snapshot.get(fields.error_message),
            "picture": self._picture(snapshot),
        }

    def _picture(self, snapshot: Json) -> str | None:
        """The path of a task's picture: without its host, which may be another one than the console's."""
        for field in self._results & snapshot.keys():
            result = snapshot[field]
            url = result if isinstance(result, str) else result[0]
            return f"{PICTURES}/{url.rpartition('/')[2]}"
        return None

    def _exchanges_of(self, view: View) -> list[Json]:
        shown = self._control.list_exchanges(view.account, EXCHANGES_PAGE)["exchanges"]
        return [{**exchange, "tone": _tone(exchange["response"]["status"])} for exchange in shown]

    def _inspected(self, view: View) -> Json | None:
        if view.exchange is None:
            return None
        try:
            exchange = self._control.get_exchange(str(int(view.exchange)))
        except (ValueError, ControlError):
            return {"id": view.exchange, "gone": True}
        asked, answered = exchange["request"], exchange["response"]
        return {
            **exchange,
            "tone": _tone(answered["status"]),
            "request": {**asked, "body": _indented(asked["body"])},
            "response": {**answered, "body": _indented(answered["body"])},
        }


def duration(seconds: float | None) -> str | None:
    """A time in words, rounded up to whole seconds."""
    whole = _whole(seconds)
    if whole is None:
        return None
    minutes, rest = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    parts = [(hours, "h"), (minutes, "min"), (rest, "s")]
    return " ".join(f"{number} {unit}" for number, unit in parts if number) or "0 s"


def _whole(seconds: float | None) -> int | None:
    return None if seconds is None else math.ceil(seconds)


def _tone(status: int) -> str:
    return "bad" if not status or status >= 500 else "warn" if status >= 400 else "good"  # noqa: PLR2004 - HTTP's classes


def _indented(body: str) -> str:
    """A body as people read it."""
    try:
        parsed: Any = json.loads(body)
    except (ValueError, RecursionError):
        return body
    return json.dumps(parsed, ensure_ascii=False, indent=2)
