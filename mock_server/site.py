"""Everything that a mock serves, by path: the API it plays, its control, its pictures.

request log -> by path -> recorder -> the API
-> guard -> control
"""

from __future__ import annotations

from starlette.types import ASGIApp, Receive, Scope, Send

from mock_server.control_app import PREFIX
from mock_server.service import PICTURES


class Site:
    """Sends each request where it belongs."""

    def __init__(self, api: ASGIApp, pictures: ASGIApp, control: ASGIApp | None) -> None:
        """Make the site.

        Args:
            api: the API that the contract describes.
            pictures: draws the results; open to everybody.
            control: everything else below `/_mock`; None where there is no control.
        """
        self._api = api
        self._pictures = pictures
        self._control = control

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path: str = scope.get("path", "")
        if path.startswith(f"{PICTURES}/"):
            app = self._pictures
        elif self._control is not None and (path == PREFIX or path.startswith(f"{PREFIX}/")):
            app = self._control
        else:
            app = self._api
        await app(scope, receive, send)
