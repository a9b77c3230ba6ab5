"""Who may use the control API and the console.

A web page that a developer happens to visit can send requests to localhost too. It is told apart by `Origin` and
`Sec-Fetch-Site`, and by a `Host` that is not this machine's, which is how a page reaches a local server through a name
of its own. Where the mock listens beyond loopback, whoever knows the control token may use it.
"""

from __future__ import annotations

import ipaddress
import secrets
from http import HTTPStatus
from typing import Final
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

HEADER: Final = "x-control-token"
COOKIE: Final = "mock_control"
PARAMETER: Final = "token"
_SAFE: Final = ("GET", "HEAD")


class Guard:
    """Lets nobody in who must not use what is behind it."""

    def __init__(self, app: ASGIApp, token: str | None) -> None:
        """Put a guard before an application.

        Args:
            token: what everybody has to show; None where only this machine can reach the mock.
        """
        self._app = app
        self._token = token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope)
        refused = self._refusal(request)
        if refused is None and self._token and request.query_params.get(PARAMETER) and request.method in _SAFE:
            refused = self._signed_in(request)
        await (refused or self._app)(scope, receive, send)

    def _refusal(self, request: Request) -> Response | None:
        own = f"{request.scope['scheme']}://{request.headers.get('host', '')}"
        site = request.headers.get("sec-fetch-site", "none")
        if request.headers.get("origin", own) != own or site not in ("none", "same-origin"):
            return _refused(HTTPStatus.FORBIDDEN, "the control of the mock is not for other sites' pages")
        if self._token is None:
            if not _names_this_machine(request):
                return _refused(
                    HTTPStatus.FORBIDDEN, "only for this machine: the Host must be localhost, or its address"
                )
            return None
        shown = (
            request.headers.get(HEADER)
            or (request.query_params.get(PARAMETER) if request.method in _SAFE else None)
            or request.cookies.get(COOKIE, "")  # last: it may be an earlier mock's
        )
        if not secrets.compare_digest(shown.encode(), self._token.encode()):
            message = f"the control token is needed: the header {HEADER.title()}, or ?{PARAMETER}= in a browser"
            return _refused(HTTPStatus.UNAUTHORIZED, message)
        return None

    def _signed_in(self, request: Request) -> Response:
        """The same page without the token in its address, which would end up in the browser's history."""
        clean = request.url.remove_query_params(PARAMETER)
        target = f"{clean.path}?{clean.query}" if clean.query else clean.path
        response = RedirectResponse(target, HTTPStatus.SEE_OTHER)
        response.set_cookie(COOKIE, str(self._token), httponly=True, samesite="strict")
        return response


def _names_this_machine(request: Request) -> bool:
    try:
        return is_loopback(urlsplit(f"//{request.headers.get('host', '')}").hostname or "")
    except ValueError:  # no such thing as a host
        return False


def is_loopback(host: str) -> bool:
    """Whether an address is one that only this machine can reach."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _refused(status: HTTPStatus, message: str) -> Response:
    return JSONResponse({"error": message}, status)
