"""Everything that a mock serves, by path: the API it plays, its pictures, its control and console, its documentation.

request log -> by path -> recorder -> the API
                       -> guard -> control, console
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache

from starlette.types import ASGIApp, Receive, Scope, Send


class Site:
    """Sends each request where it belongs."""

    def __init__(self, api: ASGIApp, rooms: Mapping[str, ASGIApp], pages: Mapping[str, ASGIApp]) -> None:
        """Make the site.

        Args:
            api: the API that the contract describes.
            rooms: what is served below a path, that path included; the longest one wins.
            pages: what is served at a path.
        """
        self._api = api
        self._rooms = sorted(rooms.items(), key=lambda room: -len(room[0]))
        self._pages = pages

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._at(scope.get("path", ""))(scope, receive, send)

    def _at(self, path: str) -> ASGIApp:
        if path in self._pages:
            return self._pages[path]
        for top, app in self._rooms:
            if path == top or path.startswith(f"{top}/"):
                return app
        return self._api


class Later:
    """An application that is made when it is first asked for: whoever plays the API need not wait for it at the start.

    All requests wait while it is made, some tenth of a second.
    """

    def __init__(self, make: Callable[[], ASGIApp]) -> None:
        self._made = cache(make)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._made()(scope, receive, send)
