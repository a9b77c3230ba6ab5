"""What is asked for in one turn of the event loop is written in one transaction.

A transaction of its own for each submission would cost a SQLite file more than all else that the submission does.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any, Final, ParamSpec, TypeVar

from mock_server.store import NotAtOnceError, Store

_PAUSE: Final = 0.001
"""Seconds between two looks at whether the file can be written to."""
_PATIENCE: Final = 1.0
"""Seconds after which those who wait for that do so in threads, where they are told if it takes too long."""

_MOST: Final = 100
"""How many are written together: those that came first have waited for long enough."""

P = ParamSpec("P")
R = TypeVar("R")


class Together:
    """Calls functions that write to a store. All calls come from one event loop."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._waiting: list[tuple[Callable[[], Any], asyncio.Future[Any]]] = []
        self._since = 0.0
        self._seen = 0
        self._last_batch = 1

    async def call(self, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Call a function, in a transaction with others.

        Raises:
            NotAtOnceError: if it has to be called alone, where it can wait; nothing has been done then.
        """
        loop = asyncio.get_running_loop()
        future = loop.create_future()
        if not self._waiting:
            self._since = loop.time()
            loop.call_soon(self._carry_out)
        self._waiting.append((partial(function, *args, **kwargs), future))
        result: R = await future
        return result

    def _carry_out(self) -> None:
        loop = asyncio.get_running_loop()
        # a client that is alone sends nothing more until it has its answer
        alone = len(self._waiting) == self._last_batch == 1
        if not alone and self._seen < len(self._waiting) < _MOST:  # more came since the last look, and more may come
            self._seen = len(self._waiting)
            loop.call_soon(self._carry_out)
            return
        waiting, self._waiting, self._seen = self._waiting, [], 0
        self._last_batch = len(waiting)
        try:
            with self._store.at_once(), self._store.together():
                results = [_result(function) for function, _ in waiting]
        except NotAtOnceError:
            if loop.time() < self._since + _PATIENCE:  # others write; meanwhile there may come more
                self._waiting = waiting
                loop.call_later(_PAUSE, self._carry_out)
                return
            results = [NotAtOnceError() for _ in waiting]
        except Exception:  # noqa: BLE001 - whoever it was hears of it when it is called alone
            results = [NotAtOnceError() for _ in waiting]
        for (_, future), result in zip(waiting, results, strict=True):
            if future.done():  # nobody waits for it any more
                continue
            if isinstance(result, NotAtOnceError):
                future.set_exception(result)
            else:
                future.set_result(result)


def _result(function: Callable[[], Any]) -> Any:
    try:
        return function()
    except NotAtOnceError as error:
        return error
