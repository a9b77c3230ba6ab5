"""How the server speaks HTTP/1.1: uvicorn's protocol, with bounds on what one client may take of it.

A connection may idle, or send a byte a second; it takes a socket and a few KiB. What it cannot do is to send a head
without end, to queue up requests without end, or to keep the server from ending.
"""

from __future__ import annotations

import asyncio
from collections import deque
from http import HTTPStatus
from typing import Any, Final

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from mock_server.transmit import ENDING, HANG_UP

LONGEST_HEAD: Final = 64 * 1024
"""Bytes of the request line and the headers together."""
HEAD_SECONDS: Final = 60.0
"""How long a head may take, from when it was seen to be incomplete."""
MOST_AT_ONCE: Final = 32
"""Requests of a connection that are at work or wait for the one before."""
LINGER_SECONDS: Final = 1.0
"""How long a refused client may take to read why; what it sends meanwhile is thrown away."""
LAST_SECONDS: Final = 3.0
"""How long a client may still take, to send its request or to read its answer, once the server has been told to end."""


class Protocol(HttpToolsProtocol):
    """One connection."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._ending = False
        self._at_work: deque[RequestResponseCycle] = deque()
        self._in_head = False
        self._head_bytes = 0
        self._head_is_due: asyncio.TimerHandle | None = None
        self._problem = HTTPStatus.BAD_REQUEST
        self._has_said_why = False
        self._refusal: tuple[HTTPStatus, str] | None = None

    # ------------------------------------------------------------------ reading

    def data_received(self, data: bytes) -> None:
        """Take in what has come."""
        if self._refusal is not None:
            return
        self._head_bytes += len(data)
        super().data_received(data)
        if not self._in_head:
            self._head_bytes = 0
            if self._head_is_due is not None:
                self._head_is_due.cancel()
                self._head_is_due = None
        elif self._head_bytes > LONGEST_HEAD:
            self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
        elif self._head_is_due is None:
            self._head_is_due = self.loop.call_later(HEAD_SECONDS, self._refuse, HTTPStatus.REQUEST_TIMEOUT)

    def on_message_begin(self) -> None:
        """Begin a request; its scope is made here."""
        super().on_message_begin()
        self._in_head = True
        extensions: dict[str, Any] = {HANG_UP: self._hang_up, ENDING: self._is_ending}
        self.scope["extensions"] = extensions

    def on_headers_complete(self) -> None:
        """Begin to answer, or put into the queue behind another request of the same connection."""
        self._in_head = False
        if len(self.url) + sum([len(name) + len(value) for name, value in self.headers]) > LONGEST_HEAD:
            self._break_off(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
        while self._at_work and self._at_work[0].response_complete:
            self._at_work.popleft()
        if len(self._at_work) >= MOST_AT_ONCE:
            self._break_off(HTTPStatus.TOO_MANY_REQUESTS)
        super().on_headers_complete()
        self._at_work.append(self.cycle)

    def connection_lost(self, exc: Exception | None) -> None:
        """Let every request of the connection know, of which uvicorn tells only the last."""
        super().connection_lost(exc)
        if self._head_is_due is not None:
            self._head_is_due.cancel()
        for cycle in self._at_work:
            cycle.disconnected = cycle.disconnected or not cycle.response_complete
            cycle.message_event.set()

    # ----------------------------------------------------------------- refusing

    def _break_off(self, problem: HTTPStatus) -> None:
        """Stop reading, from within the parser."""
        self._problem = problem
        raise httptools.HttpParserError(problem.phrase)

    def send_400_response(self, msg: str) -> None:
        """Refuse what cannot be read."""
        self._refuse(self._problem, msg if self._problem is HTTPStatus.BAD_REQUEST else None)

    def _refuse(self, status: HTTPStatus, message: str | None = None) -> None:
        """Read nothing more, and say why, once the requests before have been answered."""
        if self._refusal is None:
            self._refusal = status, message or status.phrase
            self.transport.pause_reading()
            self._give_up_half()
            self._close_if_answered()

    def _give_up_half(self) -> None:
        """Leave the request whose body will not come any more."""
        half = self._at_work[-1] if self._at_work else None
        if half is None or not half.more_body or half.response_complete:
            return
        self._at_work.pop()
        self.pipeline = deque(waiting for waiting in self.pipeline if waiting[0] is not half)
        half.disconnected = True
        half.message_event.set()
        if half.response_started:  # what would be said now would be taken for a part of it
            self.transport.close()

    def _close_if_answered(self) -> None:
        if self._refusal is None or any(not cycle.response_complete for cycle in self._at_work):
            return
        status, message = self._refusal
        if not self.transport.is_closing() and not self._has_said_why:
            self._has_said_why = True
            self.transport.write(
                f"HTTP/1.1 {status.value} {status.phrase}\r\ncontent-type: text/plain; charset=utf-8\r\n"
                f"content-length: {len(message)}\r\nconnection: close\r\n\r\n{message}".encode("ascii")
            )
            # to close at once would cut off the answer of a client that is still sending
            self.transport.write_eof()
            self.transport.resume_reading()
            self.loop.call_later(LINGER_SECONDS, self.transport.close)

    def on_response_complete(self) -> None:
        """Go on to what comes after an answer."""
        super().on_response_complete()
        self._close_if_answered()

    # ------------------------------------------------------------------- ending

    def shutdown(self) -> None:
        """Begin to end, at the server's word."""
        self._ending = True
        super().shutdown()
        self.loop.call_later(LAST_SECONDS, self.transport.abort)

    def _is_ending(self) -> bool:
        return self._ending

    def _hang_up(self) -> None:
        self.transport.close()
