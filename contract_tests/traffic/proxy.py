"""Stands between clients and a server: passes bytes on as they are, and looks at what has passed.

Each connection of a client gets one to the server (`link`). What passed is judged in a thread (`judging`). Nothing is
made anew from what was read, so nothing can be altered: only `--host upstream` writes another Host (`hosts`), and
`--enforce` holds answers until they are judged.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from contract_tests.traffic.judging import Judging, Look
from contract_tests.traffic.link import Link
from contract_tests.traffic.upstream import CHUNK, Upstream


class Proxy:
    """A proxy before one server."""

    def __init__(self, upstream: Upstream, look: Look, note: Callable[[str], None], *, enforce: bool = False) -> None:
        """Prepare to serve.

        Args:
            look: judges an exchange; called in one thread, in the order of the answers.
            note: takes in what passed without being looked at; called in the same thread.
            enforce: whether an answer that breaks the contract is replaced.
        """
        self.upstream = upstream
        self._enforce = enforce
        self._judging = Judging(look, note)
        self._links: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None
        self._stopping = False

    @property
    def crashes(self) -> list[str]:
        """Faults of this tool."""
        return self._judging.crashes

    async def start(self, host: str, port: int) -> int:
        """Listen; gives the port.

        Raises:
            OSError: if that is not possible.
        """
        self._server = await asyncio.start_server(self._serve, host, port, limit=CHUNK)
        listening: int = self._server.sockets[0].getsockname()[1]
        return listening

    async def stop(self) -> None:
        """Take no more connections, end those there are, and judge what has passed."""
        self._stopping = True
        if self._server is not None:
            self._server.close()
        for link in self._links:
            link.cancel()
        await asyncio.gather(*self._links, return_exceptions=True)
        await self._judging.end()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is not None:
            self._links.add(task)
            task.add_done_callback(self._links.discard)
        try:
            if not self._stopping:  # it may have been accepted in just this moment
                await Link(self.upstream, self._judging, (reader, writer), enforce=self._enforce).run()
        except (OSError, asyncio.CancelledError):
            pass  # a side has left, or the proxy is told to stop
        except Exception as error:  # noqa: BLE001 - whatever it is, the proxy stands, and the user hears of it
            self._judging.crashed(error)
        writer.transport.abort() if writer.is_closing() else writer.close()
