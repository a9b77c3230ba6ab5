"""How an answer goes over the wire: as it is, late, in drops, in part, or not at all."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from mock_server.scenarios import Transfer

HANG_UP: Final = "mock_server.hang_up"
"""The scope's extension with the function that ends the connection without a word."""
ENDING: Final = "mock_server.ending"
"""The scope's extension with the function that says whether the server shuts down: an answer without end ends then."""

_LOOK_SECONDS: Final = 0.2
"""How long the end of the server may go unnoticed."""
_DROP_BYTES: Final = 16
_DROP_SECONDS: Final = 0.25


async def pause(seconds: float, scope: Scope, receive: Receive) -> bool:
    """Wait before an answer, or between two pieces of one; says whether there is still somebody to answer."""

    async def left() -> None:
        while (await receive())["type"] != "http.disconnect":
            pass

    ending: Callable[[], bool] = scope["extensions"].get(ENDING, lambda: False)
    leaving = asyncio.ensure_future(left())
    try:
        end = asyncio.get_running_loop().time() + seconds
        while not leaving.done() and not ending():
            remaining = end - asyncio.get_running_loop().time()
            if remaining <= 0:
                return True
            await asyncio.wait({leaving}, timeout=min(remaining, _LOOK_SECONDS))
        return False
    finally:
        leaving.cancel()


async def transmit(response: Response, transfer: Transfer | None, scope: Scope, receive: Receive, send: Send) -> None:
    """Send an answer, or what is left of it."""
    body = bytes(response.body)
    if transfer is not Transfer.HANG_UP:
        head = {"type": "http.response.start", "status": response.status_code, "headers": response.raw_headers}
        await send(head)
    if transfer is None:
        await send({"type": "http.response.body", "body": body})
        return
    if transfer is Transfer.TRICKLE:
        for start in range(0, len(body), _DROP_BYTES):
            if not await pause(_DROP_SECONDS, scope, receive):
                break
            await send({"type": "http.response.body", "body": body[start : start + _DROP_BYTES], "more_body": True})
        else:
            await send({"type": "http.response.body", "body": b""})
            return
    if transfer is Transfer.CUT:
        await send({"type": "http.response.body", "body": body[: len(body) // 2], "more_body": True})
    await hang_up(scope, receive)


async def hang_up(scope: Scope, receive: Receive) -> None:
    """End the connection without another word."""
    scope["extensions"][HANG_UP]()
    while (await receive())["type"] != "http.disconnect":  # until the server knows that nobody listens any more
        pass
