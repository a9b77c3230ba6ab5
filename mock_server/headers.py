"""What every page of the mock says about itself: what it may load, and from where."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send


def policy(*, scripts: Sequence[str] = (), styles: Sequence[str] = (), images: Sequence[str] = ()) -> str:
    """A content security policy: what the mock itself serves, and the sources that are named beside."""
    return (
        f"default-src 'none'; script-src {_own(scripts)}; style-src {_own(styles)}; img-src {_own(images)}; "
        "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )


def _own(sources: Sequence[str]) -> str:
    return " ".join(("'self'", *sources))


STRICT: Final = policy()
"""Nothing but what the mock itself serves, and no script or style inside a page."""


class PageHeaders:
    """Adds a content security policy, and what goes with it, to every answer of an application."""

    def __init__(self, app: ASGIApp, policy: str = STRICT, more: Mapping[str, str] | None = None) -> None:
        self._app = app
        self._headers = {
            "Content-Security-Policy": policy,
            "X-Content-Type-Options": "nosniff",
            # Not "no-referrer": with it, browsers send forms with the Origin "null".
            "Referrer-Policy": "same-origin",
            **(more or {}),
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def adding(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, adding)
