"""Scenarios: how the mock plays, by a name that a test, a console or a single request can ask for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

import jsonschema_rs

from contract.document import Node
from contract.model import Contract, When
from mock_server.fixture import load_fixture
from mock_server.plan import ANY_TASKS, LONGEST_SECONDS, Tasks

LONGEST_DELAY: Final = 600
"""The longest that an answer can be delayed, in seconds; clients give up long before."""


class Transfer(StrEnum):
    """How an answer gets lost on its way."""

    HANG_UP = "hangUp"
    CUT = "cut"
    TRICKLE = "trickle"


@dataclass(frozen=True)
class Manner:
    """What happens to requests of one kind.

    Attributes:
        error: the documented error that is answered in place of doing anything.
        delay: how long the answer takes, in seconds.
        transfer: how the answer gets lost.
    """

    error: When | None = None
    delay: float = 0
    transfer: Transfer | None = None


PLAINLY: Final = Manner()


@dataclass(frozen=True)
class Scenario:
    """How the mock plays."""

    name: str
    title: str
    tasks: Tasks = ANY_TASKS
    submissions: Manner = PLAINLY
    reads: Manner = PLAINLY


@dataclass(frozen=True)
class Scenarios:
    """All that there are, by name, and the one of the start."""

    known: Mapping[str, Scenario]
    start: str

    def named(self, name: str | None) -> Scenario:
        """A scenario; the one of the start for None, and for one that the file has no more."""
        return self.known.get(name or self.start, self.known[self.start])


_MANNER: Final = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "error": {"enum": [when.value for when in When if when is not When.UNAUTHENTICATED]},
        "delaySeconds": {"type": "number", "minimum": 0, "maximum": LONGEST_DELAY},
        "transfer": {"enum": [transfer.value for transfer in Transfer]},
    },
}

_SCHEMA: Final = jsonschema_rs.Draft4Validator(
    {
        "type": "object",
        "required": ["default", "scenarios"],
        "additionalProperties": False,
        "properties": {
            "default": {"type": "string"},
            "scenarios": {
                "type": "object",
                "minProperties": 1,
                "additionalProperties": {
                    "type": "object",
                    "additionalProperties": False,
                    "properties": {
                        "title": {"type": "string", "minLength": 1},
                        "tasks": {
                            "type": "object",
                            "additionalProperties": False,
                            "properties": {
                                "seconds": {"type": "number", "minimum": 0, "maximum": LONGEST_SECONDS},
                                "failureRate": {"type": "number", "minimum": 0, "maximum": 1},
                                "errorCode": {"type": "string", "minLength": 1, "maxLength": 200},
                            },
                        },
                        "submissions": _MANNER,
                        "reads": _MANNER,
                    },
                },
            },
        },
    }
)


def load_scenarios(path: Path, contract: Contract, start: str | None = None) -> Scenarios:
    """Read the scenarios' file.

    Args:
        contract: says which errors its operations document.
        start: the scenario that is on at the start; None takes the file's default.

    Raises:
        ContractError: if the file is malformed, or names a scenario or an error that there is not.
    """
    root = load_fixture(path, _SCHEMA)
    known = {name: _scenario(name, node, contract) for name, node in root.need("scenarios").items()}
    chosen = start or root.need("default").value
    if chosen not in known:
        place, why = ("scenarios", ", which the start asks for") if start else ("default", "")
        raise root.need(place).error(f"there is no scenario {chosen!r}{why}", f"one of {', '.join(known)}")
    return Scenarios(known, chosen)


def _scenario(name: str, node: Node, contract: Contract) -> Scenario:
    tasks = node.value.get("tasks", {})
    submitting = [operation.errors for operation, _ in contract.submissions()]
    reading = [operation.errors for operation, _ in contract.readings()]
    return Scenario(
        name=name,
        title=node.value.get("title", name),
        tasks=Tasks(tasks.get("seconds"), tasks.get("failureRate"), tasks.get("errorCode")),
        submissions=_manner(node.get("submissions"), submitting),
        reads=_manner(node.get("reads"), reading),
    )


def _manner(node: Node | None, documented: Sequence[Mapping[When, object]]) -> Manner:
    if node is None:
        return PLAINLY
    said = node.value
    error = When(said["error"]) if "error" in said else None
    if error and not all(error in errors for errors in documented):
        possible = [when.value for when in When if all(when in errors for errors in documented)]
        raise node.need("error").error(
            f"these operations document no error {error.value!r}", f"one of {', '.join(possible)}"
        )
    transfer = Transfer(said["transfer"]) if "transfer" in said else None
    return Manner(error, said.get("delaySeconds", 0), transfer)
