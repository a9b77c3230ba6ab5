"""Reads requests and answers off two streams of bytes, without a say in what becomes of the bytes.

h11 reads one message at a time; what it leaves over begins the next. What is too long is read, and not kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http import HTTPStatus

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
        status: of an answer.
        size: of the body, in bytes; `body` is empty if that is too long to be kept.
        began: when its first byte came.
        switches: whether what follows is no HTTP any more.
    """

    headers: list[tuple[str, str]]
    began: float
    method: str = ""
    target: str = ""
    status: int = 0
    body: bytearray = field(default_factory=bytearray)
    size: int = 0
    switches: bool = False

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


class Reader:
    """Reads the messages of one direction of a connection."""

    def __init__(self, begins: Callable[[Message], object] = lambda _: None, *, answers: bool) -> None:
        """Prepare to read.

        Args:
            begins: called when the head of a message has been read.
        """
        self._answers = answers
        self._begins = begins
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

    def feed(self, data: bytes, now: float) -> Iterator[tuple[bytes, Message | None]]:
        """Take in bytes; gives them back in parts, and with the part that ends a message the message.

        After each message of answers, `expect` must be called before the next part is asked for.

        Raises:
            UnreadableError: if the bytes are no HTTP.
        """
        while True:
            ended = self._read(data, now)
            if ended is None:
                yield data, None
                return
            rest = self._connection.trailing_data[0]
            self._connection = self._new(b"GET", upgrade=False)
            yield data[: len(data) - len(rest)], ended
            if not rest or ended.switches:
                if rest:
                    yield rest, None
                return
            data = rest

    def end(self) -> Message | None:
        """The stream has ended: gives the message that this ends, if it is a whole one.

        Raises:
            UnreadableError: if it ends in the midst of a message.
        """
        return self._read(b"", 0.0) if self._message is not None else None

    def _read(self, data: bytes, now: float) -> Message | None:
        try:
            self._connection.receive_data(data)
            while True:
                event = self._connection.next_event()
                if isinstance(event, h11.Request):
                    self._message = Message(
                        _text(event),
                        now,
                        method=event.method.decode("latin-1"),
                        target=event.target.decode("latin-1"),
                    )
                    self._begins(self._message)
                elif isinstance(event, h11.InformationalResponse):
                    if event.status_code == HTTPStatus.SWITCHING_PROTOCOLS:
                        return Message(_text(event), now, status=event.status_code, switches=True)
                elif isinstance(event, h11.Response):
                    self._message = Message(_text(event), now, status=event.status_code)
                elif isinstance(event, h11.Data) and self._message is not None:
                    self._message.add(bytes(event.data))
                elif isinstance(event, h11.EndOfMessage):
                    message, self._message = self._message, None
                    return message
                elif event is h11.PAUSED:
                    return Message([], now, switches=True)
                else:
                    return None
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
