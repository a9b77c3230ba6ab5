"""The server of one of several processes: its parent accepts the connections, and gives it some of them."""

from __future__ import annotations

import asyncio
import logging
import socket
from typing import Final

import uvicorn

from mock_server.workers import say_ready, take

_TURNS: Final = 3
"""Of the event loop, in which it reads what has come on the connections that have just been taken: uvicorn hangs up on
those that have asked for nothing."""


class Server(uvicorn.Server):
    """uvicorn's, but its connections come through a door."""

    def __init__(self, config: uvicorn.Config, door: socket.socket) -> None:
        super().__init__(config)
        self._door = door
        self._opening: set[asyncio.Task[None]] = set()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:  # noqa: ARG002 - as uvicorn has it
        """Begin to serve."""
        await self.lifespan.startup()
        self.servers = []
        self._door.settimeout(0)
        asyncio.get_running_loop().add_reader(self._door, self._take)
        say_ready(self._door)
        self.started = True

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Take no more connections, and end those that are there."""
        asyncio.get_running_loop().remove_reader(self._door)
        self._door.close()  # which tells the parent
        await asyncio.gather(*self._opening)
        for _ in range(_TURNS):
            await asyncio.sleep(0)
        await super().shutdown(sockets)

    def _take(self) -> None:
        """Serve the connections that have been given."""
        loop = asyncio.get_running_loop()
        while True:
            try:
                connection = take(self._door)
            except BlockingIOError:
                return
            except OSError as error:
                logging.getLogger("mock_server").warning("a connection cannot be served: %s", error.strerror)
                continue
            if connection is None:  # the parent is gone, and this process will end for it
                loop.remove_reader(self._door)
                return
            connection.settimeout(0)
            opening = loop.create_task(self._open(connection))
            self._opening.add(opening)
            opening.add_done_callback(self._opening.discard)

    async def _open(self, connection: socket.socket) -> None:
        try:
            await asyncio.get_running_loop().connect_accepted_socket(self._protocol, connection)
        except OSError:  # the client is gone already
            connection.close()

    def _protocol(self) -> asyncio.Protocol:
        made: asyncio.Protocol = self.config.http_protocol_class(  # type: ignore[call-arg]
            config=self.config, server_state=self.server_state, app_state=self.lifespan.state
        )
        return made
