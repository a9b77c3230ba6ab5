"""Writes the server's name into the `Host` of each request, and leaves every other byte as it is."""

from __future__ import annotations

import re
from collections.abc import Iterable

from contract_tests.traffic.messages import Ends, Part

_LINE = re.compile(rb"[^\n]*\n|[^\n]+")
_HOST = re.compile(rb"(?i)(host:[ \t]*)[^\r\n]*")
_NAME = b"host:"


class Hosts:
    """Renames the host in what a client says; the only bytes that it holds back are those of an unfinished `Host`."""

    def __init__(self, authority: str) -> None:
        self._authority = authority.encode()
        self._in_head = True
        self._passing = True  # a request line is no header
        self._line = bytearray()

    def renamed(self, parts: Iterable[Part]) -> bytes:
        """What a client said, as the server is to hear it."""
        out = bytearray()
        for part in parts:
            if part.ends is Ends.UNREAD:
                self._in_head = False
                out += self.rest()
            out += self._head(part.data) if self._in_head else part.data
            if part.ends in (Ends.HEAD, Ends.MESSAGE):
                out += self.rest()
                self._in_head = self._passing = part.ends is Ends.MESSAGE
        return bytes(out)

    def rest(self) -> bytes:
        """What is held back, as it came: nothing more will come to it, or nothing more is understood."""
        line = bytes(self._line)
        self._line.clear()
        return line

    def _head(self, data: bytes) -> bytes:
        out = bytearray()
        for piece in _LINE.findall(data):
            whole = piece.endswith(b"\n")
            if self._passing:
                out += piece
            else:
                self._line += piece
                if whole:
                    out += (
                        _HOST.sub(rb"\g<1>" + self._authority, self.rest(), count=1) if self._named() else self.rest()
                    )
                elif not self._named():
                    out += self.rest()
                    self._passing = True
            if whole:
                self._passing = False
        return bytes(out)

    def _named(self) -> bool:
        """Whether the line is a `Host`, or may become one."""
        begun = bytes(self._line[: len(_NAME)]).lower()
        return _NAME.startswith(begun)
