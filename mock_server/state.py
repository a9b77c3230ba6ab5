"""The state of a mock as one file: what a bug report carries, and another mock takes over.

The file holds the rows of the database, the clocks frozen at the moment of the export: whoever takes it over sees
exactly what was there, and lets time go on when it suits.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final

import jsonschema_rs

from contract.model import Contract
from contract.pricing import MOST_CREDITS
from mock_server.clock import FASTEST, LATEST, Clock
from mock_server.ledger import EntryKind
from mock_server.snapshot import timestamp
from mock_server.task import HELD

FORMAT: Final = 1

Rows = Mapping[str, Sequence[Mapping[str, Any]]]

_INT: Final = {"type": "integer", "minimum": -MOST_CREDITS, "maximum": MOST_CREDITS}
_MOMENT: Final = {"type": "integer", "minimum": 0, "maximum": HELD}
_TEXT: Final = {"type": "string"}
_CLOCK: Final = {
    "type": "object",
    "required": ["since", "then", "speed"],
    "additionalProperties": False,
    "properties": {
        "since": _MOMENT,
        "then": {**_MOMENT, "maximum": LATEST},
        "speed": {"type": "number", "minimum": 0, "maximum": FASTEST},
    },
}
_MAYBE: Final = {"type": ["string", "null"]}


def _rows(**columns: Mapping[str, Any]) -> dict[str, Any]:
    required = [name for name, column in columns.items() if "default" not in column]
    row = {"type": "object", "required": required, "additionalProperties": False, "properties": columns}
    return {"type": "array", "items": row}


_SCHEMA: Final = jsonschema_rs.Draft7Validator(
    {
        "type": "object",
        "required": ["format", "contract", "savedAt", "clock", "scenario", "accounts", "tasks", "entries"],
        "additionalProperties": False,
        "properties": {
            "format": {"enum": [FORMAT]},
            "contract": _TEXT,
            "savedAt": _TEXT,
            "clock": _CLOCK,
            "scenario": _MAYBE,
            "accounts": _rows(
                name=_TEXT,
                opening={**_INT, "minimum": 0},
                carried={**_INT, "default": 0},
                carried_refunds={**_INT, "default": 0},
                balance={**_INT, "minimum": 0, "maximum": 2 * MOST_CREDITS},
                submissions=_INT,
                clock={"anyOf": [{"type": "null"}, _CLOCK]},
                scenario=_MAYBE,
                credentials={"type": "object", "additionalProperties": {"type": "string", "minLength": 1}},
            ),
            "tasks": _rows(
                id=_TEXT,
                account=_TEXT,
                operation=_TEXT,
                request={"type": "object"},
                credits={**_INT, "minimum": 0},
                created_at={**_MOMENT, "maximum": LATEST},
                base_url=_TEXT,
                outcome=_TEXT,
                ends_at=_MOMENT,
                error={"type": "array", "minItems": 2, "maxItems": 2, "items": _MAYBE},
                sealed={"type": "boolean"},
            ),
            "entries": _rows(
                id=_TEXT,
                task=_MAYBE,
                kind={"enum": ["debit", "refund", "top-up"]},
                account=_TEXT,
                amount=_INT,
                counts_from=_MOMENT,
                settled={"type": "boolean"},
            ),
        },
    }
)


class StateError(ValueError):
    """A state that cannot be taken over; the message says why."""


def state_of(contract: Contract, rows: Rows, machine: int) -> dict[str, Any]:
    """The rows of a database as a state.

    Args:
        machine: the machine's time, in microseconds since 1970; the clocks are frozen at it.
    """
    settings = {row["name"]: row["value"] for row in rows["settings"]}
    secrets: dict[str, dict[str, str]] = {}
    for row in rows["credentials"]:
        secrets.setdefault(row["account"], {})[row["scheme"]] = row["secret"]
    return {
        "format": FORMAT,
        "contract": f"{contract.title} {contract.version}",
        "savedAt": timestamp(machine),
        "clock": _frozen(settings["clock"], machine),
        "scenario": settings.get("scenario"),
        "accounts": [
            {
                **{name: value for name, value in row.items() if name != "own_clock"},
                "clock": _frozen(row["clock"], machine) if row["own_clock"] else None,
                "credentials": secrets.get(row["name"], {}),
            }
            for row in rows["accounts"]
        ],
        "tasks": [
            {**row, "request": json.loads(row["request"]), "error": json.loads(row["error"])} for row in rows["tasks"]
        ],
        "entries": [dict(row) for row in rows["entries"]],
    }


def _frozen(clock: str, machine: int) -> dict[str, Any]:
    return Clock.from_json(json.loads(clock)).paced(machine, 0).to_json()


def read_state(contract: Contract, state: Any) -> Rows:
    """The rows of a state.

    Raises:
        StateError: if it has not the form of one, or its parts do not fit together.
    """
    for error in _SCHEMA.iter_errors(state):
        place = "/".join(map(str, error.instance_path))
        raise StateError(f"{place}: {error.message}"[:500] if place else error.message[:500])
    _check_values("", state)
    _check(contract, state)
    settings = [{"name": "clock", "value": json.dumps(state["clock"])}]
    if state["scenario"] is not None:
        settings.append({"name": "scenario", "value": state["scenario"]})
    accounts, keys = [], []
    for account in state["accounts"]:
        own = account["clock"] is not None
        clock = json.dumps(account["clock"] if own else state["clock"])
        row = {name: value for name, value in account.items() if name != "credentials"}
        accounts.append({"carried": 0, "carried_refunds": 0, **row, "clock": clock, "own_clock": own})
        keys += [{"scheme": s, "secret": key, "account": account["name"]} for s, key in account["credentials"].items()]
    return {
        "settings": settings,
        "accounts": accounts,
        "credentials": keys,
        "tasks": [
            {**task, "request": json.dumps(task["request"]), "error": json.dumps(task["error"])}
            for task in state["tasks"]
        ],
        "entries": state["entries"],
    }


def _check_values(place: str, value: Any) -> None:
    """Make sure that every moment and every amount is a whole number, and every text one that a database takes.

    Raises:
        StateError: if not. To JSON Schema 1.0 is an integer, too.
    """
    if isinstance(value, dict):
        for name, item in value.items():
            _check_values(f"{place}/{name}", item)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            _check_values(f"{place}/{index}", item)
    elif isinstance(value, float) and not math.isfinite(value):
        raise StateError(f"{place[1:]}: {value} is no number that JSON has")
    elif isinstance(value, float) and "/request/" not in place and not place.endswith("/speed"):
        raise StateError(f"{place[1:]}: {value} is not a whole number")
    elif isinstance(value, str) and "\0" in value and "/error/" not in place and "/request/" not in place:
        raise StateError(f"{place[1:]}: it holds a NUL character")


def _check(contract: Contract, state: Any) -> None:
    """Make sure that names are unique, that what is named is there, and that every balance is the sum of its entries.

    Raises:
        StateError: if not.
    """
    names = _unique("account", [account["name"] for account in state["accounts"]])
    tasks = _unique("task", [task["id"] for task in state["tasks"]])
    _unique("entry", [entry["id"] for entry in state["entries"]])
    _unique(
        "credentials",
        [f"{scheme} {secret}" for account in state["accounts"] for scheme, secret in account["credentials"].items()],
        shown=False,
    )
    for kind, rows in (("task", state["tasks"]), ("entry", state["entries"])):
        for row in rows:
            if row["account"] not in names:
                raise StateError(f"the {kind} {row['id']!r} is of no account that is there: {row['account']!r}")
    made: dict[str, list[Any]] = {task: [] for task in tasks}
    sums: Counter[str] = Counter()
    for entry in state["entries"]:
        if entry["task"] is not None and entry["task"] not in tasks:
            raise StateError(f"the entry {entry['id']!r} is of no task that is there: {entry['task']!r}")
        made.get(entry["task"], []).append(entry)
        _check_entry(entry)
        sums[entry["account"]] += entry["amount"] if entry["settled"] else 0
    for task in state["tasks"]:
        _check_task(contract, task, made[task["id"]])
    for account in state["accounts"]:
        name, expected = account["name"], account["opening"] + account.get("carried", 0) + sums[account["name"]]
        if account["balance"] != expected:
            raise StateError(f"the balance of {name!r} is {account['balance']}, its entries make {expected}")


def _check_entry(entry: Any) -> None:
    """Make sure that an entry is one of a task, or a top-up, and that it has moved credits unless it is a refund.

    Raises:
        StateError: if not.
    """
    by_hand = entry["kind"] == EntryKind.TOP_UP
    if by_hand is not (entry["task"] is None) or (by_hand and entry["amount"] < 1):
        raise StateError(f"the entry {entry['id']!r} is neither a top-up nor a task's")
    if entry["kind"] != EntryKind.REFUND and not entry["settled"]:
        raise StateError(f"the entry {entry['id']!r} is not settled, and only refunds can be waited for")


def _check_task(contract: Contract, task: Any, entries: Sequence[Any]) -> None:
    """Make sure that a task is one that the contract knows, and that its entries are what it makes.

    Raises:
        StateError: if not.
    """
    lifecycle = contract.lifecycle
    outcome = lifecycle.states.get(task["outcome"])
    if task["sealed"] and task["ends_at"] > LATEST:
        raise StateError(f"the task {task['id']!r} has ended in no year that there is")
    if outcome is None or not outcome.terminal:
        raise StateError(f"the task {task['id']!r} is to end as {task['outcome']!r}, no terminal state of the contract")
    if any(isinstance(value, dict | list) for name, value in task["request"].items() if name in lifecycle.echoes):
        raise StateError(f"the request of the task {task['id']!r} has no values that a snapshot could repeat")
    expected = {(EntryKind.DEBIT.value, -task["credits"], task["account"])}
    if outcome.refund:
        expected.add((EntryKind.REFUND.value, task["credits"], task["account"]))
    found = [(entry["kind"], entry["amount"], entry["account"]) for entry in entries]
    if sorted(found) != sorted(expected):
        raise StateError(f"the entries of the task {task['id']!r} are not what it makes: {sorted(expected)}")


def _unique(what: str, values: Sequence[str], *, shown: bool = True) -> set[str]:
    counted = Counter(values)
    twice = next((value for value, count in counted.items() if count > 1), None)
    if twice is not None:
        raise StateError(f"two of the same {what}" + (f": {twice!r}" if shown else ""))
    return set(counted)
