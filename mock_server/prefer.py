"""What a client asks for with the header `Prefer` (RFC 7240): a certain answer, a delay, a scenario.

    Prefer: code=402            the documented answer with this status, by its example
    Prefer: example=failed      the documented example of this name
    Prefer: delay=1500          the answer comes so many milliseconds later
    Prefer: scenario=NAME       this request is played by that scenario

`code` and `example` are Prism's; such an answer changes nothing and looks at nothing, not even at credentials. Other
preferences are for others, and left alone as the RFC says.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from contract.model import Operation
from contract.reader import JSON
from mock_server.answers import Answer
from mock_server.scenarios import LONGEST_DELAY, Scenario

_PREFERENCE = re.compile(r"""\s*([A-Za-z-]+)\s*(?:=\s*(?:"([^"]*)"|([^,;"\s]*)))?\s*(?:;[^,]*)?(?:,|$)""")

_LONGEST = 500
"""Characters of the header that are read: far more than there is to say, and soon done."""


class PreferenceError(ValueError):
    """A preference that cannot be met; the message lists what there is."""


@dataclass(frozen=True)
class Preferences:
    """What a request asks for.

    Attributes:
        code: the status of the documented answer that is to be given.
        example: the name of the documented example that is to be given.
        delay: how much later the answer is to come, in seconds.
        scenario: the name of the scenario to play.
    """

    code: str | None = None
    example: str | None = None
    delay: float = 0
    scenario: str | None = None

    @property
    def forced(self) -> bool:
        """Whether a certain answer is asked for."""
        return self.code is not None or self.example is not None


def read_preferences(header: str, scenarios: Mapping[str, Scenario]) -> Preferences:
    """Read the header.

    Raises:
        PreferenceError: for a header that is too long, a delay that is none, a scenario that there is not.
    """
    if len(header) > _LONGEST:
        raise PreferenceError(f"Prefer: more than {_LONGEST} characters are too many")
    said: dict[str, str] = {}
    for match in _PREFERENCE.finditer(header):
        said.setdefault(match[1].lower(), match[2] or match[3] or "")  # of several the first counts, as the RFC says
    scenario = said.get("scenario")
    if scenario is not None and scenario not in scenarios:
        raise PreferenceError(f"Prefer: there is no scenario {scenario!r}; there are {', '.join(scenarios)}")
    return Preferences(said.get("code"), said.get("example"), _delay(said.get("delay", "0")), scenario)


def _delay(text: str) -> float:
    most = LONGEST_DELAY * 1000
    if not re.fullmatch("[0-9]{1,9}", text) or int(text) > most:
        raise PreferenceError(f"Prefer: delay={text} is no number of milliseconds from 0 to {most:,}")
    return int(text) / 1000


def forced_answer(operation: Operation, preferences: Preferences) -> Answer:
    """The documented answer that is asked for.

    Raises:
        PreferenceError: if the contract documents none such.
    """
    code, name = preferences.code, preferences.example
    documented = [(status, key, body) for status, key, body in _examples(operation) if status.isdecimal()]
    found = [(status, body) for status, key, body in documented if code in (None, status) and name in (None, key)]
    if found:
        status, body = found[0]
        return Answer(int(status), body)
    if code is not None and code not in operation.responses:
        raise PreferenceError(f"Prefer: no answer {code!r} is documented; there are {', '.join(operation.responses)}")
    there_are = ", ".join(f"{key} ({status})" for status, key, _ in documented if code in (None, status)) or "none"
    wanted = "of this answer" if name is None else repr(name)
    raise PreferenceError(f"Prefer: no example {wanted} is documented; there are {there_are}")


def _examples(operation: Operation) -> Iterator[tuple[str, str, Any]]:
    """Each documented example of an operation: status, name and body."""
    for status, response in operation.responses.items():
        alone = response.get("content", JSON, "example")
        if alone is not None:
            yield status, "example", alone.value
        for example in response.children("content", JSON, "examples"):
            yield status, example.name, example.need("value").value
