"""The server that stands behind the proxy, and connections to it."""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import dataclass

CHUNK = 64 * 1024
_CONNECT_SECONDS = 10.0


@dataclass(frozen=True)
class Upstream:
    """The server.

    Attributes:
        url: as the user named it.
        tls: None for plain HTTP.
        rename: whether requests are to name it as their host.
    """

    url: str
    host: str
    port: int
    authority: str
    tls: ssl.SSLContext | None = None
    rename: bool = False

    async def connect(self) -> tuple[Said, asyncio.StreamWriter]:
        """A new connection.

        Raises:
            OSError: if there is none to be had; TimeoutError is one.
        """
        loop = asyncio.get_running_loop()
        said = Said(CHUNK, loop)
        protocol = asyncio.StreamReaderProtocol(said, loop=loop)
        async with asyncio.timeout(_CONNECT_SECONDS):
            transport, _ = await loop.create_connection(lambda: protocol, self.host, self.port, ssl=self.tls)
        return said, asyncio.StreamWriter(transport, protocol, said, loop)


class Said(asyncio.StreamReader):
    """What a server says. If the connection breaks, what came before that is still to be read.

    Attributes:
        broke: why the connection broke, if it did.
    """

    broke: Exception | None = None

    def set_exception(self, exc: Exception) -> None:
        """The connection broke: told at the end of what was said, where the base class tells it at once."""
        self.broke = exc
        self.feed_eof()
