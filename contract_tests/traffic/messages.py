"""Reads requests and answers off two streams of bytes, without a say in what becomes of the bytes.

h11 reads one message at a time; what it leaves over begins the next. What is too long is read, and not kept.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from enum import Enum, auto
from http import HTTPStatus
from typing import NamedTuple

import h11

LONGEST_HEAD = 256 * 1024
LONGEST_BODY = 1024 * 1024


class UnreadableError(Exception):
    """The bytes are no HTTP that can be read; the message says why."""


@dataclass
class Message:
    """A request or an answer.

    Attributes:
        method: of a request; empty for an answer.
        target: of a request.
        origin: of a request whose server is not the one that is watched, but one of several.
        status: of an answer.
        size: of the body, in bytes; `body` is empty if that is too long to be kept.
        began: when its first byte came.
        switches: whether what follows is no HTTP any more.
        unfinished: whether its end has not come yet.
    """

    headers: list[tuple[str, str]]
    began: float
    method: str = ""
    target: str = ""
    origin: str = ""
    status: int = 0
    body: bytearray = field(default_factory=bytearray)
    size: int = 0
    switches: bool = False
    unfinished: bool = False

    @property
    def interim(self) -> bool:
        """Whether another answer follows, to the same request."""
        return bool(self.status) and self.status < HTTPStatus.OK and not self.switches

    @property
    def whole(self) -> bool:
        """Whether the body is kept."""
        return self.size == len(self.body)

    def add(self, data: bytes) -> None:
        """Take in a part of the body."""
        self.size += len(data)
        if self.size <= LONGEST_BODY:
            self.body += data
        else:
            self.body.clear()

    def without_body(self) -> Message:
        """It as it was when its body had not come; what comes of that later changes nothing here."""
        return replace(self, body=bytearray(), size=0)


class Ends(Enum):
    """What ends with some bytes; or that nobody knows, because they were not read."""

    NOTHING = auto()
    HEAD = auto()
    MESSAGE = auto()
    UNREAD = auto()


class Part(NamedTuple):
    """Bytes of a stream, and what ends with them.

    Attributes:
        message: the message whose head or end this is; an interim answer is one, too.
    """

    data: bytes
    ends: Ends = Ends.NOTHING
    message: Message | None = None


class Reader:
    """Reads the messages of one direction of a connection."""

    def __init__(self, *, answers: bool) -> None:
        self._answers = answers
        self._connection = self._new(b"GET", upgrade=False)
        self._message: Message | None = None

    def expect(self, request: Message) -> None:
        """Say which request the next answer is to; only between two answers."""
        upgrade = any(name.lower() == "upgrade" for name, _ in request.headers)
        self._connection = self._new(request.method.encode("latin-1"), upgrade=upgrade)

    @property
    def begun(self) -> bool:
        """Whether the head of a message has been read, and its end has not."""
        return self._message is not None

    def feed(self, data: bytes, now: float) -> Iterator[Part]:
        """Take in bytes; gives them back in parts, cut where something ends.

        After each final answer, `expect` must be called before the next part is asked for.

        Raises:
            UnreadableError: if the bytes are no HTTP.
        """
        left = data
        self._receive(left)
        while True:
            ends, message = self._next(now)
            if message is None:
                if left:
                    yield Part(left)
                return
            rest = self._connection.trailing_data[0]
            finished = ends is Ends.MESSAGE and not message.interim
            if finished:
                self._connection = self._new(b"GET", upgrade=False)
            yield Part(left[: len(left) - len(rest)], ends, message)
            left = rest
            if message.switches:
                if left:
                    yield Part(left)
                return
            if finished:
                if not left:
                    return
                self._receive(left)

    def end(self) -> Message | None:
        """The stream has ended: gives the message that this ends, if it is a whole one.

        Raises:
            UnreadableError: if it ends in the midst of a message.
        """
        if self._message is None:
            return None
        self._receive(b"")
        return self._next(0.0)[1]

    def _receive(self, data: bytes) -> None:
        try:
            self._connection.receive_data(data)
        except h11.RemoteProtocolError as error:
            raise UnreadableError(str(error)) from error

    def _next(self, now: float) -> tuple[Ends, Message | None]:
        """What ends next in the bytes that were received, if anything does."""
        try:
            while True:
                event = self._connection.next_event()
                if isinstance(event, h11.Request):
                    method, target = event.method.decode("latin-1"), event.target.decode("latin-1")
                    self._message = Message(_text(event), now, method=method, target=target, unfinished=True)
                    return Ends.HEAD, self._message
                if isinstance(event, h11.InformationalResponse):
                    switches = event.status_code == HTTPStatus.SWITCHING_PROTOCOLS
                    return Ends.MESSAGE, Message(_text(event), now, status=event.status_code, switches=switches)
                if isinstance(event, h11.Response):
                    self._message = Message(_text(event), now, status=event.status_code, unfinished=True)
                    return Ends.HEAD, self._message
                if isinstance(event, h11.Data) and self._message is not None:
                    self._message.add(bytes(event.data))
                elif isinstance(event, h11.EndOfMessage) and self._message is not None:
                    message, self._message = self._message, None
                    message.unfinished = False
                    return Ends.MESSAGE, message
                elif event is h11.PAUSED:
                    return Ends.MESSAGE, Message([], now, switches=True)
                else:
                    return Ends.NOTHING, None
        except h11.RemoteProtocolError as error:
            raise UnreadableError(str(error)) from error

    def _new(self, method: bytes, *, upgrade: bool) -> h11.Connection:
        if not self._answers:
            return h11.Connection(h11.SERVER, max_incomplete_event_size=LONGEST_HEAD)
        connection = h11.Connection(h11.CLIENT, max_incomplete_event_size=LONGEST_HEAD)
        headers = [("host", "x"), *([("connection", "upgrade"), ("upgrade", "x")] if upgrade else [])]
        connection.send(h11.Request(method=method, target="/", headers=headers))
        connection.send(h11.EndOfMessage())
        return connection


def _text(event: h11.Request | h11.Response | h11.InformationalResponse) -> list[tuple[str, str]]:
    return [(name.decode("latin-1"), value.decode("latin-1")) for name, value in event.headers.raw_items()]
