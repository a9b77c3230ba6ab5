"""Server-sent events that say when there is something else to see."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Final

from starlette.concurrency import run_in_threadpool

_EVERY_SECONDS: Final = 0.5
_HEARTBEAT: Final = round(15 / _EVERY_SECONDS)
"""After so many rounds without a word a comment is sent, so that nobody on the way takes the connection for dead."""


async def changes(fingerprint: Callable[[], str], seen: str | None, ended: Callable[[], bool]) -> AsyncIterator[str]:
    """An event whenever the fingerprint is another one; ends with the server.

    Args:
        fingerprint: what there is to see now.
        seen: what the page shows already; None for what there is now.
        ended: whether the server shuts down, or what is watched has been replaced.
    """
    if seen is None:
        seen = await run_in_threadpool(fingerprint)
    yield ": hello\n\n"
    rounds = 0
    while not ended():
        now = await run_in_threadpool(fingerprint)
        rounds += 1
        if now != seen:
            seen, rounds = now, 0
            yield f"event: changed\ndata: {now}\n\n"
        elif rounds >= _HEARTBEAT:
            rounds = 0
            yield ": still here\n\n"
        await asyncio.sleep(_EVERY_SECONDS)
