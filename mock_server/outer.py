"""What stands between the server and connexion: the request log, and paths taken apart before they are decoded."""

from __future__ import annotations

import asyncio
import json
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from functools import lru_cache
from typing import IO, Any
from urllib.parse import unquote

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mock_server.store import StoreError

NOTES = "mock_server"
"""The scope's extension in which handlers note what they did, for the log."""
UNUSABLE = "the database cannot be used; the log of the mock says why"
"""What those are told who manage the mock, while the log has what `note_error` adds."""


class Lines:
    """Writes lines to a stream: those that come in one turn of the event loop at once."""

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream
        self._waiting: list[str] = []

    def __call__(self, line: str) -> None:
        """Write a line, before anything else is waited for."""
        if not self._waiting:
            asyncio.get_running_loop().call_soon(self._write)
        self._waiting.append(line)

    def _write(self) -> None:
        lines, self._waiting = self._waiting, []
        with suppress(OSError):  # nobody reads them any more, and nobody else could be told
            self._stream.write("\n".join([*lines, ""]))
            self._stream.flush()


def header(scope: Scope, name: bytes) -> str | None:
    """The first header of a request by this name, in lower case, or None if there is none."""
    for key, value in scope["headers"]:
        if key == name:
            text: str = value.decode("latin-1")
            return text
    return None


def note(scope: Scope, **facts: Any) -> None:
    """Add to the log line of the request. Never pass credentials."""
    scope["extensions"].setdefault(NOTES, {}).update(facts)


def note_error(scope: Scope, error: Exception) -> None:
    """Add why a request cannot be answered: what the database lacks, in a line, or where in the code it happened."""
    if isinstance(error, StoreError):
        note(scope, problem=str(error))
    else:
        note(scope, traceback="".join(traceback.format_exception(error)))


@lru_cache(maxsize=1)
def _second(moment: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(moment))


class Answered:
    """Passes an answer on, and remembers its status, 0 until it begins, and how long ago the request came."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._started = time.perf_counter()
        self.status = 0

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
        await self._send(message)

    @property
    def seconds(self) -> float:
        """Seconds since the request came."""
        return time.perf_counter() - self._started


class RequestLog:
    """Writes one line of JSON for each request: when, what, the answer's status, how long it took.

    Headers, bodies and query strings are left out, so no credentials can be in it.
    """

    def __init__(self, app: ASGIApp, write: Callable[[str], None]) -> None:
        self._app = app
        self._write = write

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        answered = Answered(send)
        extensions = dict(scope.get("extensions") or {})
        try:
            await self._app({**scope, "extensions": extensions}, receive, answered)
        finally:
            self._write(
                json.dumps(
                    {
                        "time": _second(int(time.time())),
                        "method": scope["method"],
                        "path": scope["path"],
                        "status": answered.status,
                        "ms": round(answered.seconds * 1000, 1),
                        **extensions.get(NOTES, {}),
                    }
                )
            )


class EncodedSeparators:
    """Keeps an encoded slash or line break part of its path segment.

    Servers hand on the decoded path, in which `a%2Fb` has become two segments, and the router's patterns end at a line
    break. The contract's parameters are one segment each, whatever is in it, so both stay encoded.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        raw = (scope.get("raw_path") or b"").lower()
        if b"%2f" in raw or b"%0a" in raw:
            segments = scope["raw_path"].decode("latin-1").split("/")
            path = "/".join(unquote(segment).replace("/", "%2F").replace("\n", "%0A") for segment in segments)
            scope = {**scope, "path": path}
        await self._app(scope, receive, send)
