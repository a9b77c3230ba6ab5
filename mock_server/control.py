"""What lets a test reach into the mock: make an account with so many credits, see a balance.

Only pages of the mock itself and programs that are no browser may use it. A web page that a developer happens to visit
could send requests to localhost too; it is told apart by `Origin`, and by a `Host` that is not this machine's, which is
how a page reaches a local server through a name of its own.
"""

from __future__ import annotations

import ipaddress
import secrets
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from contract.model import Contract
from mock_server.accounts import MOST_CREDITS, Account
from mock_server.body import parse_body
from mock_server.invalid import InvalidRequest
from mock_server.service import Clock
from mock_server.store import Store

PREFIX = "/_mock/"

Handler = Callable[[Request], Awaitable[Response]]

_EXPECTED = f'the body must be {{"credits": n}}, with n from 0 to {MOST_CREDITS}'


class Control:
    """The application below `/_mock/`, for callers that are allowed to use it."""

    def __init__(self, contract: Contract, store: Store, clock: Clock) -> None:
        self._contract = contract
        self._store = store
        self._clock = clock
        self._handlers: dict[str, dict[str, Handler]] = {
            f"{PREFIX}accounts": {"GET": self._about, "POST": self._create},
            f"{PREFIX}account": {"GET": self._account},
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        response = await self._respond(Request(scope, receive))
        await response(scope, receive, send)

    async def _respond(self, request: Request) -> Response:
        if not _is_local(request):
            return _error(HTTPStatus.FORBIDDEN, "the control API is for this machine's own programs, not for web pages")
        methods = self._handlers.get(request.scope["path"])
        if methods is None:
            return _error(HTTPStatus.NOT_FOUND, "the control API has no such path")
        if request.method not in methods:
            allowed = {"Allow": ", ".join(methods)}
            return _error(HTTPStatus.METHOD_NOT_ALLOWED, "the control API has no such method here", allowed)
        return await methods[request.method](request)

    async def _about(self, _request: Request) -> Response:
        return JSONResponse({"mock": f"{self._contract.title} {self._contract.version}"})

    async def _create(self, request: Request) -> Response:
        """Make an account; it gets a fresh secret for each security scheme."""
        try:
            credits = _credits(parse_body(await request.body()))
        except InvalidRequest as error:
            return _error(HTTPStatus.BAD_REQUEST, next(iter(error.form), _EXPECTED))
        name = f"account-{secrets.token_hex(8)}"
        account = Account(
            name=name,
            credits=credits,
            credentials={scheme: f"sk_mock_{secrets.token_hex(16)}" for scheme in self._contract.security_schemes},
        )
        await run_in_threadpool(self._store.add_accounts, [account])
        body = {"name": name, "balance": credits, "credentials": account.credentials}
        return JSONResponse(body, HTTPStatus.CREATED)

    async def _account(self, request: Request) -> Response:
        """The account whose bearer key the request carries."""
        scheme, _, secret = request.headers.get("authorization", "").partition(" ")
        name = None
        for known in self._contract.security_schemes.values():
            if known.scheme == scheme.lower() and known.type == "http":
                name = await run_in_threadpool(self._store.account_of, known.name, secret.strip())
        if name is None:
            return _error(HTTPStatus.UNAUTHORIZED, "no account has this key")
        balance = await run_in_threadpool(self._store.balance, name, self._clock())
        return JSONResponse({"name": name, "balance": balance})


def _credits(body: Any) -> int:
    credits = body.get("credits") if isinstance(body, dict) else None
    if type(credits) is not int or not 0 <= credits <= MOST_CREDITS:
        raise InvalidRequest(_EXPECTED)
    return credits


def _is_local(request: Request) -> bool:
    """Whether the request names this machine, and comes from no other site's page."""
    host = request.headers.get("host", "")
    own = f"{request.scope['scheme']}://{host}"
    if request.headers.get("origin", own) != own:
        return False
    try:
        return is_loopback(urlsplit(f"//{host}").hostname or "")
    except ValueError:  # no such thing as a host
        return False


def is_loopback(host: str) -> bool:
    """Whether an address is one that only this machine can reach."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _error(status: HTTPStatus, message: str, headers: Mapping[str, str] | None = None) -> Response:
    return JSONResponse({"error": message}, status, headers)


class Beside:
    """Sends requests below `/_mock/` to the control application, all others on; pictures are for everybody."""

    def __init__(self, app: ASGIApp, control: ASGIApp, public: str) -> None:
        self._app = app
        self._control = control
        self._public = public

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        inside = path.startswith(PREFIX) and not path.startswith(self._public)
        await (self._control if inside else self._app)(scope, receive, send)
