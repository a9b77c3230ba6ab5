"""What goes over the wire: requests, answers, and the pair of both."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

JSON = "application/json"
LONGEST_KEPT = 8192
_PRINTABLE = range(32, 127)


@dataclass(frozen=True)
class Request:
    """A request to send.

    Attributes:
        method, path: of the request line; the path is encoded already.
        headers: all but those that HTTP itself needs.
        body: None for a request without one.
        operation: the ID of the operation it is meant for, or None for none that is documented.
    """

    method: str
    path: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    operation: str | None = None

    def json(self) -> Any:
        """The body as JSON, or None if it is none."""
        return _parse(self.body or b"")

    def curl(self, target: str) -> str:
        """A command line that sends the request again; `$'...'` where the body is not printable."""
        words = ["curl", "-X", self.method, target.rstrip("/") + self.path]
        for name, value in self.headers.items():
            words += ["-H", f"{name}: {value}"]
        line = shlex.join(words)
        if self.body is None:
            return line
        text = self.body.decode("utf-8", "backslashreplace")
        if self.body.isascii() and text.isprintable():
            return f"{line} -d {shlex.quote(text)}"
        quoted = "".join(chr(b) if b in _PRINTABLE and chr(b) not in "'\\" else f"\\x{b:02x}" for b in self.body)
        return f"{line} --data-binary $'{quoted}'"


@dataclass(frozen=True)
class Answer:
    """A complete answer."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def content_type(self) -> str:
        """The media type without its parameters, in lower case."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    def json(self) -> Any:
        """The body as JSON, or None if it is none."""
        return _parse(self.body)


@dataclass(frozen=True)
class NoAnswer:
    """Why there was no complete answer."""

    reason: str


@dataclass(frozen=True)
class Exchange:
    """A request and what came back.

    Attributes:
        started: when it was sent, in seconds since 1970.
        seconds: how long the answer took.
    """

    request: Request
    answer: Answer | NoAnswer
    started: float
    seconds: float

    @property
    def status(self) -> int | None:
        """The answer's status, or None if there was no answer."""
        return self.answer.status if isinstance(self.answer, Answer) else None

    def json(self) -> Any:
        """The answer's body as JSON, or None if it is none."""
        return self.answer.json() if isinstance(self.answer, Answer) else None

    def came(self) -> str:
        """What came back: status and text, as far as anybody would read it."""
        if isinstance(self.answer, NoAnswer):
            return self.answer.reason
        text = self.answer.body.decode("utf-8", "backslashreplace")
        return f"{self.answer.status} {text[:LONGEST_KEPT]}"


def _parse(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None
